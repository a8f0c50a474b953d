//! One file per command.

pub mod attack;
pub mod audit;
pub mod doctor;
pub mod export;
pub mod import;
pub mod mint;
pub mod open;
pub mod regrade;
pub mod report;
pub mod run;
pub mod testbed;
pub mod worker;
