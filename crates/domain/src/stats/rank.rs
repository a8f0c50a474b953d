//! Do two orders agree?

use super::estimate::Estimate;
use super::outcomes::mean;

/// Ranks from 1; equal values share their mean rank.
pub fn ranked(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut place = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = place as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&at| ranks[at] = rank);
        place += equal.len();
    }
    ranks
}

/// Pearson's correlation, of ranks Spearman's; `None` for fewer than three pairs or where one side is constant.
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (of_a, of_b) = (mean(a), mean(b));
    let sum = |x: &[f64], of_x: f64, y: &[f64], of_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - of_x) * (y - of_y)).sum()
    };
    let spread = (sum(a, of_a, a, of_a) * sum(b, of_b, b, of_b)).sqrt();
    (a.len() > 2 && spread > 0.0).then(|| sum(a, of_a, b, of_b) / spread)
}

/// Its 95 % interval, of ranks (Fisher's z with Bonett and Wright's variance, 2000); `None` for fewer than five pairs.
pub fn rank_correlation_interval(r: f64, pairs: usize) -> Option<Estimate> {
    let n = pairs as f64;
    let half = 1.96 * ((1.0 + r * r / 2.0) / (n - 3.0)).sqrt();
    let z = r.clamp(-0.999_999, 0.999_999).atanh();
    (pairs > 4).then(|| Estimate { value: r, low: (z - half).tanh(), high: (z + half).tanh() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ranks(pairs: &[(f64, f64)]) -> Option<f64> {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        correlation(&ranked(&a), &ranked(&b))
    }

    #[test]
    fn rank_correlation_is_spearman_s() {
        let close = |r: Option<f64>, wanted: f64| assert!((r.unwrap() - wanted).abs() < 1e-9, "{r:?}");
        close(of_ranks(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0)]), 0.8);
        close(of_ranks(&[(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)]), 0.6);
        assert_eq!(of_ranks(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0)]), Some(1.0));
        assert_eq!(of_ranks(&[(1.0, 4.0), (2.0, 3.0), (3.0, 2.0), (4.0, 1.0)]), Some(-1.0));
        // With a tie, by hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
        close(of_ranks(&[(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (4.0, 4.0)]), 0.948_683_298_050_514);
        assert_eq!(of_ranks(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
        let interval = rank_correlation_interval(0.8, 12).unwrap();
        assert!(interval.low < 0.5 && interval.high > 0.9 && interval.low > 0.2, "{interval:?}");
    }
}
