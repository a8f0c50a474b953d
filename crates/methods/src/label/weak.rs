//! The teacher's own soft labels: naive weak-to-strong training (Burns et al. 2023, section 4.2).

use crate::pool::Pool;

/// P(positive) as the teacher says, `[items]`.
pub fn soft(pool: &Pool) -> Vec<f32> {
    pool.weak.clone()
}
