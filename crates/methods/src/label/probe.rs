//! Targets from a cross-fitted linear readout of the student's frozen states (Alain and Bengio 2016): the teacher's
//! idiosyncratic errors are not copied.

use crate::crossfit;
use crate::error::MethodError;
use crate::pool::{Pool, sigmoid};
use crate::student::Student;
use aar_domain::problem::Task;

/// P(positive) by readouts of other folds, `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    let features = student.features(&pool.items)?;
    let hard: Vec<f32> = pool.weak.iter().map(|&p| f32::from(u8::from(p > 0.5))).collect();
    let intercept = student.problem().task == Task::Binary;
    let margins = crossfit::margins(&features.values, features.width, &hard, intercept, seed);
    Ok(margins.into_iter().map(sigmoid).collect())
}
