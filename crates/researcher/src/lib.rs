//! Drive one researcher: a process inside a sandbox whose only door is the server's socket.
//!
//! The room knows nothing of what the process does. `search` and `random` are `lab search`; other kinds come beside
//! them. Restarting a crashed researcher is the caller's decision ([`Researcher::poll`] tells).

pub mod process;

pub use process::{Researcher, ResearcherError, ResearcherSpec, State};
