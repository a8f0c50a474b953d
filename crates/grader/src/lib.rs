//! Keep the truth, answer only with scores, and keep account of what the answers gave away.
//!
//! `truth` (files) → `vault` (opened once, in memory) turns margins into outcomes and outcomes into scores;
//! `altered` makes copies of a testbed on which honest methods must fail, `chance` says whether one did.
//! `ledger` (with `answers`) decides what of a score a researcher gets to know, and what that cost. `attack` tries all of it.

pub mod altered;
mod answers;
pub mod attack;
pub mod chance;
pub mod ledger;
pub mod truth;
pub mod vault;

pub use truth::VaultError;
pub use vault::{Score, Vault};
