//! Fine-tune a decoder's label margin: binary cross-entropy of logit(positive) − logit(negative) at the last token.

use super::{TrainSpec, confidence_loss, head};
use crate::error::MethodError;
use crate::pool::sigmoid;
use crate::recipe::{LossKind, ObjectiveKind};
use crate::student::Artefact;
use aar_lm::{AdamW, Decoder, LoraConfig, Rows, Schedule, Scope, Trainer};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Train from `model`. `turned` holds the rows in the other order, where swapping is asked for.
pub fn run(
    model: &Decoder,
    rows: &Rows,
    turned: Option<&Rows>,
    labels: [u32; 2],
    spec: &TrainSpec<'_>,
    threads: usize,
) -> Result<Artefact, MethodError> {
    if rows.is_empty() {
        return Err(MethodError::NotApplicable("the selection left no rows to train on".into()));
    }
    if spec.kind == ObjectiveKind::Head {
        return head::of_decoder(model, rows, turned, spec, threads);
    }
    let optimizer = optimizer(spec.learning_rate, spec.weight_decay);
    let scope = match spec.kind {
        ObjectiveKind::Adapter => adapter(spec.rank),
        _ => Scope::Full,
    };
    let schedule = schedule(spec.steps);
    let mut trainer = Trainer::new(model.clone(), scope, optimizer, schedule, threads, spec.seed);
    let mut draw = Draw::new(rows.len(), spec.seed);
    for step in 0..spec.steps {
        let batch = draw.next(spec.batch.min(rows.len()), turned.is_some());
        let drawn: Rows = batch
            .iter()
            .map(|&(i, swap)| match turned {
                Some(turned) if swap => turned.row(i),
                _ => rows.row(i),
            })
            .collect();
        let target = |&(i, swap): &(usize, bool)| {
            if swap { 1.0 - spec.targets[i] } else { spec.targets[i] }
        };
        let targets: Vec<f32> = batch.iter().map(target).collect();
        let weights: Vec<f32> = batch.iter().map(|&(i, _)| spec.weights[i]).collect();
        let progress = step as f32 / spec.steps as f32;
        let mut loss = |logits: &[f32], dlogits: &mut [f32]| {
            let margins: Vec<f32> = logits.chunks_exact(2).map(|pair| pair[0] - pair[1]).collect();
            let targets = match spec.loss {
                // Means are a readout's only, which a recipe's check has made sure of.
                LossKind::Xent | LossKind::Means => targets.clone(),
                LossKind::Confidence => confidence_loss::targets(&margins, &targets, spec.aux, progress),
            };
            binary_cross_entropy(&margins, &targets, &weights, dlogits)
        };
        let report = trainer.step_last(&drawn, &labels, &mut loss)?;
        (spec.on_step)(step as u32, report.loss);
    }
    Ok(match trainer.adapter() {
        Some(adapter) => Artefact::Adapter(adapter.clone()),
        None => Artefact::Full(trainer.into_model()),
    })
}

/// The optimizer of every training here.
pub fn optimizer(lr: f32, weight_decay: f32) -> AdamW {
    AdamW { lr, betas: (0.9, 0.98), eps: 1e-8, weight_decay, clip: Some(1.0) }
}

/// Up over a tenth of the steps, then straight down.
pub fn schedule(steps: usize) -> Schedule {
    Schedule::Linear { warmup: (steps / 10).max(1), total: steps }
}

/// An adapter of all projections.
pub fn adapter(rank: usize) -> Scope {
    Scope::Lora(LoraConfig::all(rank, 2.0 * rank as f32))
}

/// Binary cross-entropy against soft targets `[batch]`: weighted mean over the batch; `dlogits [batch, 2]` gets its gradient. Divided by the batch's size, not its
/// weight, so that a batch of light rows makes a light step.
pub fn binary_cross_entropy(margins: &[f32], targets: &[f32], weights: &[f32], dlogits: &mut [f32]) -> f32 {
    let n = margins.len() as f32;
    let mut loss = 0.0;
    for (i, ((&margin, &target), &weight)) in margins.iter().zip(targets).zip(weights).enumerate() {
        let softplus = margin.max(0.0) + (-margin.abs()).exp().ln_1p();
        loss += weight * (softplus - target * margin) / n;
        let slope = weight * (sigmoid(margin) - target) / n;
        dlogits[2 * i] = slope;
        dlogits[2 * i + 1] = -slope;
    }
    loss
}

/// Rows in a fresh random order each epoch.
struct Draw {
    order: Vec<usize>,
    at: usize,
    rng: ChaCha8Rng,
}

impl Draw {
    fn new(rows: usize, seed: u64) -> Self {
        Self { order: (0..rows).collect(), at: rows, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Indices with a coin for swapping; the coin is only tossed where it is used.
    fn next(&mut self, count: usize, coin: bool) -> Vec<(usize, bool)> {
        (0..count)
            .map(|_| {
                if self.at == self.order.len() {
                    self.order.shuffle(&mut self.rng);
                    self.at = 0;
                }
                self.at += 1;
                (self.order[self.at - 1], coin && self.rng.random::<bool>())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (margins, targets, weights) = ([0.3f32, -2.0, 5.0], [0.9f32, 0.1, 0.5], [1.0f32, 2.0, 0.5]);
        let mut gradient = [0.0; 6];
        binary_cross_entropy(&margins, &targets, &weights, &mut gradient);
        for i in 0..3 {
            let at = |delta: f32| {
                let mut moved = margins;
                moved[i] += delta;
                binary_cross_entropy(&moved, &targets, &weights, &mut [0.0; 6])
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((numeric - gradient[2 * i]).abs() < 1e-4, "{numeric} {}", gradient[2 * i]);
            assert_eq!(gradient[2 * i], -gradient[2 * i + 1]);
        }
    }

    #[test]
    fn every_row_is_drawn_once_per_epoch() {
        let mut draw = Draw::new(10, 1);
        let mut seen: Vec<usize> = (0..5).flat_map(|_| draw.next(2, false)).map(|(i, _)| i).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
}
