//! Is one method better than another, and what could these sizes tell at all?

use super::bootstrap::Replicated;
use super::estimate::{Estimate, degrees_of_freedom, t_quantile};
use super::outcomes::variance;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// A paired comparison of accuracies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// First minus second accuracy.
    pub difference: f64,
    /// Standard error of the difference.
    pub se: f64,
    /// Two-sided p.
    pub p: f64,
}

/// Compare two methods scored on the same panel. Items are always paired; seeds where both ran on the same ones.
/// A t test on the bootstrap's standard error, with Satterthwaite's degrees of freedom.
pub fn compare(a: &Replicated, b: &Replicated) -> Comparison {
    let difference = a.value - b.value;
    let draws: Vec<f64> = a.draws.iter().zip(&b.draws).map(|(a, b)| a - b).collect();
    let total = variance(&draws);
    let parts = if a.seeds == b.seeds {
        let by_seed: Vec<f64> = a.by_seed.iter().zip(&b.by_seed).map(|(a, b)| a - b).collect();
        vec![(variance(&by_seed) / by_seed.len().max(1) as f64, by_seed.len())]
    } else {
        vec![(a.seed_variance(), a.by_seed.len()), (b.seed_variance(), b.by_seed.len())]
    };
    let se = total.sqrt();
    if se == 0.0 {
        let p = if difference == 0.0 { 1.0 } else { 0.0 };
        return Comparison { difference, se, p };
    }
    let freedom = degrees_of_freedom(total, &parts, a.clusters).min(1e6);
    let tail = StudentsT::new(0.0, 1.0, freedom).map_or(0.5, |t| t.cdf(-(difference / se).abs()));
    Comparison { difference, se, p: 2.0 * tail }
}

/// Holm's step-down adjustment (1979): adjusted p values in the order given.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        highest = highest.max(p[i] * (p.len() - rank) as f64).min(1.0);
        adjusted[i] = highest;
    }
    adjusted
}

/// Ranks, best first, with ties: a method shares the rank of the best one above it that it can't be told from at 5 %.
pub fn ranks(methods: &[Replicated]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..methods.len()).collect();
    order.sort_by(|&a, &b| methods[b].value.total_cmp(&methods[a].value));
    let places = ranks_by(order.len(), |a, b| compare(&methods[order[a]], &methods[order[b]]).p < 0.05);
    let mut ranks = vec![0; methods.len()];
    order.iter().zip(places).for_each(|(&method, rank)| ranks[method] = rank);
    ranks
}

/// The same of what is in order, best first, where `differ` says whether two places can be told apart.
pub fn ranks_by(methods: usize, differ: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut head = 0;
    let rank = |place: usize| {
        if place > 0 && differ(head, place) {
            head = place;
        }
        head + 1
    };
    (0..methods).map(rank).collect()
}

/// Standard error of the difference of two methods on so many seeds and items (clusters): seeds vary as `seed_variance` says, items as if one
/// answer in `disagreement` differed.
pub fn expected_se(seed_variance: f64, seeds: usize, items: usize, disagreement: f64) -> f64 {
    (2.0 * seed_variance / seeds.max(1) as f64 + disagreement / items.max(1) as f64).sqrt()
}

/// Half width, in PGR, of what two equal methods differ by in 95 of 100 comparisons, out of one method's seeds and
/// answers: seeds vary as this method's do, items as if one answer in `disagreement` differed.
pub fn noise_floor(seed_variance: f64, seeds: usize, items: usize, disagreement: f64, gap: f64) -> f64 {
    t_quantile((2 * seeds.max(2) - 2) as f64) * expected_se(seed_variance, seeds, items, disagreement) / gap
}

/// With what probability a two-sided 5 % test on so many paired seeds finds a difference of `effect`.
pub fn power(effect: f64, se_of_difference: f64, seeds: usize) -> f64 {
    let reached = effect.abs() / se_of_difference - t_quantile((seeds.max(2) - 1) as f64);
    Normal::standard().cdf(reached)
}

/// A difference with the interval of that test.
pub fn interval(comparison: &Comparison, seeds: usize) -> Estimate {
    let half = t_quantile((seeds.max(2) - 1) as f64) * comparison.se;
    let value = comparison.difference;
    Estimate { value, low: value - half, high: value + half }
}

/// The smallest difference, in PGR, that a two-sided 5 % test finds with a power of 80 %: (t + 0.84) standard errors.
pub fn minimum_difference(se_of_difference: f64, seeds: usize, gap: f64) -> f64 {
    (t_quantile((seeds.max(2) - 1) as f64) + 0.8416) * se_of_difference / gap
}

#[cfg(test)]
mod tests {
    use super::super::{Bootstrap, Outcomes, Panel};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn holm_is_the_textbook_example() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
        assert_eq!(holm(&[0.6, 0.9]), [1.0, 1.0]);
    }

    #[test]
    fn power_at_the_smallest_difference_is_eighty_percent() {
        for seeds in [2, 5, 16] {
            let smallest = minimum_difference(0.01, seeds, 1.0);
            assert!((power(smallest, 0.01, seeds) - 0.8).abs() < 1e-4, "{seeds} seeds");
            assert!(power(smallest * 0.9, 0.01, seeds) < 0.8 && power(-smallest * 1.1, 0.01, seeds) > 0.8);
        }
        let found = interval(&Comparison { difference: 0.005, se: 0.01, p: 0.6 }, 16);
        // t(15) = 2.1314.
        assert!((found.high - 0.026_314).abs() < 1e-5 && (found.low + 0.016_314).abs() < 1e-5, "{found:?}");
    }

    fn outcomes(bits: &[Vec<bool>]) -> Outcomes {
        Outcomes { seeds: (0..bits.len() as u64).collect(), correct: bits.to_vec() }
    }

    proptest! {
        #[test]
        fn identical_methods_can_not_be_told_apart(bits in prop::collection::vec(prop::collection::vec(any::<bool>(), 40), 3)) {
            let panel = Panel { cluster: (0..40).map(|i| i / 2).collect(), distribution: None, clusters: 20 };
            let bootstrap = Bootstrap::new(&panel, 200, 1);
            let (a, b) = (bootstrap.accuracy(&outcomes(&bits)), bootstrap.accuracy(&outcomes(&bits)));
            prop_assert_eq!(compare(&a, &b).p, 1.0);
            prop_assert_eq!(ranks(&[a, b]), vec![1, 1]);
        }

        #[test]
        fn order_of_items_and_seeds_does_not_change_the_estimate(bits in prop::collection::vec(prop::collection::vec(any::<bool>(), 30), 4)) {
            let turned: Vec<Vec<bool>> = bits.iter().rev().map(|row| row.iter().rev().copied().collect()).collect();
            prop_assert!((outcomes(&bits).accuracy() - outcomes(&turned).accuracy()).abs() < 1e-12);
        }

        #[test]
        fn holm_never_lowers_a_p(p in prop::collection::vec(0.0f64..1.0, 1..6)) {
            for (adjusted, p) in holm(&p).iter().zip(&p) {
                prop_assert!(adjusted >= p && *adjusted <= 1.0);
            }
        }
    }
}
