//! The bench a researcher types at.
//!
//! `cli` reads a command line; one command is one file of `commands`. Commands that work on files (`train`, `predict`, `label`,
//! `embed`, `score`, `try`) need no server; the others speak to it through `aar-api`. `search` is the researcher of kind
//! `search`. Nothing here can reach the truth: the room depends on no outside room.

mod cli;
mod commands;
mod failure;
pub mod output;
pub mod search;

pub use cli::run;
