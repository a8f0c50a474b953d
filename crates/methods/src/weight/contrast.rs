//! By agreement with a contrast-consistent direction of the student's states (Burns et al. 2022; [`crate::ccs`]): the probability it gives to a
//! row's target. It is found without labels, so where it says what the teacher says, two judges that err apart agree.

use crate::ccs;
use crate::error::MethodError;
use crate::pool::Pool;
use crate::student::Student;

/// P(target) per row.
pub fn raw(pool: &Pool, targets: &[f32], student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    let found = ccs::soft(pool, student, seed)?;
    Ok(targets.iter().zip(found).map(|(&target, p)| target * p + (1.0 - target) * (1.0 - p)).collect())
}
