//! Contrast-consistent search (Burns et al. 2022, arXiv 2212.03827, section 2.2): a direction of the student's states, found without labels,
//! that answers a statement and its negation with opposite and decided probabilities.
//!
//! L(θ) = mean of (p(x⁺) − (1 − p(x⁻)))² + min(p(x⁺), p(x⁻))², p = σ(θ·φ̃ + b), φ̃ the states less their mean and
//! over their spread, for x⁺ and x⁻ apart. An answer is ½ (p(x⁺) + 1 − p(x⁻)). The statement is "the first is better" and its
//! negation the pair in the other order, or the item with either label. Which of its two ends is "yes" no such loss can tell: the
//! end with which the teacher agrees more often, which is all that is taken from the teacher.

use crate::error::MethodError;
use crate::pool::Pool;
use crate::student::Student;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random starts; the one with the least loss is kept (theirs: 10).
const STARTS: usize = 6;
/// Adam's steps on all rows (theirs: 1000).
const STEPS: usize = 300;
/// Adam's rate.
const RATE: f64 = 0.02;
/// Rows that are searched on, evenly spaced.
const ROWS: usize = 800;

/// P(positive), `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    let [positive, negative] = student.sides(&pool.items)?;
    Ok(search(&positive.values, &negative.values, positive.width, &pool.weak, seed))
}

/// Answers `[rows]` by the best of several searches. States `[rows, width]` of statements and of their negations, `weak [rows]`.
pub fn search(positive: &[f32], negative: &[f32], width: usize, weak: &[f32], seed: u64) -> Vec<f32> {
    let sides = [normalised(positive, width), normalised(negative, width)];
    let step = weak.len().div_ceil(ROWS).max(1);
    let searched =
        sides.each_ref().map(|side| side.chunks_exact(width).step_by(step).flatten().copied().collect::<Vec<f64>>());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let starts = (0..STARTS).map(|_| {
        let start = (0..=width).map(|_| (rng.random::<f64>() - 0.5) * 2.0 / (width as f64).sqrt()).collect();
        descend(start, &searched, width)
    });
    let best = starts.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, theta)| theta).unwrap_or_default();
    let answers: Vec<f32> = answers(&sides, &best, width);
    let agree = answers.iter().zip(weak).filter(|(answer, weak)| (**answer > 0.5) == (**weak > 0.5)).count();
    if 2 * agree >= weak.len() { answers } else { answers.into_iter().map(|p| 1.0 - p).collect() }
}

/// Less the mean, over the standard deviation, column by column.
pub fn normalised(states: &[f32], width: usize) -> Vec<f64> {
    let rows = (states.len() / width.max(1)).max(1) as f64;
    let (mut mean, mut square) = (vec![0.0f64; width], vec![0.0f64; width]);
    for row in states.chunks_exact(width) {
        for (i, &x) in row.iter().enumerate() {
            mean[i] += f64::from(x) / rows;
        }
    }
    for row in states.chunks_exact(width) {
        for (i, &x) in row.iter().enumerate() {
            square[i] += (f64::from(x) - mean[i]).powi(2) / rows;
        }
    }
    let one = |(at, &x): (usize, &f32)| (f64::from(x) - mean[at % width]) / square[at % width].sqrt().max(1e-6);
    states.iter().enumerate().map(one).collect()
}

/// A row's loss: (p − (1 − q))² + min(p, q)², p and q the probabilities of a statement and of its negation.
pub fn doubt(p: f64, q: f64) -> f64 {
    (p + q - 1.0).powi(2) + p.min(q).powi(2)
}

/// The loss and its gradient in `theta [width + 1]`, the bias last. `sides`: normalised states `[rows, width]` of x⁺ and x⁻.
pub fn loss(theta: &[f64], sides: &[Vec<f64>; 2], width: usize) -> (f64, Vec<f64>) {
    let rows = (sides[0].len() / width) as f64;
    let (mut loss, mut gradient) = (0.0, vec![0.0; width + 1]);
    for (yes, no) in sides[0].chunks_exact(width).zip(sides[1].chunks_exact(width)) {
        let (p, q) = (probability(yes, theta), probability(no, theta));
        let (consistency, confidence) = (p + q - 1.0, p.min(q));
        loss += doubt(p, q) / rows;
        let slope = |own: f64, least: bool| {
            2.0 * (consistency + if least { confidence } else { 0.0 }) * own * (1.0 - own) / rows
        };
        let (dp, dq) = (slope(p, p <= q), slope(q, q < p));
        for i in 0..width {
            gradient[i] += dp * yes[i] + dq * no[i];
        }
        gradient[width] += dp + dq;
    }
    (loss, gradient)
}

fn probability(row: &[f64], theta: &[f64]) -> f64 {
    let margin: f64 = row.iter().zip(theta).map(|(x, t)| x * t).sum();
    1.0 / (1.0 + (-margin - theta[row.len()]).exp())
}

fn answers(sides: &[Vec<f64>; 2], theta: &[f64], width: usize) -> Vec<f32> {
    let pairs = sides[0].chunks_exact(width).zip(sides[1].chunks_exact(width));
    pairs.map(|(yes, no)| (0.5 * (probability(yes, theta) + 1.0 - probability(no, theta))) as f32).collect()
}

/// Adam from a start; the last loss and where it was.
fn descend(mut theta: Vec<f64>, sides: &[Vec<f64>; 2], width: usize) -> (f64, Vec<f64>) {
    let (mut first, mut second) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
    for step in 1..=STEPS as i32 {
        let (_, gradient) = loss(&theta, sides, width);
        for (i, g) in gradient.into_iter().enumerate() {
            first[i] = 0.9 * first[i] + 0.1 * g;
            second[i] = 0.999 * second[i] + 0.001 * g * g;
            let (m, v) = (first[i] / (1.0 - 0.9f64.powi(step)), second[i] / (1.0 - 0.999f64.powi(step)));
            theta[i] -= RATE * m / (v.sqrt() + 1e-8);
        }
    }
    (loss(&theta, sides, width).0, theta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;

    /// The states say clearly which statement is true. The teacher is right six times in ten, and otherwise goes by a cue that the
    /// states hold too. A regression on its labels learns the cue; the cue stays the same when a statement is negated, or is
    /// undecided, so no consistent and confident answer can be made of it.
    #[test]
    fn truth_is_what_turns_with_negation() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut normal = move || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
        let (rows, width) = (600, 6);
        let (mut yes, mut no, mut weak, mut truth) = (vec![], vec![], vec![], vec![]);
        for i in 0..rows {
            let (right, cue) = (i % 2 == 0, normal());
            let sign = if right { 1.0 } else { -1.0 };
            let topic = normal();
            yes.extend([sign + 0.1 * normal(), 2.0 * cue, topic, normal(), normal(), normal()]);
            no.extend([-sign + 0.1 * normal(), 0.5 * normal() - 2.0 * cue, topic, normal(), normal(), normal()]);
            weak.push(if i % 5 < 4 { f32::from(u8::from(cue > 0.0)) } else { f32::from(u8::from(right)) });
            truth.push(right);
        }
        let accuracy = |positive: &dyn Fn(usize) -> bool| {
            (0..rows).filter(|&i| positive(i) == truth[i]).count() as f32 / rows as f32
        };
        let contrast: Vec<f32> = yes.iter().zip(&no).map(|(a, b)| a - b).collect();
        let weights = vec![1.0; rows];
        let fit = Fit { features: &contrast, width, targets: &weak, weights: &weights, l2: 1e-2, intercept: false };
        let plain = fit.run().margins(&contrast);
        let found = search(&yes, &no, width, &weak, 1);
        let (plain, found) = (accuracy(&|i| plain[i] > 0.0), accuracy(&|i| found[i] > 0.5));
        assert!(plain < 0.75 && found > 0.95, "regression {plain}, contrast-consistent {found}");
    }
}
