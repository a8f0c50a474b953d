//! Train a linear readout of frozen states (Alain and Bengio 2016): logistic regression on contrast features.

use super::{TrainSpec, confidence_loss, means};
use crate::error::MethodError;
use crate::readout::{Fit, Readout};
use crate::recipe::LossKind;
use crate::student::head::Head;
use crate::student::{Artefact, Features};
use aar_domain::problem::{Problem, Task};
use aar_lm::{Decoder, Pooling, Rows};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Penalty of a decoder's readout: its states have width about 100 and unit scale.
const DECODER_L2: f32 = 1e-2;

/// A readout of an encoder's features; the problem's weight decay is the penalty.
pub fn run(features: &Features, problem: &Problem, spec: &TrainSpec<'_>) -> Result<Artefact, MethodError> {
    fit(features, problem.task == Task::Binary, spec.weight_decay, spec)
}

/// A readout of a decoder's last state. Without `turned` rows it is not antisymmetric, so pairs always have them.
pub fn of_decoder(
    model: &Decoder,
    rows: &Rows,
    turned: Option<&Rows>,
    spec: &TrainSpec<'_>,
    threads: usize,
) -> Result<Artefact, MethodError> {
    let layer = model.config.num_hidden_layers;
    let mut values = model.hidden(rows, &[layer], Pooling::Last, threads);
    if let Some(turned) = turned {
        let other = model.hidden(turned, &[layer], Pooling::Last, threads);
        values.iter_mut().zip(other).for_each(|(a, b)| *a -= b);
    }
    fit(&Features { values, width: model.config.hidden_size }, turned.is_none(), DECODER_L2, spec)
}

/// Seeds matter to a convex problem only through the rows: each seed fits a bootstrap sample, as an ensemble needs.
fn fit(features: &Features, intercept: bool, l2: f32, spec: &TrainSpec<'_>) -> Result<Artefact, MethodError> {
    if spec.items.is_empty() {
        return Err(MethodError::NotApplicable("the selection left no rows to train on".into()));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(spec.seed);
    let mut weights = vec![0.0; spec.items.len()];
    for _ in 0..spec.items.len() {
        let drawn = rng.random_range(0..spec.items.len());
        weights[drawn] += spec.weights[drawn];
    }
    let solve = |targets: &[f32]| -> Readout {
        if spec.loss == LossKind::Means {
            return means::readout(&features.values, features.width, targets, &weights, intercept);
        }
        Fit { features: &features.values, width: features.width, targets, weights: &weights, l2, intercept }.run()
    };
    let mut readout = solve(spec.targets);
    if spec.loss == LossKind::Confidence {
        // A convex readout has no warm-up to speak of: harden its own answers twice, at full weight.
        for _ in 0..2 {
            let margins = readout.margins(&features.values);
            readout = solve(&confidence_loss::targets(&margins, spec.targets, spec.aux, 1.0));
        }
    }
    if !readout.weight.iter().all(|w| w.is_finite()) {
        return Err(aar_lm::LmError::NonFinite { step: 1, what: "loss" }.into());
    }
    (spec.on_step)(0, 0.0);
    Ok(Artefact::Head(Head { readout }))
}
