//! How far one feature gets by itself: the one way of measuring a leak.
//!
//! Rows are cut into two folds by cluster. What the feature says of the label is learned on one fold and tried on the
//! other, so that a feature with many values gets nothing by chance; a value that was not seen earns half a point.

use std::collections::HashMap;
use std::hash::Hash;

/// A feature of every row.
pub enum Feature {
    /// Values without order.
    Category(Vec<String>),
    /// Numbers; a threshold and bands are tried.
    Number(Vec<f64>),
}

/// An accuracy with its interval over clusters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Credit {
    /// Mean over rows.
    pub value: f64,
    /// 95 % interval.
    pub low: f64,
    /// 95 % interval.
    pub high: f64,
}

/// Bands that numbers are cut into.
const BANDS: usize = 16;
/// Times a value must have been seen for it to say anything.
const SEEN: u32 = 2;

impl Credit {
    /// Mean of points per row, with the clusters' own spread (Liang and Zeger 1986).
    pub fn of(points: &[f64], clusters: &[&str]) -> Self {
        let n = points.len().max(1) as f64;
        let value = points.iter().sum::<f64>() / n;
        let mut sums: HashMap<&str, f64> = HashMap::new();
        for (point, cluster) in points.iter().zip(clusters) {
            *sums.entry(cluster).or_default() += point - value;
        }
        let se = sums.values().map(|sum| sum * sum).sum::<f64>().sqrt() / n;
        Self { value, low: value - 1.96 * se, high: value + 1.96 * se }
    }

    /// The interval, for a measure.
    pub fn interval(&self) -> Option<[f64; 2]> {
        Some([self.low, self.high])
    }
}

/// How far the feature gets, less what always giving the more frequent label gets beyond one half: that is reported
/// by itself.
pub fn credit(feature: &Feature, labels: &[bool], clusters: &[&str]) -> Credit {
    let folds: Vec<bool> = clusters.iter().map(|cluster| fold(cluster)).collect();
    let points = match feature {
        Feature::Category(values) => by_value(values, labels, &folds),
        Feature::Number(values) => {
            let bands = by_value(&bands(values), labels, &folds);
            let cut = by_threshold(values, labels, &folds);
            if bands.iter().sum::<f64>() > cut.iter().sum::<f64>() { bands } else { cut }
        }
    };
    let mut credit = Credit::of(&points, clusters);
    let positive = labels.iter().filter(|&&label| label).count() as f64 / labels.len().max(1) as f64;
    let majority = (positive - 0.5).abs();
    credit.value -= majority;
    credit.low -= majority;
    credit.high -= majority;
    credit
}

/// One of two folds: the parity of a hash that stays the same between versions (FNV-1a).
fn fold(cluster: &str) -> bool {
    let hash = cluster
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32) & 1 == 1
}

/// Points for saying of each value what was more frequent in the other fold.
fn by_value<T: Eq + Hash>(values: &[T], labels: &[bool], folds: &[bool]) -> Vec<f64> {
    let mut seen: HashMap<(bool, &T), [u32; 2]> = HashMap::new();
    for ((value, &label), &fold) in values.iter().zip(labels).zip(folds) {
        seen.entry((fold, value)).or_default()[usize::from(label)] += 1;
    }
    let point = |((value, &label), &fold): ((&T, &bool), &bool)| match seen.get(&(!fold, value)) {
        Some([no, yes]) if no + yes >= SEEN && no != yes => f64::from(u8::from((yes > no) == label)),
        _ => 0.5,
    };
    values.iter().zip(labels).zip(folds).map(point).collect()
}

/// Points for the threshold that is best in the other fold.
fn by_threshold(values: &[f64], labels: &[bool], folds: &[bool]) -> Vec<f64> {
    let cuts = [false, true].map(|fold| {
        let rows = values.iter().zip(labels).zip(folds).filter(|&(_, &of)| of == fold);
        best_cut(rows.map(|((&value, &label), _)| (value, label)).collect())
    });
    let point = |((&value, &label), &fold): ((&f64, &bool), &bool)| match cuts[usize::from(!fold)] {
        Some((cut, above)) => f64::from(u8::from(((value > cut) == above) == label)),
        None => 0.5,
    };
    values.iter().zip(labels).zip(folds).map(point).collect()
}

/// The value above which `above` is the answer; `None` where all values are one.
fn best_cut(mut rows: Vec<(f64, bool)>) -> Option<(f64, bool)> {
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: i64 = rows.iter().map(|&(_, label)| if label { 1 } else { -1 }).sum();
    let (mut below, mut best, mut found) = (0, -1, None);
    for pair in rows.windows(2) {
        below += if pair[0].1 { 1 } else { -1 };
        // Labels above less labels below: twice how much better than chance the cut is.
        let gain: i64 = total - 2 * below;
        if pair[0].0 < pair[1].0 && gain.abs() > best {
            best = gain.abs();
            found = Some((pair[0].0, gain > 0));
        }
    }
    found
}

/// The band of each number; equal numbers share one.
fn bands(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..BANDS).filter_map(|k| sorted.get(k * sorted.len() / BANDS).copied()).collect();
    cuts.dedup();
    values.iter().map(|value| cuts.partition_point(|cut| cut <= value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn chance_gets_half_and_a_leak_gets_what_it_tells() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        // As many of each: what always giving the more frequent one gets is taken off.
        let labels: Vec<bool> = (0..2000).map(|i| i % 2 == 0).collect();
        let names: Vec<String> = (0..2000).map(|i| i.to_string()).collect();
        let clusters: Vec<&str> = names.iter().map(String::as_str).collect();
        let noise: Vec<f64> = labels.iter().map(|_| rng.random()).collect();
        let told: Vec<f64> = labels.iter().map(|&l| f64::from(u8::from(rng.random_bool(0.8) == l))).collect();
        let far = |feature: Feature| credit(&feature, &labels, &clusters);
        assert!((far(Feature::Number(noise.clone())).value - 0.5).abs() < 0.05);
        assert!((far(Feature::Category(names.clone())).value - 0.5).abs() < 1e-9);
        let told = far(Feature::Number(told));
        assert!((told.value - 0.8).abs() < 0.04 && told.low > 0.75, "{told:?}");
        let banded = noise.iter().zip(&labels).map(|(x, &l)| (x * 4.0).floor() * 2.0 + f64::from(u8::from(l)));
        assert!(far(Feature::Number(banded.collect())).value > 0.95, "bands find what a threshold can't");
    }

    #[test]
    fn a_frequent_label_is_no_leak() {
        let labels: Vec<bool> = (0..1000).map(|i| i % 10 < 8).collect();
        let names: Vec<String> = (0..1000).map(|i| i.to_string()).collect();
        let clusters: Vec<&str> = names.iter().map(String::as_str).collect();
        let same = Feature::Category(vec!["x".into(); 1000]);
        assert!((credit(&same, &labels, &clusters).value - 0.5).abs() < 0.02);
    }
}
