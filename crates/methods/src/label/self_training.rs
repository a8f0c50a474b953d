//! The second round of self-training (Scudder 1965; Xie et al. 2020): the first student relabels the pool, its most
//! confident answers are kept.

/// Soft targets and the rows kept, out of the first student's margins `[items]`: the `keep` most confident, half of
/// either answer where there are enough.
pub fn relabel(margins: &[f32], keep: f32) -> (Vec<f32>, Vec<usize>) {
    let soft: Vec<f32> = margins.iter().map(|&margin| crate::pool::sigmoid(margin)).collect();
    if keep >= 1.0 {
        return (soft, (0..margins.len()).collect());
    }
    let half = ((margins.len() as f32 * keep / 2.0).round() as usize).max(1);
    let mut order: Vec<usize> = (0..margins.len()).collect();
    order.sort_by(|&a, &b| margins[a].total_cmp(&margins[b]));
    let mut kept: Vec<usize> = order.iter().take(half).filter(|&&i| margins[i] < 0.0).copied().collect();
    kept.extend(order.iter().rev().take(half).filter(|&&i| margins[i] > 0.0));
    kept.sort_unstable();
    (soft, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::{Fit, Readout};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn keeps_the_surest_of_either_answer() {
        let (soft, kept) = relabel(&[0.1, -3.0, 2.0, -0.2, 1.0, -1.0], 0.67);
        assert_eq!(kept, [1, 2, 4, 5]);
        assert!(soft[2] > 0.8 && soft[1] < 0.1);
        assert_eq!(relabel(&[0.1, -3.0, 2.0], 1.0).1, [0, 1, 2]);
    }

    /// Wrong labels bend a regression along features that hardly vary. Its own soft answers hold least of those, so each generation of
    /// the same size shrinks them once more and is better than the last.
    #[test]
    fn a_born_again_student_is_better_than_the_one_that_taught_it() {
        let (width, rows) = (120, 300);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut draw = |rows: usize| -> (Vec<f32>, Vec<f32>) {
            let truth: Vec<f32> = (0..rows).map(|i| (i % 2) as f32).collect();
            let mut normal = || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
            let mut feature = |i: usize, t: f32| if i < 4 { normal() + 1.6 * (t - 0.5) } else { 0.3 * normal() };
            let features = truth.iter().flat_map(|&t| (0..width).map(|i| feature(i, t)).collect::<Vec<_>>());
            (features.collect(), truth)
        };
        let ((features, truth), (fresh, answers)) = (draw(rows), draw(2000));
        let labels: Vec<f32> = truth.iter().enumerate().map(|(i, t)| if i % 10 < 3 { 1.0 - t } else { *t }).collect();
        let weights = vec![1.0; rows];
        let fit = |targets: &[f32]| {
            Fit { features: &features, width, targets, weights: &weights, l2: 1e-2, intercept: true }.run()
        };
        let accuracy = |student: &Readout| {
            let margins = student.margins(&fresh);
            margins.iter().zip(&answers).filter(|(m, a)| (**m > 0.0) == (**a > 0.5)).count() as f32 / 2000.0
        };
        let plain = fit(&labels);
        let again = fit(&relabel(&plain.margins(&features), 1.0).0);
        assert!(accuracy(&again) > accuracy(&plain) + 0.02, "{} after {}", accuracy(&again), accuracy(&plain));
    }
}
