//! Labels by a contrast-consistent direction of the student's states ([`crate::ccs`]).

use crate::ccs;
use crate::error::MethodError;
use crate::pool::Pool;
use crate::student::Student;

/// P(positive), `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    ccs::soft(pool, student, seed)
}
