//! Posterior of the truth through a noisy channel, by expectation maximisation (Dawid and Skene 1979, with one
//! labeller whose confusion depends on its own confidence).
//!
//! Prior of item i: π_i = σ(a z_i), z_i the untouched student's consistent margin in units of its spread. The
//! teacher's hard label passes through a channel P(label | truth, bin), one 2×2 table per quartile of the teacher's
//! confidence. E: r_i ∝ π_i P(label_i | 1, bin_i). M: the tables from r, with one pseudo-count, and a by one Newton step.

use crate::error::MethodError;
use crate::pool::{Pool, logit, sigmoid, standardised};
use crate::student::Student;

/// Confidence bins.
const BINS: usize = 4;
/// Rounds of EM.
const ROUNDS: usize = 30;

/// P(positive | teacher, student), `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student) -> Result<Vec<f32>, MethodError> {
    Ok(em(&pool.weak, &student.zero_shot(&pool.items)?))
}

/// EM on soft labels `weak [n]` and prior margins `[n]`; posterior `[n]`.
pub fn em(weak: &[f32], margins: &[f32]) -> Vec<f32> {
    let n = weak.len();
    let z = standardised(margins);
    let bins = confidence_bins(weak);
    // Start from a channel that is right three times in four, less in doubtful bins.
    let mut right = [[0.0f32; 2]; BINS];
    for (bin, row) in right.iter_mut().enumerate() {
        *row = [0.6 + 0.1 * bin as f32; 2];
    }
    let mut slope = 1.0f32;
    let mut posterior = vec![0.5; n];
    for _ in 0..ROUNDS {
        for i in 0..n {
            let [positive, negative] = right[bins[i]];
            let evidence = if weak[i] > 0.5 { positive / (1.0 - negative) } else { (1.0 - positive) / negative };
            posterior[i] = sigmoid(slope * z[i] + evidence.ln());
        }
        right = channel(weak, &bins, &posterior);
        slope = newton_slope(slope, &z, &posterior);
    }
    posterior
}

/// P(label = truth | truth, bin) for truth positive and negative, one pseudo-count each way.
fn channel(weak: &[f32], bins: &[usize], posterior: &[f32]) -> [[f32; 2]; BINS] {
    let mut hits = [[1.0f32; 2]; BINS];
    let mut all = [[2.0f32; 2]; BINS];
    for ((&weak, &bin), &p) in weak.iter().zip(bins).zip(posterior) {
        all[bin][0] += p;
        all[bin][1] += 1.0 - p;
        if weak > 0.5 {
            hits[bin][0] += p;
        } else {
            hits[bin][1] += 1.0 - p;
        }
    }
    std::array::from_fn(|bin| std::array::from_fn(|truth| (hits[bin][truth] / all[bin][truth]).clamp(0.02, 0.98)))
}

/// One damped Newton step of the logistic regression of the posterior on z, without intercept; kept within [0, 3].
fn newton_slope(slope: f32, z: &[f32], posterior: &[f32]) -> f32 {
    let (mut gradient, mut curvature) = (0.0, 1e-3);
    for (&z, &r) in z.iter().zip(posterior) {
        let p = sigmoid(slope * z);
        gradient += (r - p) * z;
        curvature += p * (1.0 - p) * z * z;
    }
    (slope + 0.5 * gradient / curvature).clamp(0.0, 3.0)
}

/// Quartile of |margin| per item.
fn confidence_bins(weak: &[f32]) -> Vec<usize> {
    let confidence: Vec<f32> = weak.iter().map(|&p| logit(p).abs()).collect();
    let mut sorted = confidence.clone();
    sorted.sort_by(f32::total_cmp);
    let cut = |k: usize| sorted[(k * sorted.len() / BINS).min(sorted.len() - 1)];
    let cuts: Vec<f32> = (1..BINS).map(cut).collect();
    confidence.iter().map(|c| cuts.iter().filter(|cut| c >= cut).count()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A teacher that is right 62 % of the time and a prior that is right 75 % of the time, independently: the
    /// teacher's labels alone have .62, the posterior must come near the optimum.
    #[test]
    fn the_posterior_beats_both_of_its_sources_where_they_err_independently() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let n = 4000;
        let truth: Vec<bool> = (0..n).map(|_| rng.random()).collect();
        let mut noisy = |truth: bool, right: f64| {
            if rng.random::<f64>() < right { truth } else { !truth }
        };
        let weak: Vec<f32> = truth.iter().map(|&t| if noisy(t, 0.62) { 0.8 } else { 0.2 }).collect();
        let margins: Vec<f32> = truth.iter().map(|&t| if noisy(t, 0.75) { 1.0 } else { -1.0 }).collect();
        let accuracy = |p: &[f32]| p.iter().zip(&truth).filter(|&(p, &t)| (*p > 0.5) == t).count() as f64 / n as f64;
        let posterior = em(&weak, &margins);
        assert!(accuracy(&posterior) > 0.73, "{}", accuracy(&posterior));
        assert!(accuracy(&weak) < 0.65);
    }
}
