//! By agreement with the untouched student's prior: the prior's probability of the row's target.

use crate::pool::sigmoid;

/// π(target), π = σ of the prior margin in units of its spread.
pub fn raw(targets: &[f32], prior: &[f32]) -> Vec<f32> {
    let spread = (prior.iter().map(|m| m * m).sum::<f32>() / prior.len().max(1) as f32).sqrt().max(1e-6);
    let one = |(&target, &margin): (&f32, &f32)| {
        let p = sigmoid(1.5 * margin / spread);
        target * p + (1.0 - target) * (1.0 - p)
    };
    targets.iter().zip(prior).map(one).collect()
}
