//! Internal coherence maximisation (Wen et al. 2025, arXiv 2506.10139, algorithm 1): find the labels that predict each other best, by
//! simulated annealing.
//!
//! U(D) = α P(D) − I(D), P(D) the mean of log P(y_i | x_i, D without i) (their section 2.2, where it is the sum). Theirs asks a large model with the other labels in
//! its context. A small one learns nothing in context, so the other labels are put into what such learning comes to in a
//! linear layer (von Oswald et al. 2022, arXiv 2212.07677): P(y_i | …) = σ(y_i s_i), s_i = β x_i · mean of y_j x_j, x the student's features,
//! centred for binary items. Pairs are contrasts, so no labelling calls a pair and its swap both better: I is 0 for all that can be said.
//!
//! The search starts from the rows the teacher is surest of, adds or changes one label at a time, and accepts what raises U, or
//! exp(ΔU / T) of what does not, T = max(T_min, T_0 / (1 + c ln n)). All labels turned round are as coherent: the way with which the teacher
//! agrees more often is taken. The whole pool is labelled by what was found.

use crate::error::MethodError;
use crate::pool::{Pool, sigmoid};
use crate::student::Student;
use aar_domain::problem::Task;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows that are searched, evenly spaced.
const ROWS: usize = 300;
/// Rows labelled by the teacher to begin with.
const FIRST: usize = 8;
/// Steps per searched row.
const SWEEPS: usize = 6;
/// α: weight of predictability.
const ALPHA: f64 = 50.0;
/// β: how much the other labels say.
const BETA: f64 = 3.0;
/// First, last temperature and how fast it falls.
const COOLING: (f64, f64, f64) = (10.0, 0.01, 0.99);

/// P(positive), `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    let features = student.features(&pool.items)?;
    let centred = student.problem().task == Task::Binary;
    let scaled = scaled(&features.values, features.width, centred);
    let step = pool.weak.len().div_ceil(ROWS).max(1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let first = rng.random_range(0..step);
    let rows: Vec<usize> = (first..pool.weak.len()).step_by(step).collect();
    let of = |i: &usize| scaled[i * features.width..(i + 1) * features.width].to_vec();
    let weak: Vec<f32> = rows.iter().map(|&i| pool.weak[i]).collect();
    let labels = anneal(&rows.iter().map(of).collect::<Vec<_>>(), &weak, &mut rng);
    let mut direction = vec![0.0; features.width];
    for (row, label) in rows.iter().zip(&labels) {
        add(&mut direction, &of(row), label / labels.len() as f64);
    }
    let margins = scaled.chunks_exact(features.width).map(|x| (BETA * dot(x, &direction)) as f32);
    Ok(margins.map(sigmoid).collect())
}

/// Columns less their mean where they are to be centred, over their root mean square and the fourth root of their number: rows
/// that have nothing to do with each other then have products of spread 1.
fn scaled(values: &[f32], width: usize, centred: bool) -> Vec<f64> {
    let rows = (values.len() / width.max(1)).max(1) as f64;
    let mut out: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
    for column in 0..width {
        let mean = if centred { out.iter().skip(column).step_by(width).sum::<f64>() / rows } else { 0.0 };
        let square = out.iter().skip(column).step_by(width).map(|x| (x - mean).powi(2)).sum::<f64>() / rows;
        let scale = (square * (width as f64).sqrt()).sqrt().max(1e-9);
        out.iter_mut().skip(column).step_by(width).for_each(|x| *x = (*x - mean) / scale);
    }
    out
}

/// P(D): the mean log-probability of each label by the others. `labels`: −1, 1, or 0 where there is none.
pub fn predictability(rows: &[Vec<f64>], labels: &[f64]) -> f64 {
    let Some(width) = rows.first().map(Vec::len) else { return 0.0 };
    let mut sum = vec![0.0; width];
    rows.iter().zip(labels).for_each(|(row, &label)| add(&mut sum, row, label));
    let labelled = labels.iter().filter(|label| **label != 0.0).count();
    let logs = rows.iter().zip(labels).filter(|(_, label)| **label != 0.0).map(|(row, &label)| {
        let margin = label * score(row, &sum, label, labelled);
        -(-margin).exp().ln_1p()
    });
    logs.sum::<f64>() / labelled.max(1) as f64
}

/// s_i: what the labels but its own (0 where it has none) say of a row; `sum` is that of y_j x_j over the `labelled` rows.
fn score(row: &[f64], sum: &[f64], own: f64, labelled: usize) -> f64 {
    let others = labelled - usize::from(own != 0.0);
    BETA * (dot(row, sum) - own * dot(row, row)) / others.max(1) as f64
}

/// Labels `[rows]` of −1 and 1.
pub fn anneal(rows: &[Vec<f64>], weak: &[f32], rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut labels = vec![0.0; rows.len()];
    let mut surest: Vec<usize> = (0..rows.len()).collect();
    surest.sort_by(|&a, &b| (weak[b] - 0.5).abs().total_cmp(&(weak[a] - 0.5).abs()));
    for &i in surest.iter().take(FIRST) {
        labels[i] = if weak[i] > 0.5 { 1.0 } else { -1.0 };
    }
    let mut coherence = ALPHA * predictability(rows, &labels);
    for n in 1..=SWEEPS * rows.len() {
        let temperature = (COOLING.0 / (1.0 + COOLING.2 * (n as f64).ln())).max(COOLING.1);
        let i = rng.random_range(0..rows.len());
        let before = labels[i];
        labels[i] = likelier(rows, &labels, i);
        if labels[i] == before {
            continue;
        }
        let proposed = ALPHA * predictability(rows, &labels);
        let change = proposed - coherence;
        if change > 0.0 || rng.random::<f64>() < (change / temperature).exp() {
            coherence = proposed;
        } else {
            labels[i] = before;
        }
    }
    // What was never drawn, or never accepted, follows the others.
    for i in 0..rows.len() {
        if labels[i] == 0.0 {
            labels[i] = likelier(rows, &labels, i);
        }
    }
    let agree = labels.iter().zip(weak).filter(|(label, p)| (**label > 0.0) == (**p > 0.5)).count();
    if 2 * agree < labels.len() {
        labels.iter_mut().for_each(|label| *label = -*label);
    }
    labels
}

/// The label that the others give row `i`.
fn likelier(rows: &[Vec<f64>], labels: &[f64], i: usize) -> f64 {
    let mut sum = vec![0.0; rows[i].len()];
    rows.iter().zip(labels).filter(|(_, label)| **label != 0.0).for_each(|(row, &label)| add(&mut sum, row, label));
    let labelled = labels.iter().filter(|label| **label != 0.0).count();
    if score(&rows[i], &sum, labels[i], labelled) > 0.0 { 1.0 } else { -1.0 }
}

fn add(sum: &mut [f64], row: &[f64], factor: f64) {
    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// One concept runs through half of the student's features. The teacher is right six times in ten, nine in ten where it is surest.
    /// A few labels to start from are enough: the labelling that predicts itself best is the concept.
    #[test]
    fn labels_that_predict_each_other_are_those_of_the_salient_concept() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let (rows, width) = (200, 24);
        let truth: Vec<bool> = (0..rows).map(|i| i % 2 == 0).collect();
        let mut values = vec![];
        for &positive in &truth {
            for column in 0..width {
                let noise = (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
                let concept = if column % 2 == 0 { 0.8 } else { 0.0 };
                values.push(noise + if positive { concept } else { -concept });
            }
        }
        let sure = |i: usize| i % 20 < 1;
        let right: Vec<bool> = (0..rows).map(|i| rng.random::<f32>() < if sure(i) { 0.9 } else { 0.6 }).collect();
        let weak: Vec<f32> = (0..rows)
            .map(|i| 0.5 + if truth[i] == right[i] { 1.0 } else { -1.0 } * if sure(i) { 0.45 } else { 0.2 })
            .collect();
        let scaled = scaled(&values, width, true);
        let scaled: Vec<Vec<f64>> = scaled.chunks_exact(width).map(<[f64]>::to_vec).collect();
        let labels = anneal(&scaled, &weak, &mut rng);
        let share = |positive: &dyn Fn(usize) -> bool| {
            (0..rows).filter(|&i| positive(i) == truth[i]).count() as f32 / rows as f32
        };
        let (teacher, found) = (share(&|i| weak[i] > 0.5), share(&|i| labels[i] > 0.0));
        assert!(teacher < 0.7 && found > 0.95, "teacher {teacher}, coherent {found}");
        let taught: Vec<f64> = weak.iter().map(|&p| if p > 0.5 { 1.0 } else { -1.0 }).collect();
        assert!(predictability(&scaled, &labels) > predictability(&scaled, &taught));
        let against: Vec<f64> = labels.iter().map(|label| -label).collect();
        assert!((predictability(&scaled, &against) - predictability(&scaled, &labels)).abs() < 1e-9, "turned round");
    }
}
