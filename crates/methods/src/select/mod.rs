//! Stage two: rows. Each rule is a file.

use crate::error::MethodError;
use crate::pool::Pool;
use crate::recipe::{Select, SelectRule};
use crate::student::Student;

pub mod agree;
pub mod confident;
pub mod confident_learning;
pub mod neighbours;
pub mod overlap;

/// Indices of the rows kept, ascending.
pub fn rows(select: &Select, pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<usize>, MethodError> {
    match select.rule {
        SelectRule::All => Ok((0..pool.items.len()).collect()),
        SelectRule::Confident => Ok(confident::rows(&pool.weak, select.keep)),
        SelectRule::Agree => agree::rows(pool, student),
        SelectRule::Neighbours => neighbours::rows(pool, student),
        SelectRule::ConfidentLearning => confident_learning::rows(pool, student, seed),
        SelectRule::Overlap => overlap::rows(pool, student, select.keep),
    }
}
