//! Mixup (Zhang et al. 2018, arXiv 1710.09412, section 2): train on λ x_i + (1 − λ) x_j against λ y_i + (1 − λ) y_j, λ from Beta(α, α).
//!
//! Words can't be mixed, states can (manifold mixup, Verma et al. 2019, arXiv 1806.05236): a decoder's rows are mixed in the last
//! one, where a margin is linear, so that mixing margins is mixing states. A readout's rows are mixed as features.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// λ of one batch, by Jöhnk's rejection.
pub fn share(alpha: f32, rng: &mut ChaCha8Rng) -> f32 {
    loop {
        let (a, b) = (rng.random::<f32>().powf(1.0 / alpha), rng.random::<f32>().powf(1.0 / alpha));
        if a + b > 0.0 && a + b <= 1.0 {
            return a / (a + b);
        }
    }
}

/// `λ v_i + (1 − λ) v_{i+1}`, the last row's partner being the first; batches come in random order.
pub fn mix(values: &[f32], share: f32) -> Vec<f32> {
    let next = values.iter().cycle().skip(1);
    values.iter().zip(next).map(|(a, b)| share * a + (1.0 - share) * b).collect()
}

/// Slopes in the mixed margins back to those in the rows' own: the transpose of [`mix`].
pub fn unmix(slopes: &[f32], share: f32) -> Vec<f32> {
    let before = slopes.iter().cycle().skip(slopes.len().saturating_sub(1));
    slopes.iter().zip(before).map(|(own, before)| share * own + (1.0 - share) * before).collect()
}

/// Mixed rows of features `[rows, width]` with their targets: each row with one drawn at random.
pub fn rows(features: &[f32], width: usize, targets: &[f32], alpha: f32, rng: &mut ChaCha8Rng) -> (Vec<f32>, Vec<f32>) {
    let (mut mixed, mut labels) = (Vec::with_capacity(features.len()), Vec::with_capacity(targets.len()));
    for (i, row) in features.chunks_exact(width).enumerate() {
        let (share, other) = (share(alpha, rng), rng.random_range(0..targets.len()));
        let partner = &features[other * width..(other + 1) * width];
        mixed.extend(row.iter().zip(partner).map(|(a, b)| share * a + (1.0 - share) * b));
        labels.push(share * targets[i] + (1.0 - share) * targets[other]);
    }
    (mixed, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::loss::cross_entropy;
    use crate::readout::Fit;
    use rand::SeedableRng;

    /// Three labels in ten are wrong, and there are features enough to learn each by heart: a regression does, and is then very sure of
    /// nothing on fresh rows. Between rows there is nothing to learn by heart (their section 3.4).
    #[test]
    fn wrong_labels_are_not_learnt_by_heart_between_rows() {
        let width = 120;
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut draw = |rows: usize| -> (Vec<f32>, Vec<f32>) {
            let truth: Vec<f32> = (0..rows).map(|i| (i % 2) as f32).collect();
            let mut normal = || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
            let signal = |i: usize, t: f32| if i < 4 { 2.0 * (t - 0.5) } else { 0.0 };
            let features = truth.iter().flat_map(|&t| (0..width).map(|i| normal() + signal(i, t)).collect::<Vec<_>>());
            (features.collect(), truth)
        };
        let ((features, truth), (fresh, answers)) = (draw(200), draw(1000));
        let labels: Vec<f32> = truth.iter().enumerate().map(|(i, t)| if i % 10 < 3 { 1.0 - t } else { *t }).collect();
        let fresh_loss = |features: &[f32], targets: &[f32]| {
            let weights = vec![1.0; targets.len()];
            let readout = Fit { features, width, targets, weights: &weights, l2: 1e-3, intercept: true }.run();
            let losses = readout.margins(&fresh).into_iter().zip(&answers).map(|(m, &a)| cross_entropy(m, a));
            losses.sum::<f32>() / answers.len() as f32
        };
        let plain = fresh_loss(&features, &labels);
        let (mut mixed, mut targets) = (vec![], vec![]);
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        for _ in 0..8 {
            let (features, labels) = rows(&features, width, &labels, 1.0, &mut rng);
            mixed.extend(features);
            targets.extend(labels);
        }
        let mixed = fresh_loss(&mixed, &targets);
        assert!(plain > 2.0 && mixed < 0.65 * plain, "mixed {mixed}, plain {plain}");
    }

    #[test]
    fn unmixing_is_the_transpose_of_mixing() {
        let (a, b) = ([1.0, -2.0, 0.5, 3.0], [0.25, 1.0, -1.5, 2.0]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        assert!((dot(&mix(&a, 0.3), &b) - dot(&a, &unmix(&b, 0.3))).abs() < 1e-6);
    }

    #[test]
    fn shares_have_the_mean_and_the_spread_of_a_beta() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let shares: Vec<f32> = (0..20_000).map(|_| share(0.5, &mut rng)).collect();
        let mean = shares.iter().sum::<f32>() / 20_000.0;
        let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!((mean - 0.5).abs() < 0.01 && (variance - 0.125).abs() < 0.005, "{mean} {variance}");
    }
}
