//! How much of one bundle's answers are another's.

use super::outcomes::mean;

/// Two bundles' margins on the same items and seeds, compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Pearson's correlation of the margins, run by run of the same seed; the mean over seeds.
    pub correlation: f64,
    /// Share of items answered otherwise, the mean over seeds.
    pub disagreement: f64,
    /// Items' mean difference over seeds against how much that difference varies from seed to seed: about 1 where the two differ only
    /// as two runs of one method with other random numbers do; more where the methods differ. Absent for a single seed.
    pub systematic: Option<f64>,
}

/// Compare `[seeds][items]` with `[seeds][items]`; `None` where the shapes differ or there is nothing.
pub fn likeness(a: &[&[f32]], b: &[&[f32]]) -> Option<Likeness> {
    let items = a.first()?.len();
    let fits = |rows: &[&[f32]]| rows.iter().all(|row| row.len() == items);
    if items == 0 || a.len() != b.len() || !fits(a) || !fits(b) {
        return None;
    }
    let (a, b): (Vec<_>, Vec<_>) =
        (a.iter().map(|row| scaled(row)).collect(), b.iter().map(|row| scaled(row)).collect());
    let pairs = || a.iter().zip(&b);
    let correlations: Vec<f64> = pairs().map(|(a, b)| product(&a.values, &b.values) / items as f64).collect();
    let otherwise = |(a, b): (&Scaled, &Scaled)| {
        a.positive.iter().zip(&b.positive).filter(|(a, b)| a != b).count() as f64 / items as f64
    };
    Some(Likeness {
        correlation: mean(&correlations),
        disagreement: mean(&pairs().map(otherwise).collect::<Vec<_>>()),
        systematic: systematic(&a, &b),
    })
}

/// A run's margins with mean 0 and variance 1, so that a bolder run is not another method.
struct Scaled {
    values: Vec<f64>,
    positive: Vec<bool>,
}

fn scaled(row: &[f32]) -> Scaled {
    let values: Vec<f64> = row.iter().map(|&margin| f64::from(margin)).collect();
    let center = mean(&values);
    let spread = mean(&values.iter().map(|value| (value - center).powi(2)).collect::<Vec<_>>()).sqrt();
    let spread = if spread > 0.0 { spread } else { 1.0 };
    Scaled {
        positive: row.iter().map(|&margin| margin > 0.0).collect(),
        values: values.into_iter().map(|value| (value - center) / spread).collect(),
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn systematic(a: &[Scaled], b: &[Scaled]) -> Option<f64> {
    let seeds = a.len();
    if seeds < 2 {
        return None;
    }
    let (mut between, mut within) = (0.0, 0.0);
    for item in 0..a[0].values.len() {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a.values[item] - b.values[item]).collect();
        between += seeds as f64 * mean(&differences).powi(2);
        within += super::outcomes::variance(&differences);
    }
    (within > 0.0).then(|| between / within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn compared(a: &[Vec<f32>], b: &[Vec<f32>]) -> Option<Likeness> {
        let [a, b] = [a, b].map(|rows| rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        likeness(&a, &b)
    }

    /// `[3][2000]`: what the method thinks of an item, plus what the run does.
    fn runs(method: u64, shared: f64, run: u64) -> Vec<Vec<f32>> {
        let draws = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            (0..2000).map(move |_| (0..12).map(|_| rng.random::<f64>() - 0.5).sum::<f64>()).collect::<Vec<f64>>()
        };
        let (common, own) = (draws(1), draws(method));
        let one = |seed: u64| {
            let noise = draws(1000 * run + seed);
            (0..2000).map(|i| (common[i] + (1.0 - shared) * own[i] + 0.3 * noise[i]) as f32).collect()
        };
        (0..3).map(|seed| one(seed + 100)).collect()
    }

    #[test]
    fn a_copy_a_run_again_and_another_method_are_told_apart() {
        let first = runs(7, 0.5, 1);
        let copy: Vec<Vec<f32>> =
            first.iter().map(|row| row.iter().map(|margin| margin * 3.0 + 1e-4).collect()).collect();
        let copied = compared(&first, &copy).unwrap();
        assert!(copied.correlation > 0.999_999 && copied.disagreement < 0.001, "{copied:?}");
        let again = compared(&first, &runs(7, 0.5, 2)).unwrap();
        assert!((0.8..1.2).contains(&again.systematic.unwrap()) && again.disagreement > 0.05, "{again:?}");
        let other = compared(&first, &runs(8, 0.5, 2)).unwrap();
        assert!(other.systematic.unwrap() > 3.0, "{other:?}");
    }

    #[test]
    fn what_can_not_be_compared_is_not() {
        assert_eq!(compared(&[vec![1.0]], &[vec![1.0, 2.0]]), None);
        assert_eq!(compared(&[], &[]), None);
        assert_eq!(compared(&[vec![1.0, -1.0]], &[vec![1.0, -1.0]]).unwrap().systematic, None);
    }
}
