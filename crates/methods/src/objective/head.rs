//! Train a linear readout of frozen states (Alain and Bengio 2016): logistic regression on contrast features.

use super::{TrainSpec, co_teaching, loss, means, mixup};
use crate::error::MethodError;
use crate::readout::{Fit, Readout};
use crate::recipe::{LossKind, Objective, ObjectiveKind};
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

/// Fits in turn that a loss needs whose pull depends on the readout itself.
const TURNS: usize = 5;

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
    let width = features.width;
    let mixed = (spec.objective.mixup > 0.0)
        .then(|| mixup::rows(&features.values, width, spec.targets, spec.objective.mixup, &mut rng));
    let (values, targets) = match &mixed {
        Some((values, targets)) => (&values[..], &targets[..]),
        None => (&features.values[..], spec.targets),
    };
    let all = Fit { features: values, width, targets, weights: &weights, l2, intercept };
    let readout = match (spec.objective.kind, spec.objective.loss) {
        (ObjectiveKind::Means, _) => means::readout(values, width, targets, &weights, intercept),
        (_, LossKind::CoTeaching) => {
            co_teaching::readout(&Fit { weights: spec.weights, ..all }, spec.objective.forget, spec.seed)
        }
        _ => in_turns(&all, spec.objective),
    };
    if !readout.weight.iter().all(|w| w.is_finite()) {
        return Err(aar_lm::LmError::NonFinite { step: 1, what: "loss" }.into());
    }
    (spec.on_step)(0, 0.0);
    Ok(Artefact::Head(Head { readout }))
}

/// Weighted regressions in turn against the pull of any loss at the readout so far (iteratively reweighted).
fn in_turns(all: &Fit<'_>, objective: &Objective) -> Readout {
    let turns = match objective.loss {
        LossKind::Xent => 0,
        // It has no warm-up to speak of: harden its own answers twice, at full weight.
        LossKind::Confidence => 2,
        _ => TURNS,
    };
    let mut readout = all.run();
    for _ in 0..turns {
        let pull = loss::pull(objective, &readout.margins(all.features), all.targets, 1.0);
        let weights: Vec<f32> = all.weights.iter().zip(&pull.factors).map(|(weight, factor)| weight * factor).collect();
        // A regression has no answer to a target that is no probability.
        let targets: Vec<f32> = pull.targets.iter().map(|target| target.clamp(0.0, 1.0)).collect();
        let next = Fit { targets: &targets, weights: &weights, ..*all };
        readout = if turns == TURNS { next.run_from(&readout) } else { next.run() };
    }
    readout
}
