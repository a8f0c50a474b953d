//! Which answers were right.

use crate::item::Distribution;
use std::collections::BTreeMap;

/// The items of a split: what is the same for everything that is scored on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Cluster of every item, numbered from 0 without gaps.
    pub cluster: Vec<u32>,
    /// Distribution of every item; `None` where the testbed has no such parts.
    pub distribution: Option<Vec<Distribution>>,
    /// Number of clusters.
    pub clusters: usize,
}

impl Panel {
    /// From the clusters' names, item by item.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, distribution: Option<Vec<Distribution>>) -> Self {
        let mut known = BTreeMap::new();
        let mut cluster = Vec::new();
        for name in names {
            let next = known.len() as u32;
            cluster.push(*known.entry(name.to_owned()).or_insert(next));
        }
        Self { cluster, distribution, clusters: known.len() }
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.cluster.len()
    }
}

/// Right and wrong answers, `[seeds][items]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// The seeds, in the order of the rows. Outcomes with equal seeds are compared pairwise.
    pub seeds: Vec<u64>,
    /// One row per seed.
    pub correct: Vec<Vec<bool>>,
}

impl Outcomes {
    /// Mean accuracy.
    pub fn accuracy(&self) -> f64 {
        mean(&self.by_seed(|_| true))
    }

    /// Mean accuracy on one distribution; `None` where the panel has no such parts.
    pub fn accuracy_on(&self, panel: &Panel, wanted: Distribution) -> Option<f64> {
        let marks = panel.distribution.as_ref()?;
        Some(mean(&self.by_seed(|item| marks[item] == wanted)))
    }

    /// Accuracy per seed over the items that pass.
    pub fn by_seed(&self, pass: impl Fn(usize) -> bool) -> Vec<f64> {
        let one = |row: &Vec<bool>| {
            let picked = row.iter().enumerate().filter(|&(item, _)| pass(item));
            let (hits, all) = picked.fold((0u32, 0u32), |(hits, all), (_, &right)| (hits + u32::from(right), all + 1));
            f64::from(hits) / f64::from(all.max(1))
        };
        self.correct.iter().map(one).collect()
    }
}

/// Arithmetic mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Unbiased variance; 0 of fewer than two.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let center = mean(values);
    values.iter().map(|value| (value - center).powi(2)).sum::<f64>() / (values.len().max(2) - 1) as f64
}
