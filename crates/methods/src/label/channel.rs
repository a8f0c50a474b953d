//! Posterior of the truth through a channel whose errors depend on the item (one of the published study's agents; the model is Raykar et al.
//! 2010, section 2, with one labeller whose reliability is a function of the item).
//!
//! Prior: π_i = σ(z_i), z the untouched student's margin in units of its spread; with one labeller, how sure the prior is can't be told from
//! how often the teacher is wrong, so it is not fitted. The teacher's hard label is right with P(right | truth y, item) =
//! σ(v·x), x = (1, ±1 for y, teacher's confidence, |z|), the last two with mean 0 and spread 1. E: r_i ∝ π_i P(label | y). M: one damped
//! Newton step for v. `posterior` knows one table per quartile of confidence instead.

use crate::error::MethodError;
use crate::pool::{Pool, logit};
use crate::student::Student;

/// Rounds of EM.
const ROUNDS: usize = 30;
/// Features of the channel.
const WIDTH: usize = 4;
/// One number per feature.
type Weights = [f64; WIDTH];
/// Penalty on the channel's weights, per row.
const L2: f64 = 1e-2;

/// P(positive), `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student) -> Result<Vec<f32>, MethodError> {
    Ok(em(&pool.weak, &student.zero_shot(&pool.items)?))
}

/// EM on soft labels `weak [n]` and prior margins `[n]`; posterior `[n]`.
pub fn em(weak: &[f32], margins: &[f32]) -> Vec<f32> {
    let spread = (margins.iter().map(|&m| f64::from(m).powi(2)).sum::<f64>() / margins.len().max(1) as f64).sqrt();
    let z: Vec<f64> = margins.iter().map(|&m| f64::from(m) / spread.max(1e-6)).collect();
    let confidence = standard(weak.iter().map(|&p| f64::from(logit(p)).abs()).collect());
    let hardness = standard(z.iter().map(|z| z.abs()).collect());
    let labels: Vec<bool> = weak.iter().map(|&p| p > 0.5).collect();
    let features = |i: usize, truth: bool| [1.0, if truth { 1.0 } else { -1.0 }, confidence[i], hardness[i]];
    // Right three times in four, a little more often where it is sure.
    let mut channel = [1.0, 0.0, 0.3, 0.0];
    let mut posterior = vec![0.5; weak.len()];
    for _ in 0..ROUNDS {
        for (i, r) in posterior.iter_mut().enumerate() {
            let said = |truth: bool| {
                let right = sigmoid(dot(&channel, &features(i, truth))).clamp(0.02, 0.98);
                if labels[i] == truth { right } else { 1.0 - right }
            };
            *r = sigmoid(z[i] + (said(true) / said(false)).ln());
        }
        let rows = posterior.iter().enumerate().flat_map(|(i, &r)| {
            [(true, r), (false, 1.0 - r)]
                .map(|(truth, weight)| (features(i, truth), f64::from(u8::from(labels[i] == truth)), weight))
        });
        channel = newton(channel, rows);
    }
    posterior.into_iter().map(|r| r as f32).collect()
}

/// Half a Newton step of a weighted logistic regression with an L2 penalty: rows of (features, target, weight).
fn newton(from: Weights, rows: impl Iterator<Item = (Weights, f64, f64)>) -> Weights {
    let (mut gradient, mut hessian, mut total) = ([0.0; WIDTH], [[0.0; WIDTH]; WIDTH], 0.0);
    for (x, target, weight) in rows {
        let p = sigmoid(dot(&from, &x));
        total += weight;
        for a in 0..WIDTH {
            gradient[a] += weight * (target - p) * x[a];
            for b in 0..WIDTH {
                hessian[a][b] += weight * p * (1.0 - p) * x[a] * x[b];
            }
        }
    }
    for a in 0..WIDTH {
        gradient[a] -= L2 * total * from[a];
        hessian[a][a] += L2 * total + 1e-9;
    }
    let step = solve(hessian, gradient);
    std::array::from_fn(|a| from[a] + 0.5 * step[a])
}

/// Gaussian elimination; the matrix is positive definite.
fn solve(mut matrix: [Weights; WIDTH], mut right: Weights) -> Weights {
    for pivot in 0..WIDTH {
        let above = matrix[pivot];
        for row in pivot + 1..WIDTH {
            let factor = matrix[row][pivot] / above[pivot];
            matrix[row].iter_mut().zip(above).for_each(|(entry, above)| *entry -= factor * above);
            right[row] -= factor * right[pivot];
        }
    }
    for pivot in (0..WIDTH).rev() {
        let known: f64 = (pivot + 1..WIDTH).map(|column| matrix[pivot][column] * right[column]).sum();
        right[pivot] = (right[pivot] - known) / matrix[pivot][pivot];
    }
    right
}

fn standard(values: Vec<f64>) -> Vec<f64> {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt().max(1e-6);
    values.into_iter().map(|v| (v - mean) / spread).collect()
}

fn dot(a: &Weights, b: &Weights) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A teacher that is sure where it is right and wrong where it is not sure, and a prior that is right three times in four. Plain
    /// training believes half of the labels wrongly; the channel learns to read the doubtful ones backwards.
    #[test]
    fn labels_of_doubtful_items_are_read_backwards() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let n = 4000;
        let truth: Vec<bool> = (0..n).map(|_| rng.random()).collect();
        let mut noisy = |truth: bool, right: f64| if rng.random::<f64>() < right { truth } else { !truth };
        let sure = |i: usize| i.is_multiple_of(2);
        let weak: Vec<f32> = (0..n)
            .map(|i| match (noisy(truth[i], if sure(i) { 0.9 } else { 0.15 }), sure(i)) {
                (true, true) => 0.95,
                (false, true) => 0.05,
                (true, false) => 0.6,
                (false, false) => 0.4,
            })
            .collect();
        let margins: Vec<f32> = truth.iter().map(|&t| if noisy(t, 0.75) { 1.0 } else { -1.0 }).collect();
        let accuracy = |p: &[f32]| p.iter().zip(&truth).filter(|&(p, &t)| (*p > 0.5) == t).count() as f64 / n as f64;
        let (plain, posterior) = (accuracy(&weak), accuracy(&em(&weak, &margins)));
        assert!(plain < 0.55 && posterior > 0.84, "teacher {plain}, posterior {posterior}");
    }
}
