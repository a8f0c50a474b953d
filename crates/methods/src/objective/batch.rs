//! Batches: rows in random order, with their targets and weights.

use super::TrainSpec;
use aar_lm::Rows;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A row's index and whether it comes in the other order.
pub type Pick = (usize, bool);

/// What is trained on, as tokens.
pub struct Lessons<'a> {
    /// The rows.
    pub rows: &'a Rows,
    /// The same in the other order, where swapping is asked for.
    pub turned: Option<&'a Rows>,
    /// Their targets and weights.
    pub spec: &'a TrainSpec<'a>,
}

/// Rows with targets and weights.
pub struct Batch {
    /// Tokens.
    pub rows: Rows,
    /// P(positive).
    pub targets: Vec<f32>,
    /// Weights.
    pub weights: Vec<f32>,
}

impl Lessons<'_> {
    /// The picked rows; a swapped row's target is swapped too.
    pub fn batch(&self, picks: &[Pick]) -> Batch {
        let row = |&(i, swap): &Pick| match self.turned {
            Some(turned) if swap => turned.row(i),
            _ => self.rows.row(i),
        };
        let target = |&(i, swap): &Pick| {
            if swap { 1.0 - self.spec.targets[i] } else { self.spec.targets[i] }
        };
        Batch {
            rows: picks.iter().map(row).collect(),
            targets: picks.iter().map(target).collect(),
            weights: picks.iter().map(|&(i, _)| self.spec.weights[i]).collect(),
        }
    }
}

/// Rows in a fresh random order each epoch.
pub struct Draw {
    order: Vec<usize>,
    at: usize,
    rng: ChaCha8Rng,
}

impl Draw {
    /// Of so many rows.
    pub fn new(rows: usize, seed: u64) -> Self {
        Self { order: (0..rows).collect(), at: rows, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Indices with a coin for swapping; the coin is only tossed where it is used.
    pub fn next(&mut self, count: usize, coin: bool) -> Vec<Pick> {
        (0..count)
            .map(|_| {
                if self.at == self.order.len() {
                    self.order.shuffle(&mut self.rng);
                    self.at = 0;
                }
                self.at += 1;
                (self.order[self.at - 1], coin && self.rng.random::<bool>())
            })
            .collect()
    }

    /// Any of these rows, each time anew.
    pub fn among(&mut self, rows: &[usize], count: usize, coin: bool) -> Vec<Pick> {
        (0..count).map(|_| (rows[self.rng.random_range(0..rows.len())], coin && self.rng.random::<bool>())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_drawn_once_per_epoch() {
        let mut draw = Draw::new(10, 1);
        let mut seen: Vec<usize> = (0..5).flat_map(|_| draw.next(2, false)).map(|(i, _)| i).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
}
