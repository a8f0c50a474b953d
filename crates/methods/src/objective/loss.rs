//! All losses in one form: at a margin m, each pulls like a cross-entropy with a factor and a target of its own,
//! dL/dm = factor · (σ(m) − target). So a decoder takes its gradient from here, and a readout is fitted by weighted
//! regressions in turn.

use super::{confidence_loss, entropy, generalised, mixup, product, reverse_kl, symmetric};
use crate::pool::sigmoid;
use crate::recipe::{LossKind, Objective};

/// Where a loss pulls each row, `[rows]`.
pub struct Pull {
    /// Towards this probability.
    pub targets: Vec<f32>,
    /// So strongly, plain cross-entropy being 1.
    pub factors: Vec<f32>,
}

/// The pull on `margins` with these `targets`, all `[rows]`, when `progress` of the training is done.
pub fn pull(objective: &Objective, margins: &[f32], targets: &[f32], progress: f32) -> Pull {
    let rows = |one: &dyn Fn(f32, f32) -> (f32, f32)| {
        let (factors, targets) = margins.iter().zip(targets).map(|(&margin, &target)| one(margin, target)).unzip();
        Pull { targets, factors }
    };
    let towards = |targets: Vec<f32>| Pull { factors: vec![1.0; targets.len()], targets };
    match objective.loss {
        // Co-teaching is a choice of rows.
        LossKind::Xent | LossKind::CoTeaching => towards(targets.to_vec()),
        LossKind::Confidence => towards(confidence_loss::targets(margins, targets, objective.aux, progress)),
        LossKind::Generalised => rows(&generalised::pull),
        LossKind::Symmetric => rows(&symmetric::pull),
        LossKind::Entropy => rows(&|margin, target| entropy::pull(margin, target, objective.aux, progress)),
        LossKind::Product => rows(&product::pull),
        LossKind::ReverseKl => rows(&reverse_kl::pull),
    }
}

/// The two labels' own weights joined: a loss that weighs label k by `weight(P(k))` has this factor and target.
pub fn by_label(margin: f32, target: f32, weight: impl Fn(f64) -> f64) -> (f32, f32) {
    let (margin, target) = (f64::from(margin), f64::from(target));
    let positive = target * weight(1.0 / (1.0 + (-margin).exp()));
    let negative = (1.0 - target) * weight(1.0 / (1.0 + margin.exp()));
    let factor = positive + negative;
    (factor as f32, if factor > 0.0 { (positive / factor) as f32 } else { target as f32 })
}

/// One batch's step: `dlogits [rows, 2]` gets the gradient, the loss of the equivalent cross-entropy is returned. `share` mixes rows ([`mixup`]).
pub fn step(
    objective: &Objective,
    share: Option<f32>,
    rows: (&[f32], &[f32], &[f32]),
    progress: f32,
    dlogits: &mut [f32],
) -> f32 {
    let (margins, targets, weights) = rows;
    let Some(share) = share else {
        let pull = pull(objective, margins, targets, progress);
        let weights: Vec<f32> = weights.iter().zip(&pull.factors).map(|(weight, factor)| weight * factor).collect();
        return binary_cross_entropy(margins, &pull.targets, &weights, dlogits);
    };
    let [margins, targets, weights] = [margins, targets, weights].map(|values| mixup::mix(values, share));
    let loss = step(objective, None, (&margins, &targets, &weights), progress, dlogits);
    let slopes: Vec<f32> = dlogits.chunks_exact(2).map(|pair| pair[0]).collect();
    for (pair, slope) in dlogits.chunks_exact_mut(2).zip(mixup::unmix(&slopes, share)) {
        pair.copy_from_slice(&[slope, -slope]);
    }
    loss
}

/// Margins of the two label words' logits `[rows, 2]`, `[rows]`.
pub fn margins(logits: &[f32]) -> Vec<f32> {
    logits.chunks_exact(2).map(|pair| pair[0] - pair[1]).collect()
}

/// Binary cross-entropy against soft targets `[batch]`: weighted mean over the batch; `dlogits [batch, 2]` gets its gradient. Divided by the batch's size, not its
/// weight, so that a batch of light rows makes a light step.
pub fn binary_cross_entropy(margins: &[f32], targets: &[f32], weights: &[f32], dlogits: &mut [f32]) -> f32 {
    let n = margins.len() as f32;
    let mut loss = 0.0;
    for (i, ((&margin, &target), &weight)) in margins.iter().zip(targets).zip(weights).enumerate() {
        loss += weight * cross_entropy(margin, target) / n;
        let slope = weight * (sigmoid(margin) - target) / n;
        dlogits[2 * i] = slope;
        dlogits[2 * i + 1] = -slope;
    }
    loss
}

/// −target · ln σ(m) − (1 − target) · ln σ(−m).
pub fn cross_entropy(margin: f32, target: f32) -> f32 {
    margin.max(0.0) + (-margin.abs()).exp().ln_1p() - target * margin
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::readout::{Fit, Readout};

    /// Long and Servedio's set (2010, section 4): a row far out, one less far, and two near the boundary that pull elsewhere; one label in
    /// five is wrong. Every row is right by (1, 0), but a convex loss cares more for wrong labels far out than for the two.
    pub struct FarOut {
        /// `[160, 2]`.
        pub features: Vec<f32>,
        /// One in five is 0.
        pub targets: Vec<f32>,
    }

    impl FarOut {
        pub fn new() -> Self {
            let kinds = [[1.0, 0.0], [0.05, -0.05], [0.05, -0.05], [0.05, 0.25]];
            let features = kinds.iter().flat_map(|kind| kind.repeat(40)).collect();
            Self { features, targets: (0..160).map(|i| if i % 40 < 8 { 0.0 } else { 1.0 }).collect() }
        }

        /// A regression's settings, all rows alike.
        pub fn fit<'a>(&'a self, weights: &'a [f32]) -> Fit<'a> {
            Fit { features: &self.features, width: 2, targets: &self.targets, weights, l2: 1e-3, intercept: false }
        }

        /// Share of the rows whose true label a readout gives.
        pub fn right(&self, readout: &Readout) -> f32 {
            readout.margins(&self.features).iter().filter(|margin| **margin > 0.0).count() as f32 / 160.0
        }
    }

    /// Share of the far-out set that a readout has right when fitted with the loss.
    pub fn far_out(loss: LossKind) -> f32 {
        let (set, objective) = (FarOut::new(), Objective { loss, ..Objective::default() });
        let mut readout = set.fit(&[1.0; 160]).run();
        for _ in 0..5 {
            let pull = pull(&objective, &readout.margins(&set.features), &set.targets, 1.0);
            readout = Fit { targets: &pull.targets, ..set.fit(&pull.factors) }.run();
        }
        set.right(&readout)
    }

    /// A student that knows each item by itself: margins that start at `prior` follow the loss alone. Returns them.
    pub fn descend(objective: &Objective, prior: &[f32], targets: &[f32]) -> Vec<f32> {
        let mut margins = prior.to_vec();
        for step in 0..400 {
            let pull = pull(objective, &margins, targets, step as f32 / 400.0);
            for ((margin, target), factor) in margins.iter_mut().zip(&pull.targets).zip(&pull.factors) {
                *margin -= 0.05 * factor * (sigmoid(*margin) - target);
            }
        }
        margins
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (margins, targets, weights) = ([0.3f32, -2.0, 5.0], [0.9f32, 0.1, 0.5], [1.0f32, 2.0, 0.5]);
        let plain = Objective::default();
        for share in [None, Some(0.3)] {
            let mut gradient = [0.0; 6];
            step(&plain, share, (&margins, &targets, &weights), 1.0, &mut gradient);
            for i in 0..3 {
                let at = |delta: f32| {
                    let mut moved = margins;
                    moved[i] += delta;
                    step(&plain, share, (&moved, &targets, &weights), 1.0, &mut [0.0; 6])
                };
                let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((numeric - gradient[2 * i]).abs() < 1e-4, "{numeric} {}", gradient[2 * i]);
                assert_eq!(gradient[2 * i], -gradient[2 * i + 1]);
            }
        }
    }
}
