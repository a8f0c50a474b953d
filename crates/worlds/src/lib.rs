//! Make a testbed: mint a sealed world from a secret, or import real data; check it; seal it.
//!
//! A minted world: `secret` → `chat` (facts, documents, items of this world alone) → `pretrain` (a student and a
//! teacher that know a part of it) → `teacher` (soft labels, the weak baseline) → `ceiling` → `mint` (the search that
//! accepts or rejects draws) → `seal` (the folder) with `check` (the table of bounds).

pub mod chat;
pub mod pretrain;
pub mod secret;
