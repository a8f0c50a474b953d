//! The nouns of a study and the arithmetic on them.
//!
//! No files, no network, no clock: what is here can be tested by values alone. Data flows
//! `item` + `problem` (what is asked) → `inference` (how a trained student answers) →
//! `score` (what came out) → `stats` (what may be said about it).

pub mod directions;
pub mod family;
pub mod ids;
pub mod inference;
pub mod item;
pub mod name;
pub mod problem;
pub mod rung;
pub mod stats;
pub mod testbed;
pub mod transfer;
