//! Targets from a cross-fitted linear readout of the student's frozen states (Alain and Bengio 2016; cross-fitting as in
//! Chernozhukov et al. 2018): a row's target comes from a readout that was not fitted on it, so the teacher's
//! idiosyncratic errors are not copied.

use crate::error::MethodError;
use crate::pool::{Pool, sigmoid};
use crate::readout::Fit;
use crate::student::Student;
use aar_domain::problem::Task;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Folds.
const FOLDS: usize = 2;
/// Penalty of the readouts.
const L2: f32 = 1e-2;

/// P(positive) by readouts of other folds, `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    let features = student.features(&pool.items)?;
    let hard: Vec<f32> = pool.weak.iter().map(|&p| f32::from(u8::from(p > 0.5))).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folds: Vec<usize> = pool.items.iter().map(|_| rng.random_range(0..FOLDS)).collect();
    let mut out = vec![0.5; pool.items.len()];
    for fold in 0..FOLDS {
        let weights: Vec<f32> = folds.iter().map(|&f| f32::from(u8::from(f != fold))).collect();
        let readout = Fit {
            features: &features.values,
            width: features.width,
            targets: &hard,
            weights: &weights,
            l2: L2,
            intercept: student.problem().task == Task::Binary,
        }
        .run();
        for (i, margin) in readout.margins(&features.values).into_iter().enumerate() {
            if folds[i] == fold {
                out[i] = sigmoid(margin);
            }
        }
    }
    Ok(out)
}
