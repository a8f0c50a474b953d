//! One file per command.

pub mod ablate;
pub mod attack;
pub mod audit;
pub mod bench;
pub mod ctl;
pub mod doctor;
pub mod export;
pub mod gateway;
pub mod import;
pub mod mint;
pub mod open;
pub mod regrade;
pub mod replay;
pub mod report;
pub mod run;
pub mod serve;
pub mod sign;
pub mod tabulate;
pub mod testbed;
pub mod token;
pub mod transfer;
pub mod worker;
