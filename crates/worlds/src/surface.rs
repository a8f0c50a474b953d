//! What items look like, words without what they say: what a shortcut learns from weak labels that never asks the student.

use aar_domain::item::Item;
use aar_methods::readout::{Fit, Readout};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A word that stands in fewer than one pool item of so many is a fact, not a form.
const OFTEN: usize = 50;
/// Clusters of surface forms.
const CLUSTERS: usize = 8;
/// Rounds of the clustering.
const ROUNDS: usize = 20;
/// Penalty of the readout.
const L2: f32 = 1e-2;

/// Counts of frequent words in pool and test items, `[items, words]`, first reply minus second.
pub struct Surface {
    width: usize,
    pool: Vec<f32>,
    test: Vec<f32>,
    intercept: bool,
}

/// Surface forms, in clusters.
pub struct Clusters {
    /// Each pool item's, `[items]`.
    pool: Vec<usize>,
    /// Each test item's.
    test: Vec<usize>,
}

/// What is judged: a pair's replies, or one answer and nothing.
pub(crate) fn replies(item: &Item) -> (&str, &str) {
    match item {
        Item::Preference { first, second, .. } => (first, second),
        Item::Binary { choice, .. } => (choice, ""),
    }
}

impl Surface {
    /// Of a pool and the items that are to be answered.
    pub fn new(pool: &[Item], test: &[Item]) -> Self {
        let mut items = BTreeMap::<&str, usize>::new();
        for item in pool {
            let (first, second) = replies(item);
            let words: BTreeSet<&str> = first.split_whitespace().chain(second.split_whitespace()).collect();
            words.into_iter().for_each(|word| *items.entry(word).or_default() += 1);
        }
        let often = items.into_iter().filter(|(_, count)| count * OFTEN > pool.len());
        let place: HashMap<&str, usize> = often.enumerate().map(|(at, (word, _))| (word, at)).collect();
        Self {
            width: place.len(),
            pool: counts(&place, pool),
            test: counts(&place, test),
            intercept: pool.iter().any(|item| matches!(item, Item::Binary { .. })),
        }
    }

    /// Margins of the test items that follow (or, with -1, go against) the words that tell the teacher's answer best.
    pub fn cues(&self, soft: &[f32], sign: f32) -> Vec<f32> {
        let weights = vec![1.0; soft.len()];
        let fit = Fit {
            features: &self.pool,
            width: self.width,
            targets: soft,
            weights: &weights,
            l2: L2,
            intercept: self.intercept,
        };
        let Readout { weight, bias } = fit.run();
        Readout { weight: weight.iter().map(|w| sign * w).collect(), bias: sign * bias }.margins(&self.test)
    }

    /// Clusters of the pool's rows (k-means, Lloyd 1982), and the test items' nearest ones.
    pub fn clusters(&self, rng: &mut ChaCha8Rng) -> Clusters {
        let row = |at: usize| &self.pool[at * self.width..(at + 1) * self.width];
        let count = self.pool.len().checked_div(self.width).unwrap_or(0);
        let mut centres: Vec<Vec<f32>> = match count {
            0 => vec![],
            _ => (0..CLUSTERS).map(|_| row(rng.random_range(0..count)).to_vec()).collect(),
        };
        let members = |centres: &[Vec<f32>], rows: &[f32]| -> Vec<usize> {
            rows.chunks_exact(self.width.max(1)).map(|row| nearest(centres, row)).collect()
        };
        let mut pool = vec![];
        for _ in 0..ROUNDS {
            pool = members(&centres, &self.pool);
            for (place, centre) in centres.iter_mut().enumerate() {
                let own: Vec<usize> = (0..count).filter(|&at| pool[at] == place).collect();
                if !own.is_empty() {
                    let of = |word: usize| own.iter().map(|&at| row(at)[word]).sum::<f32>() / own.len() as f32;
                    *centre = (0..self.width).map(of).collect();
                }
            }
        }
        Clusters { pool, test: members(&centres, &self.test) }
    }
}

impl Clusters {
    /// Margins of the test items: the mean weak label of the nearest cluster, above the pool's mean.
    pub fn margins(&self, soft: &[f32]) -> Vec<f32> {
        let average = |p: &mut dyn Iterator<Item = f32>| {
            let (sum, n) = p.fold((0.0, 0.0f32), |(sum, n), p| (sum + p, n + 1.0));
            if n > 0.0 { sum / n } else { 0.5 }
        };
        let all = average(&mut soft.iter().copied());
        let of = |place: usize| soft.iter().zip(&self.pool).filter(move |(_, own)| **own == place).map(|(p, _)| *p);
        let label: Vec<f32> = (0..CLUSTERS).map(|place| average(&mut of(place)) - all).collect();
        self.test.iter().map(|&place| label[place]).collect()
    }
}

fn counts(place: &HashMap<&str, usize>, items: &[Item]) -> Vec<f32> {
    let width = place.len();
    let mut out = vec![0.0f32; items.len() * width];
    for (row, item) in out.chunks_exact_mut(width.max(1)).zip(items) {
        let (first, second) = replies(item);
        for (text, sign) in [(first, 1.0), (second, -1.0)] {
            text.split_whitespace().filter_map(|word| place.get(word)).for_each(|&at| row[at] += sign);
        }
    }
    out
}

fn nearest(centres: &[Vec<f32>], row: &[f32]) -> usize {
    let distance = |centre: &[f32]| centre.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let far: Vec<f32> = centres.iter().map(|centre| distance(centre)).collect();
    (0..far.len()).min_by(|&a, &b| far[a].total_cmp(&far[b])).unwrap_or(0)
}
