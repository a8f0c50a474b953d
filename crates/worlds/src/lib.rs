//! Make a testbed: mint a sealed world from a secret, or import real data; check it; seal it.
//!
//! A minted world: `secret` → one of `subjects` (facts, documents, items of this world alone, behind the seam `subject`; misleading by its `mechanism`) → `draw` (a student pre-trained on
//! its text by `pretrain`) → `teacher` (soft labels) → `baselines` (frozen weak and ceiling runs) → `check` (the table of
//! bounds, with `shortcuts` and what is `constructed`) → `seal` (the folder); `mint` is the search that accepts or rejects draws. `import` makes a testbed of real data. `bench` compares recipes over testbeds, `tabular` keeps many of one testbed for replays.

pub mod baselines;
pub mod bench;
pub mod chat;
pub mod check;
pub mod code;
pub mod constructed;
mod cpu;
pub mod draw;
pub mod error;
pub mod import;
pub mod lint;
pub mod math;
pub mod mechanism;
pub mod mint;
mod most_common;
pub mod pair;
pub mod pool;
pub mod pretrain;
pub mod production;
pub mod seal;
pub mod secret;
pub mod shortcuts;
pub mod subject;
pub mod subjects;
mod surface;
pub mod tabular;
pub mod teacher;
pub mod teacher_search;
mod votes;

pub use error::WorldError;
