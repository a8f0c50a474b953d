//! One file per command.

pub mod doctor;
pub mod import;
pub mod mint;
pub mod report;
pub mod run;
pub mod worker;
