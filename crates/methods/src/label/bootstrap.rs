//! Bootstrapping (Burns et al. 2023, section 4.3.1): between teacher and student stands a chain of students of growing size,
//! each taught by the one before, so that no step is wide. One checkpoint has one size, but it can be given less to learn with:
//! a linear readout, then an adapter of low rank, then what the recipe trains.

use crate::pool::sigmoid;
use crate::recipe::{LossKind, Objective, ObjectiveKind};

/// Rank of the adapter in between.
const RANK: usize = 2;

/// What the students before the last one train, smallest first.
pub fn capacities(last: &Objective) -> [Objective; 2] {
    let plain = |kind, rank| Objective { kind, rank, loss: LossKind::Xent, mixup: 0.0, ..last.clone() };
    [plain(ObjectiveKind::Head, RANK), plain(ObjectiveKind::Adapter, RANK)]
}

/// Soft labels of a student's margins `[items]`.
pub fn soft(margins: &[f32]) -> Vec<f32> {
    margins.iter().map(|&margin| sigmoid(margin)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Three labels in ten are wrong, and a student with many features learns each by heart. One with few can't, a larger one is taught by
    /// it, and the largest by that: each has nothing to learn but what the smaller one took up.
    #[test]
    fn a_chain_of_growing_students_passes_on_what_the_smallest_could_hold() {
        let (most, rows) = (120, 300);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut draw = |rows: usize| -> (Vec<f32>, Vec<f32>) {
            let truth: Vec<f32> = (0..rows).map(|i| (i % 2) as f32).collect();
            let mut normal = || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
            let signal = |i: usize, t: f32| if i < 4 { 1.6 * (t - 0.5) } else { 0.0 };
            let features = truth.iter().flat_map(|&t| (0..most).map(|i| normal() + signal(i, t)).collect::<Vec<_>>());
            (features.collect(), truth)
        };
        let ((features, truth), (fresh, answers)) = (draw(rows), draw(2000));
        let labels: Vec<f32> = truth.iter().enumerate().map(|(i, t)| if i % 10 < 3 { 1.0 - t } else { *t }).collect();
        let first = |of: &[f32], width: usize| -> Vec<f32> {
            of.chunks_exact(most).flat_map(|row| row[..width].to_vec()).collect()
        };
        let taught = |targets: &[f32], width: usize, asked: &[f32]| {
            let (features, weights) = (first(&features, width), vec![1.0; rows]);
            let fit = Fit { features: &features, width, targets, weights: &weights, l2: 1e-3, intercept: true };
            fit.run().margins(&first(asked, width))
        };
        let accuracy = |margins: Vec<f32>| {
            margins.iter().zip(&answers).filter(|(m, a)| (**m > 0.0) == (**a > 0.5)).count() as f32 / 2000.0
        };
        let plain = accuracy(taught(&labels, most, &fresh));
        let mut targets = labels.clone();
        for width in [6, 30] {
            targets = soft(&taught(&targets, width, &features));
        }
        let chain = accuracy(taught(&targets, most, &fresh));
        assert!(chain > plain + 0.1, "chain {chain}, plain {plain}");
    }

    #[test]
    fn capacities_grow() {
        let kinds = capacities(&Objective::default()).map(|objective| (objective.kind, objective.rank));
        assert_eq!(kinds, [(ObjectiveKind::Head, RANK), (ObjectiveKind::Adapter, RANK)]);
    }
}
