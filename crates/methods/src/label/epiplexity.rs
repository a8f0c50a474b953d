//! Epiplexity (after Finzi et al. 2026, arXiv 2601.03220; as one of the published study's agents used it): how much of a label a bounded
//! learner can take up. Students are trained on folds. A row's out-of-fold answer becomes its soft label; the rows whose loss fell least
//! from before the first step of training to after the last hold least that can be learnt, and the lowest two fifths are
//! smoothed towards a coin, the more the lower.

use crate::objective::loss::cross_entropy;
use crate::pool::sigmoid;

/// Share of the rows that are smoothed.
const BOTTOM: f32 = 0.4;
/// Smoothing of the row that holds least.
const MOST: f32 = 0.8;
/// What the folds' students said of the pool.
pub struct Seen {
    /// The teacher's labels, hardened, `[rows]`.
    labels: Vec<f32>,
    /// Margins of the untouched student, `[rows]`.
    before: Vec<f32>,
    /// Margins of the student that had not seen the row, `[rows]`.
    held_out: Vec<f32>,
    /// How far the loss of the row fell where it was trained on, `[rows]`.
    drop: Vec<f32>,
}

impl Seen {
    /// No fold yet. `weak`: the teacher's soft labels, `before`: the untouched student's margins, both `[rows]`.
    pub fn new(weak: &[f32], before: Vec<f32>) -> Self {
        let labels = weak.iter().map(|&p| f32::from(u8::from(p > 0.5))).collect();
        Self { labels, before, held_out: vec![0.0; weak.len()], drop: vec![0.0; weak.len()] }
    }

    /// A student's margins on the pool, which had not seen the rows that are `out`.
    pub fn by_fold(&mut self, margins: &[f32], out: impl Fn(usize) -> bool) {
        for (i, &margin) in margins.iter().enumerate() {
            if out(i) {
                self.held_out[i] = margin;
            } else {
                self.drop[i] = cross_entropy(self.before[i], self.labels[i]) - cross_entropy(margin, self.labels[i]);
            }
        }
    }

    /// Soft targets, `[rows]`: the held-out student's answers, smoothed where the loss fell least.
    pub fn targets(&self) -> Vec<f32> {
        let soft = self.held_out.iter().map(|&margin| sigmoid(margin));
        soft.zip(smoothing(&self.drop)).map(|(soft, smooth)| soft + smooth * (0.5 - soft)).collect()
    }
}

/// From `MOST` for the least drop down to 0 at the `BOTTOM` share and above, in a straight line over ranks.
pub fn smoothing(drop: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..drop.len()).collect();
    order.sort_by(|&a, &b| drop[a].total_cmp(&drop[b]));
    let bottom = (BOTTOM * drop.len() as f32).max(1.0);
    let mut out = vec![0.0; drop.len()];
    for (rank, i) in order.into_iter().enumerate() {
        out[i] = (MOST * (1.0 - rank as f32 / bottom)).max(0.0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossfit;
    use crate::readout::Fit;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Seven rows in ten are labelled by what the features say, three by a coin. Plain training takes the coins over; out of fold
    /// they are answered by the features, and where a coin fell wrong the loss never fell, so it is smoothed.
    #[test]
    fn labels_that_can_not_be_learnt_are_replaced_and_smoothed() {
        let (rows, width) = (600, 8);
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let features: Vec<f32> = (0..rows * width).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect();
        let truth: Vec<bool> = features.chunks_exact(width).map(|row| row[0] + row[1] > 0.0).collect();
        let label = |i: usize, rng: &mut ChaCha8Rng| if i % 10 < 3 { rng.random::<bool>() } else { truth[i] };
        let labels: Vec<bool> = (0..rows).map(|i| label(i, &mut rng)).collect();
        let weak: Vec<f32> = labels.iter().map(|&label| if label { 0.9 } else { 0.1 }).collect();
        let hard: Vec<f32> = labels.iter().map(|&label| f32::from(u8::from(label))).collect();
        let folds = crossfit::folds(rows, 1);
        let mut seen = Seen::new(&weak, vec![0.0; rows]);
        for fold in 0..crossfit::FOLDS {
            let weights: Vec<f32> = folds.iter().map(|&f| f32::from(u8::from(f != fold))).collect();
            let fit = Fit { features: &features, width, targets: &hard, weights: &weights, l2: 1e-2, intercept: true };
            seen.by_fold(&fit.run().margins(&features), |i| folds[i] == fold);
        }
        let targets = seen.targets();
        let right = |p: &[f32]| (0..rows).filter(|&i| (p[i] > 0.5) == truth[i]).count() as f32 / rows as f32;
        assert!(right(&weak) < 0.88 && right(&targets) > right(&weak) + 0.03, "{} {}", right(&weak), right(&targets));
        let smoothed = smoothing(&seen.drop);
        let wrong = |i: &usize| labels[*i] != truth[*i];
        let mean = |of: Vec<usize>| of.iter().map(|&i| smoothed[i]).sum::<f32>() / of.len() as f32;
        let (bad, good) = (mean((0..rows).filter(wrong).collect()), mean((0..rows).filter(|i| !wrong(i)).collect()));
        assert!(bad > 3.0 * good, "wrong labels are smoothed by {bad}, right ones by {good}");
    }
}
