//! More weight on rows that shallow text features can't explain: a bag-of-words logistic regression is fitted to the
//! targets, and the rows it gets wrong share half of the total weight (reweighting by a shallow model, Utama et al. 2020, in its
//! simplest form; He et al. 2019 fit what such a model leaves). Where a teacher leans on a surface cue, these are the rows on which it saw more.

use crate::readout::Fit;
use aar_domain::item::Item;
use std::collections::HashMap;

/// Words that occur fewer times are left out.
const MIN_COUNT: usize = 5;
/// Words at most, the most frequent first.
const MAX_WORDS: usize = 1000;
/// Penalty of the bag of words.
const L2: f32 = 1e-3;

/// Weight per row: rows the bag of words explains share one half, the others the other half.
pub fn raw(items: &[Item], targets: &[f32]) -> Vec<f32> {
    let (features, width) = bag_of_words(items);
    let weights = vec![1.0; items.len()];
    let fit = Fit { features: &features, width, targets, weights: &weights, l2: L2, intercept: true };
    let margins = fit.run().margins(&features);
    let explained: Vec<bool> = margins.iter().zip(targets).map(|(m, t)| (*m > 0.0) == (*t > 0.5)).collect();
    let count = explained.iter().filter(|&&yes| yes).count();
    let (inside, outside) = (count.max(1) as f32, (items.len() - count).max(1) as f32);
    explained.into_iter().map(|yes| 0.5 / if yes { inside } else { outside }).collect()
}

/// Counts of words, first minus second reply for a pair, `[items, words]`; the last two columns are the length and the
/// number of words outside the list.
pub fn bag_of_words(items: &[Item]) -> (Vec<f32>, usize) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (text, _) in items.iter().flat_map(signed_texts) {
        for word in text.split_whitespace() {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut words: Vec<(&str, usize)> = counts.into_iter().filter(|&(_, count)| count >= MIN_COUNT).collect();
    words.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    words.truncate(MAX_WORDS);
    let place: HashMap<&str, usize> = words.iter().enumerate().map(|(i, &(word, _))| (word, i)).collect();
    let width = place.len() + 2;
    let mut features = vec![0.0; items.len() * width];
    for (item, row) in items.iter().zip(features.chunks_exact_mut(width)) {
        for (text, sign) in signed_texts(item) {
            for word in text.split_whitespace() {
                row[place.get(word).copied().unwrap_or(width - 1)] += sign;
                row[width - 2] += sign * 0.1;
            }
        }
    }
    (features, width)
}

fn signed_texts(item: &Item) -> Vec<(&str, f32)> {
    match item {
        Item::Preference { first, second, .. } => {
            vec![(first.as_str(), 1.0), (second.as_str(), -1.0)]
        }
        Item::Binary { question, choice, .. } => vec![(question.as_str(), 1.0), (choice.as_str(), 1.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 80 % of the labels follow a polite word; the 20 % that do not must end with half of the weight.
    #[test]
    fn rows_against_the_cue_get_half_of_the_weight() {
        let item = |i: usize| Item::Preference {
            id: i.to_string().as_str().into(),
            prompt: String::new(),
            first: "please x".into(),
            second: "y y".into(),
        };
        let items: Vec<Item> = (0..50).map(|i| if i % 2 == 0 { item(i) } else { item(i).swapped().unwrap() }).collect();
        let cue = |i: usize| f32::from(u8::from(i.is_multiple_of(2)));
        let targets: Vec<f32> = (0..50).map(|i| if i % 5 == 0 { 1.0 - cue(i) } else { cue(i) }).collect();
        let weights = raw(&items, &targets);
        let against: f32 = (0..50).filter(|i| i % 5 == 0).map(|i| weights[i]).sum();
        assert!((against - 0.5).abs() < 1e-5, "{against}");
    }
}
