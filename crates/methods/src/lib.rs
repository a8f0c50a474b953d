//! One file per way of turning weak labels into a student.
//!
//! A [`recipe::Recipe`] names one step per stage; a step never imports another. Data flows
//!
//! ```text
//! pool + soft labels → label → select → weight → objective (trains a student) → inference recipe + artefacts
//! ```
//!
//! [`plan`] holds what the first three stages decide, [`rounds`] the label sources that train students first.
//! [`train::run`] does that for a bundle's input folder, [`predict::run`] answers hidden items with what it left.
//! [`search`] proposes recipes from what others were worth.

pub mod ccs;
pub mod crossfit;
pub mod error;
pub mod label;
pub mod objective;
pub mod plan;
pub mod pool;
pub mod predict;
pub mod readout;
pub mod recipe;
pub mod rounds;
pub mod search;
pub mod select;
pub mod shipped;
pub mod student;
pub mod train;
pub mod trial;
pub mod weight;

pub use error::MethodError;
pub use recipe::Recipe;
pub use student::Student;
