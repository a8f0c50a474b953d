//! Stage three: weights. Each rule is a file; this one scales them to mean 1, so that a rule changes what counts and
//! not how fast training goes.

use crate::error::MethodError;
use crate::pool::Pool;
use crate::recipe::{Weight, WeightRule};
use crate::student::Student;

pub mod agreement;
pub mod confidence;
pub mod contrast;
pub mod residual;

/// One weight per row of `pool`, mean 1. `targets` are the stage-one targets of the same rows.
pub fn rows(
    weight: &Weight,
    pool: &Pool,
    targets: &[f32],
    student: &dyn Student,
    seed: u64,
) -> Result<Vec<f32>, MethodError> {
    let raw = match weight.rule {
        WeightRule::None => vec![1.0; targets.len()],
        WeightRule::Confidence => confidence::raw(&pool.weak),
        WeightRule::Agreement => agreement::raw(targets, &student.zero_shot(&pool.items)?),
        WeightRule::Ccs => contrast::raw(pool, targets, student, seed)?,
        WeightRule::Residual => residual::raw(&pool.items, targets),
    };
    let mean = raw.iter().sum::<f32>() / raw.len().max(1) as f32;
    let blend = |w: f32| {
        if mean > 0.0 { 1.0 + weight.strength * (w / mean - 1.0) } else { 1.0 }
    };
    Ok(raw.into_iter().map(blend).collect())
}
