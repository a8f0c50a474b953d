//! Texts that are nearly the same, by MinHash with bands (Broder 1997; Leskovec et al., chapter 3) and then exactly.

use super::words::words;
use std::collections::{HashMap, HashSet};

/// Words per shingle.
const SHINGLE: usize = 3;
/// Texts with fewer words are only compared whole: a few words in common are no copy.
const FEWEST: usize = 8;
/// Bands, and hashes per band: a pair at the limit is missed once in 500 times.
const BANDS: usize = 12;
const PER_BAND: usize = 4;
/// Jaccard similarity from which two texts are near-duplicates.
pub const LIMIT: f64 = 0.8;

/// The shingles of a text, hashed; `None` where it is too short.
pub fn shingles(text: &str) -> Option<HashSet<u64>> {
    let words = words(text);
    (words.len() >= FEWEST).then(|| words.windows(SHINGLE).map(|window| fnv(window.join(" ").as_bytes())).collect())
}

/// Pairs (row of `a`, row of `b`) of near-duplicates, each row of `b` at most once.
pub fn pairs(a: &[Option<HashSet<u64>>], b: &[Option<HashSet<u64>>]) -> Vec<(usize, usize)> {
    let mut buckets: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for (row, set) in a.iter().enumerate() {
        for key in set.iter().flat_map(keys) {
            buckets.entry(key).or_default().push(row);
        }
    }
    let mut found = Vec::new();
    for (row, set) in b.iter().enumerate() {
        let Some(set) = set else { continue };
        let candidates: HashSet<usize> =
            keys(set).iter().filter_map(|key| buckets.get(key)).flatten().copied().collect();
        let near = |&other: &usize| a[other].as_ref().is_some_and(|other| jaccard(other, set) >= LIMIT);
        if let Some(other) = candidates.into_iter().filter(near).min() {
            found.push((other, row));
        }
    }
    found
}

fn keys(set: &HashSet<u64>) -> Vec<(usize, u64)> {
    let least = |k: usize| set.iter().map(|&shingle| mix(shingle, k as u64)).min().unwrap_or(0);
    let band = |band: usize| (0..PER_BAND).fold(0u64, |hash, k| hash.rotate_left(13) ^ least(band * PER_BAND + k));
    (0..BANDS).map(|at| (at, band(at))).collect()
}

fn jaccard(a: &HashSet<u64>, b: &HashSet<u64>) -> f64 {
    let common = a.intersection(b).count() as f64;
    common / (a.len() as f64 + b.len() as f64 - common).max(1.0)
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One of many hashes of a hash (the finaliser of SplitMix64).
fn mix(value: u64, k: u64) -> u64 {
    let mut z = value.wrapping_add((k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_changed_in_a_long_text_is_near_and_another_text_is_not() {
        let text = |n: usize, changed: usize| {
            (0..60)
                .map(|i| if i == changed { "changed".into() } else { format!("w{}", i * n) })
                .collect::<Vec<_>>()
                .join(" ")
        };
        let a = [shingles(&text(1, 99)), shingles(&text(7, 99))];
        let b = [shingles(&text(7, 30)), shingles(&text(3, 99)), shingles("too short")];
        assert_eq!(pairs(&a, &b), [(1, 0)]);
    }
}
