//! Performance gap recovered, with its interval.

use super::bootstrap::Replicated;
use super::outcomes::variance;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// PGR = (transfer − weak) / (ceiling − weak) (Burns et al. 2023, section 3.2), unclipped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pgr {
    /// The estimate.
    pub value: f64,
    /// 95 % interval.
    pub low: f64,
    /// 95 % interval.
    pub high: f64,
    /// Standard error.
    pub se: f64,
}

/// PGR of a method; `None` where the gap's 95 % interval reaches zero: then it is undefined.
pub fn pgr(method: &Replicated, weak: &Replicated, ceiling: &Replicated) -> Option<Pgr> {
    let gap = ceiling.value - weak.value;
    let gaps: Vec<f64> = ceiling.draws.iter().zip(&weak.draws).map(|(c, w)| c - w).collect();
    if gap - 1.96 * variance(&gaps).sqrt() <= 0.0 {
        return None;
    }
    let value = (method.value - weak.value) / gap;
    // Linearised (the delta method): draws of the numerator that the ratio's own value predicts away. A ratio of
    // draws would have heavy tails where the gap is small.
    let residual = |((m, w), gap_draw): ((&f64, &f64), &f64)| ((m - w) - value * gap_draw) / gap;
    let draws: Vec<f64> = method.draws.iter().zip(&weak.draws).zip(&gaps).map(residual).collect();
    let total = variance(&draws);
    let parts = [
        (method.seed_variance() / (gap * gap), method.by_seed.len()),
        (weak.seed_variance() * ((1.0 - value) / gap).powi(2), weak.by_seed.len()),
        (ceiling.seed_variance() * (value / gap).powi(2), ceiling.by_seed.len()),
    ];
    let half = t_quantile(degrees_of_freedom(total, &parts, method.clusters)) * total.sqrt();
    Some(Pgr { value, low: value - half, high: value + half, se: total.sqrt() })
}

/// Satterthwaite's (1946): variance components with their sample sizes, the rest being the clusters'.
pub(crate) fn degrees_of_freedom(total: f64, parts: &[(f64, usize)], clusters: usize) -> f64 {
    let seeds: f64 = parts.iter().map(|(v, _)| v).sum();
    let rest = (total - seeds).max(0.0);
    let denominator = rest * rest / (clusters.max(2) - 1) as f64
        + parts.iter().map(|(v, n)| v * v / (n.max(&2) - 1) as f64).sum::<f64>();
    if denominator > 0.0 { (total.max(seeds).powi(2) / denominator).max(1.0) } else { 1e6 }
}

/// The 97.5 % quantile of Student's t.
pub(crate) fn t_quantile(freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.min(1e6)).map_or(1.96, |t| t.inverse_cdf(0.975))
}

/// Mean of independent values, worlds for instance, and half the width of its 95 % interval (Student's t); none for fewer than two.
pub fn mean_with_half_width(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (values.len() > 1).then(|| (mean, t_quantile(n - 1.0) * (variance / n).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_student_s() {
        // t(0.975, 2) = 4.30265, s = 1, n = 3.
        let (mean, half) = mean_with_half_width(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(mean, 2.0);
        assert!((half - 2.484_14).abs() < 1e-5, "{half}");
        assert_eq!(mean_with_half_width(&[1.0]), None);
    }
}
