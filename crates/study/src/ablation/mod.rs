//! What about a team makes it find more? Studies replayed against tables of results, so that thousands cost minutes.
//!
//! `bench` is a table of `worlds::tabular` in memory, with its testbed's vault. `team` says how researchers work together; `replay` runs one
//! study with the researchers' own code (`methods::search`) and the ledger's answers; `questions` lists the comparisons, `answers` runs
//! them over many study seeds, `many` draws the curve of the best of many; `report` is all of it, `markdown` the same as a page.

pub mod answers;
pub mod bench;
pub mod many;
pub mod markdown;
pub mod questions;
pub mod replay;
pub mod report;
pub mod team;
