//! The weak teacher of real data: logistic regression on hashed words and pairs of words, trained on a draw of the labelled set.

use super::rows::Labelled;
use aar_domain::item::Item;
use aar_methods::readout::{Fit, Readout};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Buckets that words are hashed into.
const WIDTH: usize = 2048;
/// Share of the labelled set that one teacher sees.
const SHARE: f64 = 0.8;
/// L2 penalty.
const L2: f32 = 3e-4;

/// A trained teacher.
pub struct Teacher(Readout);

/// Train the `draw`-th teacher.
pub fn train(labelled: &[Labelled], seed: u64, draw: u64) -> Teacher {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(draw + 1);
    let mut order: Vec<usize> = (0..labelled.len()).collect();
    order.shuffle(&mut rng);
    order.truncate(((labelled.len() as f64 * SHARE) as usize).max(1));
    let rows: Vec<&Labelled> = order.iter().map(|&i| &labelled[i]).collect();
    let features: Vec<f32> = rows.iter().flat_map(|row| features(&row.item)).collect();
    let targets: Vec<f32> = rows.iter().map(|row| f32::from(u8::from(row.positive))).collect();
    let binary = matches!(rows[0].item, Item::Binary { .. });
    let fit = Fit {
        features: &features,
        width: WIDTH,
        targets: &targets,
        weights: &vec![1.0; rows.len()],
        l2: L2,
        intercept: binary,
    };
    Teacher(fit.run())
}

impl Teacher {
    /// Margins, `[rows]`.
    pub fn margins(&self, rows: &[Labelled]) -> Vec<f32> {
        rows.iter().flat_map(|row| self.0.margins(&features(&row.item))).collect()
    }
}

/// Counts, scaled to unit length; of a pair the first reply's minus the second's.
fn features(item: &Item) -> Vec<f32> {
    let mut out = vec![0.0; WIDTH];
    let mut add = |text: &str, sign: f32| {
        let words: Vec<String> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        for word in &words {
            out[bucket(word)] += sign;
        }
        for pair in words.windows(2) {
            out[bucket(&pair.join(" "))] += sign;
        }
    };
    match item {
        Item::Preference { first, second, .. } => {
            add(first, 1.0);
            add(second, -1.0);
        }
        Item::Binary { question, choice, .. } => {
            add(question, 1.0);
            add(choice, 1.0);
        }
    }
    let length = out.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
    out.iter_mut().for_each(|x| *x /= length);
    out
}

fn bucket(word: &str) -> usize {
    let hash = Sha256::digest(word);
    usize::from(u16::from_le_bytes([hash[0], hash[1]])) % WIDTH
}
