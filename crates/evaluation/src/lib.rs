//! One job from claim to posted outputs: what workers run, and nothing else.
//!
//! A worker never holds the truth. Per job it *stages* (`stage`) the public pool with the job's soft labels and the
//! bundle, lays `decoys`, *trains* in one sandbox, checks what came out (`artefacts`), *predicts* in a second sandbox that holds only
//! those artefacts and the hidden inputs (`phases`; all of it is a `trial`), and posts the margins (`worker`).
//!
//! ```text
//! claim → stage → [train: bundle, pool, soft labels, student] → check → [predict: artefacts, hidden inputs] → post
//! ```

pub mod artefacts;
pub mod decoys;
pub mod error;
pub mod phases;
pub mod stage;
pub mod trial;
pub mod worker;

pub use error::EvaluationError;
