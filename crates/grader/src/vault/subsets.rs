//! A method on the parts of a split, for the operator.

use super::Vault;
use aar_domain::item::Distribution;
use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;

/// One part of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Subset {
    /// Which.
    pub distribution: Distribution,
    /// Its items.
    pub items: usize,
    /// Mean accuracy of the weak teachers on it.
    pub weak: f64,
    /// Mean accuracy of the ceilings on it.
    pub ceiling: f64,
    /// The method's accuracy on it per seed, in the order of the seeds.
    pub by_seed: Vec<f64>,
}

impl Subset {
    /// The method's mean accuracy.
    pub fn accuracy(&self) -> f64 {
        self.by_seed.iter().sum::<f64>() / self.by_seed.len().max(1) as f64
    }
}

impl Vault {
    /// A method on the parts of a split; none where the testbed does not tell them apart.
    pub fn subsets(&self, split: Split, outcomes: &Outcomes) -> Vec<Subset> {
        let sealed = self.split(split);
        let Some(marks) = sealed.panel.distribution.as_ref() else { return vec![] };
        let part = |distribution: Distribution| Subset {
            distribution,
            items: marks.iter().filter(|mark| **mark == distribution).count(),
            weak: sealed.weak.accuracy_on(&sealed.panel, distribution).unwrap_or_default(),
            ceiling: sealed.ceiling.accuracy_on(&sealed.panel, distribution).unwrap_or_default(),
            by_seed: outcomes.by_seed(|item| marks[item] == distribution),
        };
        [Distribution::In, Distribution::Out].map(part).into_iter().filter(|subset| subset.items > 0).collect()
    }
}
