//! Plan, schedule, resume, close and report a study.
//!
//! `plan` (a study file, checked) + `testbed` → `run` in a `directory`: server, `workers` and the `team` of researchers
//! start; baselines, research in turns, the close with its `finalists`. `result` computes everything that is said from the
//! event log, `verdict` puts it into words, `report` into a page.

pub mod agents;
mod child;
pub mod config;
pub mod directory;
pub mod diversity;
pub mod error;
pub mod finalists;
pub mod gateway;
pub mod key;
pub mod models;
pub mod operator;
pub mod plan;
pub mod programs;
pub mod regrade;
pub mod report;
pub mod result;
pub mod run;
pub mod team;
pub mod testbed;
pub mod verdict;
mod watchdog;
pub mod workers;

pub use error::StudyError;
pub use plan::Plan;
pub use result::StudyResult;
