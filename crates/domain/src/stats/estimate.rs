//! Performance gap recovered, with its interval.

use super::bootstrap::Replicated;
use super::outcomes::{mean, variance};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::fmt;

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

/// An estimate with its 95 % interval, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// 95 % interval.
    pub low: f64,
    /// 95 % interval.
    pub high: f64,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} [{:.2}, {:.2}]", self.value, self.low, self.high)
    }
}

impl From<&Pgr> for Estimate {
    fn from(pgr: &Pgr) -> Self {
        Self { value: pgr.value, low: pgr.low, high: pgr.high }
    }
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

/// Mean of a method's PGRs over testbeds, with Student's t interval: what may be said of testbeds that were not tried. `None` for fewer than two.
pub fn over_testbeds(pgrs: &[f64]) -> Option<Pgr> {
    if pgrs.len() < 2 {
        return None;
    }
    let (value, se) = (mean(pgrs), (variance(pgrs) / pgrs.len() as f64).sqrt());
    let half = t_quantile((pgrs.len() - 1) as f64) * se;
    Some(Pgr { value, low: value - half, high: value + half, se })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_testbeds_make_a_wide_interval() {
        let found = over_testbeds(&[0.2, 0.3, 0.4]).unwrap();
        // t(0.975, 2) = 4.302653, standard error 0.1 / √3.
        assert!((found.value - 0.3).abs() < 1e-9 && (found.high - 0.3 - 4.302653 * 0.057735).abs() < 1e-5, "{found:?}");
        assert_eq!(over_testbeds(&[0.2]), None);
    }
}
