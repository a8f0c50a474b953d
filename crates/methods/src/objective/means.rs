//! Difference in means ("mass-mean probing", Marks and Tegmark 2023, arXiv 2310.06824, section 5): the readout's direction is the
//! mean of the positive rows' features less that of the negative ones. Nothing is fitted, so wrong labels only shorten
//! the direction; a logistic regression with as many features as rows bends towards each of them.

use crate::readout::Readout;

/// The readout. `features [rows, width]`; `targets` and `weights [rows]`. Without `intercept` rows are contrasts of
/// pairs: a negative row is a positive one with its sign turned. Scaled to a root mean square of 1 over the rows.
pub fn readout(features: &[f32], width: usize, targets: &[f32], weights: &[f32], intercept: bool) -> Readout {
    let (mut positive, mut negative) = (vec![0.0f32; width], vec![0.0f32; width]);
    let (mut yes, mut no) = (1e-6f32, 1e-6f32);
    for ((row, &target), &weight) in features.chunks_exact(width).zip(targets).zip(weights) {
        aar_lm::rows::add_scaled(&mut positive, row, weight * target);
        aar_lm::rows::add_scaled(&mut negative, row, weight * (1.0 - target));
        yes += weight * target;
        no += weight * (1.0 - target);
    }
    let mean = |sum: &[f32], count: f32| sum.iter().map(|x| x / count).collect::<Vec<f32>>();
    let (positive, negative) = match intercept {
        true => (mean(&positive, yes), mean(&negative, no)),
        false => (mean(&positive, yes + no), mean(&negative, yes + no)),
    };
    let weight: Vec<f32> = positive.iter().zip(&negative).map(|(a, b)| a - b).collect();
    // The boundary lies halfway between the means.
    let middle: f32 = weight.iter().zip(positive.iter().zip(&negative)).map(|(w, (a, b))| w * (a + b) / 2.0).sum();
    let mut readout = Readout { weight, bias: if intercept { -middle } else { 0.0 } };
    let margins = readout.margins(features);
    let spread = (margins.iter().map(|m| m * m).sum::<f32>() / margins.len().max(1) as f32).sqrt().max(1e-9);
    readout.weight.iter_mut().for_each(|w| *w /= spread);
    readout.bias /= spread;
    readout
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// As many features as rows, three labels in ten wrong: a regression learns the errors by heart, means do not.
    #[test]
    fn wrong_labels_in_wide_features_bend_a_regression_and_not_the_means() {
        let (width, rows) = (200, 200);
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut draw = |rows: usize| {
            let truth: Vec<f32> = (0..rows).map(|_| f32::from(u8::from(rng.random::<bool>()))).collect();
            let noise = |rng: &mut ChaCha8Rng| (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
            let features: Vec<f32> = truth
                .iter()
                .flat_map(|t| {
                    (0..width).map(|i| noise(&mut rng) + if i < 4 { 1.2 * (t - 0.5) } else { 0.0 }).collect::<Vec<_>>()
                })
                .collect();
            (features, truth)
        };
        let ((features, truth), (fresh, answers)) = (draw(rows), draw(2000));
        let targets: Vec<f32> = truth.iter().enumerate().map(|(i, t)| if i % 10 < 3 { 1.0 - t } else { *t }).collect();
        let weights = vec![1.0; rows];
        let accuracy = |readout: &Readout| {
            let right =
                readout.margins(&fresh).iter().zip(&answers).filter(|(m, a)| (**m > 0.0) == (**a > 0.5)).count();
            right as f32 / answers.len() as f32
        };
        let means = accuracy(&readout(&features, width, &targets, &weights, true));
        let fit = Fit { features: &features, width, targets: &targets, weights: &weights, l2: 1e-3, intercept: true };
        let fitted = accuracy(&fit.run());
        assert!(means > fitted + 0.02, "means {means}, regression {fitted}");
    }

    #[test]
    fn contrasts_of_swapped_pairs_give_the_same_direction() {
        let features = [1.0, 0.5, -0.2, 2.0];
        let turned = [-1.0, -0.5, -0.2, 2.0];
        let (a, b) =
            (readout(&features, 2, &[1.0, 0.0], &[1.0; 2], false), readout(&turned, 2, &[0.0, 0.0], &[1.0; 2], false));
        assert!(a.weight.iter().zip(&b.weight).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
        assert_eq!(a.bias, 0.0);
    }
}
