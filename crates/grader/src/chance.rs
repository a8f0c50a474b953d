//! How right are answers about labels that they can't know?

use crate::vault::Vault;
use aar_domain::rung::Split;

/// Agreement with a shuffled truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// Share of right answers, the mean over runs.
    pub share: f64,
    /// What it is by chance, with as many positive answers and labels as there are.
    pub expected: f64,
    /// Standard errors by which it is more.
    pub z: f64,
}

impl Vault {
    /// Compare margins `[runs][items]` with chance. Right answers of one run over all shuffles follow the hypergeometric
    /// distribution; runs answer the same shuffle, so their mean has at most one run's standard error, which is taken. `None` where shapes do not fit.
    pub fn chance(&self, split: Split, margins: &[Vec<f32>]) -> Option<Chance> {
        let labels = self.labels(split);
        if margins.is_empty() || labels.len() < 2 || margins.iter().any(|row| row.len() != labels.len()) {
            return None;
        }
        let items = labels.len() as f64;
        let positive = labels.iter().filter(|&&label| label).count() as f64;
        let (mut share, mut expected, mut error) = (0.0, 0.0, 0.0);
        for row in margins {
            let said = row.iter().filter(|&&margin| margin > 0.0).count() as f64;
            let right = row.iter().zip(labels).filter(|&(&margin, &label)| (margin > 0.0) == label).count() as f64;
            // right = items − said − positive + 2 × (both positive)
            let both = said * positive / items;
            let variance = both * (items - said) * (items - positive) / (items * (items - 1.0));
            share += right / items;
            expected += (items - said - positive + 2.0 * both) / items;
            error += 2.0 * variance.sqrt() / items;
        }
        let runs = margins.len() as f64;
        let (share, expected, error) = (share / runs, expected / runs, error / runs);
        let z = if error > 0.0 { (share - expected) / error } else { 0.0 };
        Some(Chance { share, expected, z })
    }
}
