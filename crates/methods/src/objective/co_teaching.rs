//! Co-teaching (Han et al. 2018, arXiv 1804.06872, algorithm 1): two students, each of which learns what the *other* finds easy. A network
//! learns clean rows first, so small losses mark clean rows; that two pick for each other keeps a student from
//! confirming its own errors. The share kept is R(T) = 1 − min(τ T / T_k, τ), τ being `forget` and T_k a third of the steps.
//!
//! Theirs differ by their first weights and see the same batches. Ours start from the same student, so they see rows in
//! different orders (readouts: different bootstrap samples), or they would stay one. The first is kept.

use super::batch::{Draw, Lessons};
use super::{finetune, loss};
use crate::error::MethodError;
use crate::readout::{Fit, Readout};
use crate::student::Artefact;
use aar_lm::Decoder;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Part of the training over which the share left out grows.
const WARM_UP: f32 = 1.0 / 3.0;
/// Times that two readouts pick for each other.
const ROUNDS: usize = 6;
/// Tells the second student's draws from the first's.
const OTHER: u64 = 0x517c_c1b7_2722_0a95;

/// R(T): the share of rows kept when `progress` of the training is done.
pub fn kept(forget: f32, progress: f32) -> f32 {
    1.0 - forget * (progress / WARM_UP).min(1.0)
}

/// Places of the smallest `share` of the losses, at least one, in their order.
pub fn easiest(losses: &[f32], share: f32) -> Vec<usize> {
    let count = ((losses.len() as f32 * share).round() as usize).clamp(1, losses.len());
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
    order.truncate(count);
    order.sort_unstable();
    order
}

fn losses(margins: &[f32], targets: &[f32]) -> Vec<f32> {
    margins.iter().zip(targets).map(|(&margin, &target)| loss::cross_entropy(margin, target)).collect()
}

/// Train two decoders from `model`.
pub fn run(model: &Decoder, lessons: &Lessons<'_>, labels: [u32; 2], threads: usize) -> Result<Artefact, MethodError> {
    let spec = lessons.spec;
    let seeds = [spec.seed, spec.seed ^ OTHER];
    let mut students = seeds.map(|seed| finetune::start(model, spec, spec.steps, 1.0, seed, threads));
    let mut draws = seeds.map(|seed| Draw::new(lessons.rows.len(), seed));
    for step in 0..spec.steps {
        let progress = step as f32 / spec.steps as f32;
        let share = kept(spec.objective.forget, progress);
        // What each finds easy, of a batch of its own.
        let mut picks = Vec::with_capacity(2);
        for (student, draw) in students.iter().zip(&mut draws) {
            let drawn = draw.next(spec.batch.min(lessons.rows.len()), lessons.turned.is_some());
            let batch = lessons.batch(&drawn);
            let margins = loss::margins(&student.model().last_logits(&batch.rows, &labels, threads));
            let easy = easiest(&losses(&margins, &batch.targets), share);
            picks.push(easy.into_iter().map(|i| drawn[i]).collect::<Vec<_>>());
        }
        for (student, picks) in students.iter_mut().zip(picks.iter().rev()) {
            let batch = lessons.batch(picks);
            let report = finetune::step(student, &batch, labels, spec, None, progress)?;
            (spec.on_step)(step as u32, report);
        }
    }
    let [first, _] = students;
    Ok(finetune::finish(first))
}

/// Two readouts, each fitted on a bootstrap sample of what the other finds easy. `fit` holds all rows with their weights.
pub fn readout(fit: &Fit<'_>, forget: f32, seed: u64) -> Readout {
    let rows = fit.targets.len();
    let samples = [seed, seed ^ OTHER].map(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut weights = vec![0.0f32; rows];
        for _ in 0..rows {
            let drawn = rng.random_range(0..rows);
            weights[drawn] += fit.weights[drawn];
        }
        weights
    });
    let on = |sample: &[f32], easy: &[usize]| {
        let mut weights = vec![0.0; rows];
        easy.iter().for_each(|&i| weights[i] = sample[i]);
        Fit { weights: &weights, ..*fit }.run()
    };
    let all: Vec<usize> = (0..rows).collect();
    let mut pair = [on(&samples[0], &all), on(&samples[1], &all)];
    for round in 1..=ROUNDS {
        let share = kept(forget, round as f32 / ROUNDS as f32);
        let easy = pair.each_ref().map(|student| easiest(&losses(&student.margins(fit.features), fit.targets), share));
        pair = [on(&samples[0], &easy[1]), on(&samples[1], &easy[0])];
    }
    let [first, _] = pair;
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::loss::tests::FarOut;

    /// Wrong labels far out turn a regression past half of the rows. They are what the other readout finds hardest; without
    /// them the line is right.
    #[test]
    fn wrong_labels_are_hard_for_the_other_student() {
        let set = FarOut::new();
        let fit = set.fit(&[1.0; 160]);
        for seed in 0..5 {
            assert_eq!((set.right(&fit.run()), set.right(&readout(&fit, 0.2, seed))), (0.5, 1.0), "seed {seed}");
        }
    }

    #[test]
    fn the_share_kept_falls_and_then_stays() {
        assert_eq!([0.0, 1.0 / 6.0, 1.0 / 3.0, 1.0].map(|progress| kept(0.4, progress)), [1.0, 0.8, 0.6, 0.6]);
        assert_eq!(easiest(&[0.3, 0.1, 0.9, 0.2], 0.5), [1, 3]);
        assert_eq!(easiest(&[0.3], 0.1), [0]);
    }
}
