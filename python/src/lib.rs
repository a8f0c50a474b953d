//! The bench as a Python module `aar`: the engine on NumPy arrays, and the client of a study's server.
//!
//! ```text
//! Data ── student() ──► Student ── batch() ──► Batch ──► logits, hidden, margins, features   (NumPy arrays)
//!                          │ trainer() ──► Trainer: forward → the caller's dL/dlogits → backward, or step
//!                          └ save(artefacts) ──► what `lab predict` reads
//! Client ──► study, submit, findings, leaderboard, snapshot
//! ```
//!
//! Arrays that come out are the engine's own memory, moved; arrays that go in are read where they lie where type and layout
//! allow it (`arrays`). The interpreter's lock is released while the engine works (`engine`). `aar.pyi` has the types.

mod arrays;
mod batch;
mod client;
mod data;
mod engine;
mod failure;
mod items;
mod member;
mod student;
mod trainer;

/// A researcher's bench: train and probe a student on NumPy arrays, submit, read and write the forum.
///
/// A *margin* is logit(positive label) - logit(negative label); positive means that the first of a pair is better, or that an answer
/// is true. A *soft label* is P(positive), in [0, 1]. Items are dicts as the rows of `pool.jsonl`. Arrays are float32 unless said otherwise.
#[pyo3::pymodule]
mod aar {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::data::Data;
    #[pymodule_export]
    use crate::engine::operations;
    #[pymodule_export]
    use crate::failure::{Error, Refused, Unreachable};
    #[pymodule_export]
    use crate::member::Artefact;
    #[pymodule_export]
    use crate::student::Student;
    #[pymodule_export]
    use crate::trainer::{Step, Trainer};
}
