//! Paired differences in several strata: one estimate, one test.

use super::estimate::{degrees_of_freedom, t_quantile};
use super::outcomes::{mean, variance};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean difference with its 95 % interval and test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// The mean difference; strata count alike.
    pub value: f64,
    /// 95 % interval.
    pub low: f64,
    /// 95 % interval.
    pub high: f64,
    /// Two-sided p.
    pub p: f64,
    /// Pairs in all strata.
    pub pairs: usize,
}

/// Student's paired t test, stratified: the mean of the strata's mean differences, its error from the spread within each of
/// `strata [strata][pairs]`, with Satterthwaite's degrees of freedom. What it says holds for these strata. `None` where one has fewer than two pairs.
pub fn pooled(strata: &[Vec<f64>]) -> Option<Pooled> {
    if strata.is_empty() || strata.iter().any(|pairs| pairs.len() < 2) {
        return None;
    }
    let count = strata.len() as f64;
    let parts: Vec<(f64, usize)> =
        strata.iter().map(|pairs| (variance(pairs) / pairs.len() as f64 / (count * count), pairs.len())).collect();
    let total: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let value = strata.iter().map(|pairs| mean(pairs)).sum::<f64>() / count;
    let pairs = strata.iter().map(Vec::len).sum();
    if total == 0.0 {
        return Some(Pooled { value, low: value, high: value, p: if value == 0.0 { 1.0 } else { 0.0 }, pairs });
    }
    let freedom = degrees_of_freedom(total, &parts, 2).min(1e6);
    let (se, half) = (total.sqrt(), t_quantile(freedom) * total.sqrt());
    let tail = StudentsT::new(0.0, 1.0, freedom).map_or(0.5, |t| t.cdf(-(value / se).abs()));
    Some(Pooled { value, low: value - half, high: value + half, p: 2.0 * tail, pairs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stratum_is_the_paired_t_test() {
        // t = 2.09246 at 4 degrees of freedom; p by integrating the density (Simpson).
        let found = pooled(&[vec![0.1, 0.3, 0.2, 0.4, -0.1]]).unwrap();
        assert!((found.value - 0.18).abs() < 1e-12 && (found.p - 0.10454).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn strata_count_alike_and_their_means_may_differ() {
        let found = pooled(&[vec![0.9, 1.1, 0.9, 1.1], vec![-0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1]]).unwrap();
        assert!((found.value - 0.5).abs() < 1e-12 && found.low > 0.4 && found.p < 1e-4, "{found:?}");
        assert_eq!(pooled(&[vec![1.0]]), None);
        assert_eq!(pooled(&[vec![0.0, 0.0]]).map(|same| same.p), Some(1.0));
    }
}
