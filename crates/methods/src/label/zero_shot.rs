//! Zero-shot elicitation with a consistency fix: label the pool by asking the untouched student (a baseline of Wen et al. 2025, arXiv
//! 2506.10139, section 3.2; the published study's for chat, math and code).
//!
//! Consistency: a pair is asked in both orders and the margins are averaged with sign, so that p(A>B) = 1 − p(B>A)
//! holds exactly; binary items are centred at the pool's median, so that both labels are used alike.

use crate::error::MethodError;
use crate::pool::{Pool, sigmoid, standardised};
use crate::student::Student;

/// σ(z), z the consistent margin in units of its spread over the pool, `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student) -> Result<Vec<f32>, MethodError> {
    Ok(standardised(&student.zero_shot(&pool.items)?).into_iter().map(sigmoid).collect())
}
