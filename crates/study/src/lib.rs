//! Plan, schedule, resume, close and report a study.
//!
//! `plan` (a study file, checked) + `testbed` → `run` in a `directory`: server, `workers` and the `team` of researchers
//! start; baselines, research in turns, the close with its `finalists`, which are run again where one thing is `altered` and on
//! `shortcuts` (`findings` says what came of it). `result` computes everything that is said from the
//! event log, `spans` tells a collector what happens meanwhile, `verdict` puts it into words, `report` into a page.
//! `ablation` replays studies against tables of results.
//! `attack` starts servers, and tries what a team that only wants to win could get out of them.

pub mod ablation;
pub mod agents;
pub mod altered;
pub mod attack;
mod child;
mod clock;
pub mod config;
pub mod directory;
pub mod diversity;
pub mod error;
pub mod export;
pub mod finalists;
pub mod findings;
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
pub mod shortcuts;
mod spans;
pub mod team;
pub mod testbed;
pub mod transfer;
pub mod verdict;
mod watchdog;
pub mod workers;

pub use error::StudyError;
pub use plan::Plan;
pub use result::StudyResult;
