//! Fine-tune a decoder's label margin: logit(positive) − logit(negative) at the last token, against any loss.

use super::batch::{Batch, Draw, Lessons};
use super::curriculum::{self, Phase};
use super::{TrainSpec, co_teaching, evolution, head, loss, mixup};
use crate::error::MethodError;
use crate::recipe::{Curriculum, LossKind, ObjectiveKind};
use crate::student::Artefact;
use aar_lm::{AdamW, Decoder, LoraConfig, Rows, Schedule, Scope, Trainer};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Tells the stream of mixing shares from that of rows.
const MIXING: u64 = 0x6a09_e667_f3bc_c909;

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
    if spec.objective.kind.is_readout() {
        return head::of_decoder(model, rows, turned, spec, threads);
    }
    let lessons = Lessons { rows, turned, spec };
    if spec.objective.kind == ObjectiveKind::Evolution {
        return evolution::run(model, &lessons, labels, threads);
    }
    if spec.objective.loss == LossKind::CoTeaching {
        return co_teaching::run(model, &lessons, labels, threads);
    }
    let ranked = match spec.curriculum {
        Curriculum::None => vec![],
        _ => curriculum::easiest_first(spec.weak),
    };
    let mut draw = Draw::new(rows.len(), spec.seed);
    let mut mixing = ChaCha8Rng::seed_from_u64(spec.seed ^ MIXING);
    let (mut trainer, mut done) = (None, 0);
    for phase in curriculum::phases(spec.curriculum, spec.steps) {
        let mut at = match trainer {
            None => start(model, spec, phase.steps, phase.rate, spec.seed, threads),
            Some(before) => go_on(model, before, spec, &phase, threads),
        };
        for step in 0..phase.steps {
            let count = spec.batch.min(rows.len());
            let share = (phase.share)(step as f32 / phase.steps as f32);
            let picks = if share < 1.0 {
                let easy = ((share * rows.len() as f32).ceil() as usize).clamp(1, rows.len());
                draw.among(&ranked[..easy], count, turned.is_some())
            } else {
                draw.next(count, turned.is_some())
            };
            let alpha = spec.objective.mixup;
            let mixed = (alpha > 0.0).then(|| mixup::share(alpha, &mut mixing));
            let progress = done as f32 / spec.steps as f32;
            let loss = self::step(&mut at, &lessons.batch(&picks), labels, spec, mixed, progress)?;
            (spec.on_step)(done as u32, loss);
            done += 1;
        }
        trainer = Some(at);
    }
    Ok(trainer.map_or(Artefact::Base, finish))
}

fn settings(spec: &TrainSpec<'_>, steps: usize, rate: f32) -> (AdamW, Schedule) {
    (optimizer(spec.learning_rate * rate, spec.weight_decay), schedule(steps))
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

/// A model about to be trained for `steps` steps; `rate` is a factor on the learning rate.
pub(crate) fn start(
    model: &Decoder,
    spec: &TrainSpec<'_>,
    steps: usize,
    rate: f32,
    seed: u64,
    threads: usize,
) -> Trainer {
    let scope = match spec.objective.kind {
        ObjectiveKind::Adapter | ObjectiveKind::Evolution => adapter(spec.objective.rank),
        _ => Scope::Full,
    };
    let (optimizer, schedule) = settings(spec, steps, rate);
    Trainer::new(model.clone(), scope, optimizer, schedule, threads, seed)
}

/// The next phase, from where the last one ended, with fresh moments.
fn go_on(model: &Decoder, before: Trainer, spec: &TrainSpec<'_>, phase: &Phase, threads: usize) -> Trainer {
    let (optimizer, schedule) = settings(spec, phase.steps, phase.rate);
    match before.adapter() {
        Some(adapter) => Trainer::resume_adapter(model.clone(), adapter.clone(), optimizer, schedule, threads),
        None => Trainer::new(before.into_model(), Scope::Full, optimizer, schedule, threads, spec.seed),
    }
}

/// One step; returns the loss before it.
pub(crate) fn step(
    trainer: &mut Trainer,
    batch: &Batch,
    labels: [u32; 2],
    spec: &TrainSpec<'_>,
    mixed: Option<f32>,
    progress: f32,
) -> Result<f32, MethodError> {
    let mut loss = |logits: &[f32], dlogits: &mut [f32]| {
        let margins = loss::margins(logits);
        loss::step(spec.objective, mixed, (&margins, &batch.targets, &batch.weights), progress, dlogits)
    };
    Ok(trainer.step_last(&batch.rows, &labels, &mut loss)?.loss)
}

/// What a training leaves.
pub(crate) fn finish(trainer: Trainer) -> Artefact {
    match trainer.adapter() {
        Some(adapter) => Artefact::Adapter(adapter.clone()),
        None => Artefact::Full(trainer.into_model()),
    }
}
