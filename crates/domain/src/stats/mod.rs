//! What may be said about scores: estimates with intervals, tests, ties, and what the sizes can resolve.
//!
//! Two things vary: the items (in clusters that share a question) and the seeds. Every interval and test here
//! accounts for both, and for the weak and ceiling baselines' own uncertainty, through one bootstrap ([`bootstrap`]).

pub mod bootstrap;
pub mod compare;
pub mod detection;
pub mod estimate;
pub mod likeness;
pub mod outcomes;
pub mod pooled;
pub mod rank;
pub mod simulate;

pub use bootstrap::{Bootstrap, Replicated};
pub use compare::{Comparison, compare, holm, minimum_difference, noise_floor, ranks, ranks_by};
pub use detection::together;
pub use estimate::{Estimate, Pgr, over_testbeds, pgr};
pub use likeness::{Likeness, likeness};
pub use outcomes::{Outcomes, Panel};
pub use pooled::{Pooled, pooled};
pub use rank::{correlation, rank_correlation_interval, ranked};
