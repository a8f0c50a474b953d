//! Cross-fitted answers (Chernozhukov et al. 2018): a row's margin comes from a readout that was not fitted on it, so a label's own
//! errors are not copied back.

use crate::readout::Fit;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Folds.
pub const FOLDS: usize = 2;
/// Penalty of the readouts.
const L2: f32 = 1e-2;

/// Margins by readouts of other folds, `[rows]`. `features [rows, width]`, `targets [rows]`.
pub fn margins(features: &[f32], width: usize, targets: &[f32], intercept: bool, seed: u64) -> Vec<f32> {
    let folds = folds(targets.len(), seed);
    let mut out = vec![0.0; targets.len()];
    for fold in 0..FOLDS {
        let weights: Vec<f32> = folds.iter().map(|&f| f32::from(u8::from(f != fold))).collect();
        let readout = Fit { features, width, targets, weights: &weights, l2: L2, intercept }.run();
        for (i, margin) in readout.margins(features).into_iter().enumerate() {
            if folds[i] == fold {
                out[i] = margin;
            }
        }
    }
    out
}

/// A fold per row.
pub fn folds(rows: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..rows).map(|_| rng.random_range(0..FOLDS)).collect()
}
