//! Rows on which the teacher and the untouched student agree (co-training's agreement, Blum and Mitchell 1998).

use crate::error::MethodError;
use crate::pool::Pool;
use crate::student::Student;

/// Indices of the rows with one opinion.
pub fn rows(pool: &Pool, student: &dyn Student) -> Result<Vec<usize>, MethodError> {
    let prior = student.zero_shot(&pool.items)?;
    Ok((0..pool.items.len()).filter(|&i| (pool.weak[i] > 0.5) == (prior[i] > 0.0)).collect())
}
