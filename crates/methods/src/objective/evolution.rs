//! An adapter that is warmed up by gradients and goes on without (one of the published study's agents; evolution strategies: Salimans
//! et al. 2017, arXiv 1703.03864, algorithm 1, with their antithetic pairs and centred ranks).
//!
//! Rows are drawn anew in proportion to their weights, which are agreement where `weight.rule` is; the warm-up learns them. Then θ, the
//! adapter's weights, climbs the fitness of its answers on batches of them,
//!
//!   F(θ) = mean over rows of  t r + (1 − t)(1 − r)  −  (p + q − 1)² − min(p, q)²,   r = ½ (p + 1 − q),
//!
//! t the target, p = P(first is better), q that of the pair in the other order: agreement with the labels less CCS's doubt of a row, so
//! who answers by place, which no label forbids, is less fit. A binary item has no other order: q = 1 − p, the doubt
//! being that of margins less the batch's median, lest everything be answered alike.

use super::TrainSpec;
use super::batch::{Draw, Lessons, Pick};
use super::{finetune, loss};
use crate::ccs;
use crate::error::MethodError;
use crate::student::{Artefact, centred};
use aar_lm::{Decoder, Rows, normal};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Factor on the warm-up's learning rate: few weights want a higher one than all (Biderman et al. 2024, arXiv 2405.09673).
const RATE: f32 = 3.0;
/// Antithetic pairs of a generation.
const PAIRS: usize = 8;
/// Spread of a member's weights around θ.
const SPREAD: f32 = 0.01;
/// Spreads that a generation moves per unit of utility times noise.
const STEP: f32 = 10.0;
/// What all generations cost, in trainings as long as the warm-up.
const COST: f32 = 1.5;
/// Tells the streams of this search from those of the warm-up.
const STREAM: u64 = 0x3c6e_f372_fe94_f82b;

/// Train from `model`.
pub fn run(model: &Decoder, lessons: &Lessons<'_>, labels: [u32; 2], threads: usize) -> Result<Artefact, MethodError> {
    let Lessons { rows, turned, spec } = *lessons;
    let mut rng = ChaCha8Rng::seed_from_u64(spec.seed ^ STREAM);
    let drawn = resample(spec.weights, &mut rng);
    let even = TrainSpec { weights: &vec![1.0; rows.len()], ..*spec };
    let lessons = Lessons { rows, turned: turned.filter(|_| spec.swap_augment), spec: &even };
    let mut draw = Draw::new(drawn.len(), spec.seed);
    let mut batch = |swap: bool| -> Vec<Pick> {
        let picks = draw.next(spec.batch.min(drawn.len()), swap);
        picks.into_iter().map(|(at, swap)| (drawn[at], swap)).collect()
    };
    let mut trainer = finetune::start(model, spec, spec.steps, RATE, spec.seed, threads);
    for step in 0..spec.steps {
        let picks = lessons.batch(&batch(lessons.turned.is_some()));
        let loss = finetune::step(&mut trainer, &picks, labels, &even, None, step as f32 / spec.steps as f32)?;
        (spec.on_step)(step as u32, loss);
    }
    let mut theta = trainer.trained().to_vec();
    // A step of training reads a batch once and goes back over it, which costs twice that; a member reads it in every order.
    let readings = 2 * PAIRS * if turned.is_some() { 2 } else { 1 };
    for generation in 0..(COST * 3.0 * spec.steps as f32 / readings as f32).round() as usize {
        let picks = batch(false);
        let part = |of: &Rows| -> Rows { picks.iter().map(|&(i, _)| of.row(i)).collect() };
        let (written, other) = (part(rows), turned.map(part));
        let targets: Vec<f32> = picks.iter().map(|&(i, _)| spec.targets[i]).collect();
        let mut fit = |theta: &[f32]| {
            trainer.set_trained(theta);
            let ask = |rows: &Rows| loss::margins(&trainer.model().last_logits(rows, &labels, threads));
            fitness(&ask(&written), other.as_ref().map(ask).as_deref(), &targets)
        };
        let best = climb(&mut theta, SPREAD, STEP, PAIRS, &mut rng, &mut fit);
        (spec.on_step)((spec.steps + generation) as u32, -best);
    }
    trainer.set_trained(&theta);
    Ok(finetune::finish(trainer))
}

/// As many rows as there are, in proportion to their weights, none more than one away from its share (systematic resampling, Kitagawa 1996).
pub fn resample(weights: &[f32], rng: &mut ChaCha8Rng) -> Vec<usize> {
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    if total <= 0.0 {
        return (0..weights.len()).collect();
    }
    let (mut drawn, mut reached) = (Vec::with_capacity(weights.len()), 0.0);
    let start = rng.random::<f64>();
    for (i, &weight) in weights.iter().enumerate() {
        reached += f64::from(weight) / total * weights.len() as f64;
        while drawn.len() < weights.len() && drawn.len() as f64 + start < reached {
            drawn.push(i);
        }
    }
    // Rounding may have left the sum a little short.
    drawn.resize(weights.len(), weights.len().saturating_sub(1));
    drawn
}

/// F of answers: margins as written and in the other order, and targets, all `[rows]`.
pub fn fitness(margins: &[f32], turned: Option<&[f32]>, targets: &[f32]) -> f32 {
    let sigmoid = |margin: f32| 1.0 / (1.0 + (-f64::from(margin)).exp());
    let middle = turned.map_or_else(|| centred(margins.to_vec()), <[f32]>::to_vec);
    let rows = margins.iter().zip(&middle).zip(targets).map(|((&margin, &other), &target)| {
        let p = sigmoid(margin);
        let (answer, doubt) = match turned {
            Some(_) => (0.5 * (p + 1.0 - sigmoid(other)), ccs::doubt(p, sigmoid(other))),
            None => (p, ccs::doubt(sigmoid(other), 1.0 - sigmoid(other))),
        };
        let target = f64::from(target);
        target * answer + (1.0 - target) * (1.0 - answer) - doubt
    });
    (rows.sum::<f64>() / margins.len().max(1) as f64) as f32
}

/// One generation: θ moves along the estimated gradient, and the best member's fitness is returned. Members are θ ± spread · ε, both of which are
/// measured on the same rows, so that nothing but θ differs.
pub fn climb(
    theta: &mut [f32],
    spread: f32,
    step: f32,
    pairs: usize,
    rng: &mut ChaCha8Rng,
    fitness: &mut dyn FnMut(&[f32]) -> f32,
) -> f32 {
    let (mut noise, mut found) = (Vec::with_capacity(pairs), Vec::with_capacity(2 * pairs));
    for _ in 0..pairs {
        let epsilon: Vec<f32> = theta.iter().map(|_| normal(rng)).collect();
        for sign in [spread, -spread] {
            let member: Vec<f32> = theta.iter().zip(&epsilon).map(|(t, e)| t + sign * e).collect();
            found.push(fitness(&member));
        }
        noise.push(epsilon);
    }
    let gradient = gradient(&noise, &utilities(&found), spread);
    theta.iter_mut().zip(gradient).for_each(|(t, g)| *t += step * spread * spread * g);
    found.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// Centred ranks, from −½ for the least fit to ½ for the fittest, `[members]`.
pub fn utilities(fitness: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..fitness.len()).collect();
    order.sort_by(|&a, &b| fitness[a].total_cmp(&fitness[b]));
    let mut out = vec![0.0; fitness.len()];
    for (rank, i) in order.into_iter().enumerate() {
        out[i] = rank as f32 / (fitness.len() - 1).max(1) as f32 - 0.5;
    }
    out
}

/// 1 / (n σ) Σ F ε over all n members, a pair's being ε and −ε: `noise [pairs][parameters]`, `utilities [2 · pairs]`.
pub fn gradient(noise: &[Vec<f32>], utilities: &[f32], spread: f32) -> Vec<f32> {
    let mut out = vec![0.0; noise.first().map_or(0, Vec::len)];
    for (epsilon, pair) in noise.iter().zip(utilities.chunks_exact(2)) {
        aar_lm::rows::add_scaled(&mut out, epsilon, (pair[0] - pair[1]) / (utilities.len() as f32 * spread));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;

    /// The teacher leans to whatever stands first and is wrong in a third of the rest. A readout of a pair in one order takes the leaning over,
    /// as its labels say; the answer to the other order contradicts it, so evolution gives it up, and what the contrast-consistent
    /// judge does not share counts for less.
    #[test]
    fn answers_by_place_are_given_up_and_doubted_labels_are_drawn_less() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let rows = 800;
        let signal: Vec<f32> = (0..rows).map(|_| normal(&mut rng)).collect();
        let targets: Vec<f32> =
            signal.iter().map(|x| f32::from(u8::from(x + 1.2 + 0.3 * normal(&mut rng) > 0.0))).collect();
        let agreed: Vec<f32> =
            signal.iter().zip(&targets).map(|(&x, &t)| if (x > 0.0) == (t > 0.5) { 1.0 } else { 0.3 }).collect();
        let weights = vec![1.0; rows];
        let fit = Fit { features: &signal, width: 1, targets: &targets, weights: &weights, l2: 1e-2, intercept: true };
        let plain = fit.run();
        // A student's two parameters: what it makes of the pair, which turns with it, and of its place, which does not.
        let mut theta = vec![plain.weight[0], plain.bias];
        let drawn = resample(&agreed, &mut rng);
        let labels: Vec<f32> = drawn.iter().map(|&i| targets[i]).collect();
        for _ in 0..60 {
            let mut fit = |theta: &[f32]| {
                let of =
                    |sign: f32| -> Vec<f32> { drawn.iter().map(|&i| sign * theta[0] * signal[i] + theta[1]).collect() };
                fitness(&of(1.0), Some(&of(-1.0)), &labels)
            };
            climb(&mut theta, 0.1, 10.0, 8, &mut rng, &mut fit);
        }
        let accuracy = |weight: f32, bias: f32| {
            signal.iter().filter(|x| (weight * **x + bias > 0.0) == (**x > 0.0)).count() as f32 / rows as f32
        };
        let (plain, evolved) = (accuracy(plain.weight[0], plain.bias), accuracy(theta[0], theta[1]));
        assert!(plain < 0.7 && evolved > 0.9, "plain {plain}, evolved {evolved} {theta:?}");
        let wrong =
            |of: &mut dyn Iterator<Item = usize>| of.filter(|&i| (signal[i] > 0.0) != (targets[i] > 0.5)).count();
        assert!(2 * wrong(&mut drawn.iter().copied()) < wrong(&mut (0..rows)) + rows / 50);
    }

    #[test]
    fn rows_are_drawn_in_proportion() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(resample(&[1.0; 5], &mut rng), [0, 1, 2, 3, 4]);
        let drawn = resample(&[0.0, 3.0, 1.0, 0.0], &mut rng);
        assert_eq!(drawn, [1, 1, 1, 2]);
        assert_eq!(resample(&[0.0; 3], &mut rng), [0, 1, 2]);
    }

    /// On a slope that is a plane the estimate points up it.
    #[test]
    fn the_estimate_points_uphill() {
        let mut theta = vec![0.0f32; 6];
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for _ in 0..200 {
            climb(&mut theta, 0.1, 1.0, 8, &mut rng, &mut |theta| theta[0] - 2.0 * theta[1]);
        }
        let others = theta[2..].iter().map(|t| t.abs()).fold(0.0, f32::max);
        assert!(theta[0] > 2.0 * others && theta[1] < -2.0 * theta[0] * 0.8, "{theta:?}");
    }
}
