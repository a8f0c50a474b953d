//! What a shortcut gets that learns from the teacher's labelled set and never knows a fact.

use crate::draw::{Draw, Sample};
use crate::surface::replies;
use crate::teacher::Teacher;
use aar_domain::item::Item;
use aar_methods::readout::Fit;
use std::collections::HashMap;

/// Labelled sets that shortcuts learn from, one after the other.
const SEEDS: usize = 3;

/// (name, pooled accuracy on `test`, mean over labelled sets).
pub fn measure(draw: &Draw, test: &Sample) -> Vec<(&'static str, f64)> {
    let mut sums = [0.0; 4];
    for seed in 0..SEEDS {
        let labelled = Teacher::labelled(draw, seed);
        for (sum, value) in sums.iter_mut().zip([
            bag_of_words(draw.world.words(), &labelled, test),
            threshold(&labelled, test, length),
            threshold(&labelled, test, |_| 1.0),
            most_common(&labelled, test),
        ]) {
            *sum += value / SEEDS as f64;
        }
    }
    ["bag of words", "length", "position", "most common answer"].into_iter().zip(sums).collect()
}

fn binary(item: &Item) -> bool {
    matches!(item, Item::Binary { .. })
}

/// Words of the first reply more than of the second.
fn length(item: &Item) -> f64 {
    let (first, second) = replies(item);
    first.split(' ').count() as f64 - second.split(' ').count() as f64
}

/// Follow a number's sign, in whichever direction the labelled set says.
fn threshold(labelled: &Sample, test: &Sample, number: impl Fn(&Item) -> f64) -> f64 {
    let numbers = |sample: &Sample| sample.items.iter().map(|item| number(item) as f32).collect::<Vec<_>>();
    // A single answer has no other to be compared with: between the labelled set's lesser half and its greater.
    let mut sorted = numbers(labelled);
    sorted.sort_by(f32::total_cmp);
    let middle = if labelled.items.iter().any(binary) { sorted[sorted.len() / 2] - 0.5 } else { 0.0 };
    let margins = |sample: &Sample| numbers(sample).into_iter().map(|number| number - middle).collect::<Vec<_>>();
    let mut answers = margins(test);
    if labelled.accuracy(&margins(labelled)) < 0.5 {
        answers.iter_mut().for_each(|margin| *margin = -*margin);
    }
    test.accuracy(&answers)
}

/// Words to places.
fn place_of_words(words: &[String]) -> HashMap<&str, usize> {
    words.iter().enumerate().map(|(i, word)| (word.as_str(), i)).collect()
}

/// Counts of words, first reply minus second, `[items, words]`.
fn counts(place: &HashMap<&str, usize>, items: &[Item]) -> Vec<f32> {
    let mut out = vec![0.0f32; items.len() * place.len()];
    for (row, item) in out.chunks_exact_mut(place.len()).zip(items) {
        let (first, second) = replies(item);
        let mut count = |text: &str, sign: f32| {
            text.split(' ').filter_map(|word| place.get(word)).for_each(|&i| row[i] += sign);
        };
        count(first, 1.0);
        count(second, -1.0);
    }
    out
}

/// Logistic regression on counts of words.
fn bag_of_words(words: &[String], labelled: &Sample, test: &Sample) -> f64 {
    let place = place_of_words(words);
    let features = |sample: &Sample| counts(&place, &sample.items);
    let readout = Fit {
        features: &features(labelled),
        width: words.len(),
        targets: &labelled.targets(),
        weights: &vec![1.0; labelled.items.len()],
        l2: 1e-2,
        intercept: labelled.items.iter().any(binary),
    }
    .run();
    test.accuracy(&readout.margins(&features(test)))
}

/// Prefer the reply whose words were right more often in the labelled set, by its best word.
fn most_common(labelled: &Sample, test: &Sample) -> f64 {
    let mut right: HashMap<&str, (f64, f64)> = HashMap::new();
    for row in &labelled.rows {
        let (first, second) = replies(&row.item);
        let mut note = |text, good: bool| {
            for word in str::split(text, ' ') {
                let entry = right.entry(word).or_default();
                entry.0 += f64::from(u8::from(good));
                entry.1 += 1.0;
            }
        };
        note(first, row.positive);
        if !binary(&row.item) {
            note(second, !row.positive);
        }
    }
    let score = |text: &str| {
        text.split(' ')
            .filter_map(|word| right.get(word))
            .map(|(good, all)| (good + 1.0) / (all + 2.0))
            .fold(0.5, f64::max)
    };
    let odds = |text: &str| {
        let known = text.split(' ').filter_map(|word| right.get(word));
        known.map(|(good, all)| ((good + 1.0) / (all - good + 1.0)).ln()).sum::<f64>()
    };
    let margins: Vec<f32> = test
        .items
        .iter()
        .map(|item| {
            let (first, second) = replies(item);
            // A single answer is compared with a coin by all its words, as its best word says nothing against it.
            if binary(item) { odds(first) as f32 } else { (score(first) - score(second)) as f32 }
        })
        .collect();
    test.accuracy(&margins)
}
