//! The one two-level bootstrap.
//!
//! A replicate draws clusters of items with replacement, the same for everything scored on the panel, so that what
//! method, weak teacher and ceiling have in common on easy and hard items is carried along; and seeds with replacement,
//! the same for outcomes with equal seeds, so that pairing is kept (the product-weight bootstrap of crossed factors, Owen and
//! Eckles 2012, which is mildly conservative). Resampling n seeds understates their variance by (n − 1)/n; deviations of
//! seed weights are scaled by √(n/(n − 1)) (Davison and Hinkley 1997, section 2.3 on small samples), and intervals use
//! Student's t with Satterthwaite's degrees of freedom ([`super::estimate`]), since three or ten seeds do not make a normal.

use super::outcomes::{Outcomes, Panel, mean, variance};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Replicates of everything that is shown.
pub const REPLICATES: usize = 2000;

/// Cluster draws of one panel.
pub struct Bootstrap {
    panel: Panel,
    seed: u64,
    /// Times a cluster was drawn, `[replicates][clusters]`.
    draws: Vec<Vec<u16>>,
    /// Items drawn, `[replicates]`.
    drawn_items: Vec<f64>,
}

/// An accuracy with its replicates.
#[derive(Clone, Debug)]
pub struct Replicated {
    /// The accuracy.
    pub value: f64,
    /// Accuracy per seed.
    pub by_seed: Vec<f64>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// `[replicates]`: with clusters and seeds resampled.
    pub draws: Vec<f64>,
    /// Number of clusters.
    pub clusters: usize,
}

impl Replicated {
    /// Variance of the mean from seeds alone.
    pub fn seed_variance(&self) -> f64 {
        variance(&self.by_seed) / self.by_seed.len().max(1) as f64
    }
}

impl Bootstrap {
    /// Draw clusters once for a panel.
    pub fn new(panel: &Panel, replicates: usize, seed: u64) -> Self {
        let mut sizes = vec![0u32; panel.clusters];
        for &cluster in &panel.cluster {
            sizes[cluster as usize] += 1;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draws = Vec::with_capacity(replicates);
        for _ in 0..replicates {
            let mut counts = vec![0u16; panel.clusters];
            for _ in 0..panel.clusters {
                counts[rng.random_range(0..panel.clusters)] += 1;
            }
            draws.push(counts);
        }
        let items =
            |counts: &Vec<u16>| counts.iter().zip(&sizes).map(|(&n, &size)| f64::from(n) * f64::from(size)).sum();
        Self { panel: panel.clone(), seed, drawn_items: draws.iter().map(items).collect(), draws }
    }

    /// The panel.
    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    /// Replicate an accuracy. `outcomes` must be of this panel's items.
    pub fn accuracy(&self, outcomes: &Outcomes) -> Replicated {
        let by_cluster: Vec<Vec<f32>> = outcomes.correct.iter().map(|row| self.by_cluster(row)).collect();
        let n = outcomes.seeds.len();
        let mut rng = ChaCha8Rng::seed_from_u64(
            outcomes
                .seeds
                .iter()
                .fold(self.seed, |hash, seed| (hash ^ seed).wrapping_mul(0x0100_0000_01b3).rotate_left(17)),
        );
        let stretch = if n > 1 { (n as f64 / (n - 1) as f64).sqrt() } else { 1.0 };
        let mut counts = vec![0u32; n];
        let draws = self.draws.iter().zip(&self.drawn_items).map(|(clusters, items)| {
            counts.fill(0);
            for _ in 0..n {
                counts[rng.random_range(0..n)] += 1;
            }
            let weight = |count: u32| (1.0 + stretch * (f64::from(count) - 1.0)) / n as f64;
            let hits =
                |row: &[f32]| row.iter().zip(clusters).map(|(hits, &times)| hits * f32::from(times)).sum::<f32>();
            by_cluster.iter().zip(&counts).map(|(row, &count)| weight(count) * f64::from(hits(row)) / items).sum()
        });
        let draws = draws.collect();
        let by_seed = outcomes.by_seed(|_| true);
        Replicated {
            value: mean(&by_seed),
            by_seed,
            seeds: outcomes.seeds.clone(),
            draws,
            clusters: self.panel.clusters,
        }
    }

    fn by_cluster(&self, row: &[bool]) -> Vec<f32> {
        let mut hits = vec![0.0; self.panel.clusters];
        for (&cluster, &right) in self.panel.cluster.iter().zip(row) {
            hits[cluster as usize] += f32::from(u8::from(right));
        }
        hits
    }
}
