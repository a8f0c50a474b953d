//! Ways to answer without knowing anything, which this data may reward: how often a method answers as they do.

use crate::error::StudyError;
use aar_domain::item::{Item, SoftLabel};
use std::collections::HashMap;
use std::path::Path;

/// A shortcut's answers on the selection split: whether each is the positive one.
pub struct Shortcut {
    /// What it goes by.
    pub name: &'static str,
    /// Item by item.
    pub answers: Vec<bool>,
}

/// All shortcuts of a testbed. What they have to learn they learn from the bench teacher's labels.
pub fn all(testbed: &Path) -> Result<Vec<Shortcut>, StudyError> {
    let pool: Vec<Item> = read(&testbed.join("public/pool.jsonl"))?;
    let said: Vec<SoftLabel> = read(&testbed.join("public/weak.jsonl"))?;
    let test: Vec<Item> = read(&testbed.join("hidden/inputs/selection.jsonl"))?;
    let said: HashMap<&str, bool> = said.iter().map(|label| (label.id.0.as_str(), label.p > 0.5)).collect();
    let labels: Vec<bool> = pool.iter().map(|item| said.get(item.id().0.as_str()).copied().unwrap_or(false)).collect();
    let common = labels.iter().filter(|&&label| label).count() * 2 >= labels.len();
    Ok(vec![
        Shortcut { name: "the most common answer", answers: vec![common; test.len()] },
        Shortcut { name: "length", answers: by_number(&pool, &labels, &test, length) },
        Shortcut { name: "bag of words", answers: bag_of_words(&pool, &labels, &test) },
    ])
}

/// Share of items on which margins `[runs][items]` answer as a shortcut does, the mean over runs.
pub fn agreement(margins: &[Vec<f32>], answers: &[bool]) -> f64 {
    let share = |row: &Vec<f32>| {
        row.iter().zip(answers).filter(|&(&margin, &answer)| (margin > 0.0) == answer).count() as f64
            / answers.len().max(1) as f64
    };
    margins.iter().map(share).sum::<f64>() / margins.len().max(1) as f64
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>, StudyError> {
    let text = std::fs::read_to_string(path).map_err(StudyError::file("read", path))?;
    let rows: Result<Vec<T>, _> =
        text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect();
    rows.map_err(|error| StudyError::Testbed { path: path.to_owned(), detail: error.to_string() })
}

/// The two texts that are compared; a binary item has one.
fn texts(item: &Item) -> (&str, &str) {
    match item {
        Item::Preference { first, second, .. } => (first, second),
        Item::Binary { choice, .. } => (choice, ""),
    }
}

fn length(item: &Item) -> f64 {
    let (first, second) = texts(item);
    first.split_whitespace().count() as f64 - second.split_whitespace().count() as f64
}

/// Above the pool's median or not, in the direction that the labels say.
fn by_number(pool: &[Item], labels: &[bool], test: &[Item], number: impl Fn(&Item) -> f64) -> Vec<bool> {
    let numbers: Vec<f64> = pool.iter().map(&number).collect();
    let mut sorted = numbers.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let agree = numbers.iter().zip(labels).filter(|&(&number, &label)| (number > middle) == label).count();
    let follow = 2 * agree >= labels.len();
    test.iter().map(|item| (number(item) > middle) == follow).collect()
}

/// Naive Bayes over words, first text against second.
fn bag_of_words(pool: &[Item], labels: &[bool], test: &[Item]) -> Vec<bool> {
    let mut seen: HashMap<&str, [f64; 2]> = HashMap::new();
    for (item, &label) in pool.iter().zip(labels) {
        let (first, second) = texts(item);
        let mut note = |text, good: bool| {
            for word in str::split_whitespace(text) {
                seen.entry(word).or_default()[usize::from(good)] += 1.0;
            }
        };
        note(first, label);
        note(second, !label);
    }
    let odds = |text: &str| -> f64 {
        let known = text.split_whitespace().filter_map(|word| seen.get(word));
        known.map(|[bad, good]| ((good + 1.0) / (bad + 1.0)).ln()).sum()
    };
    test.iter().map(|item| odds(texts(item).0) > odds(texts(item).1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_learn_what_there_is_to_learn() {
        let item = |id: usize, first: &str, second: &str| Item::Preference {
            id: id.to_string().as_str().into(),
            prompt: "p".into(),
            first: first.into(),
            second: second.into(),
        };
        let pool = [item(0, "good one", "bad"), item(1, "bad", "good two"), item(2, "bad x", "good")];
        let labels = [true, false, false];
        let test = [item(3, "good", "bad"), item(4, "bad more words", "good")];
        assert_eq!(bag_of_words(&pool, &labels, &test), [true, false]);
        assert_eq!(by_number(&pool, &labels, &test, length), [false, true]);
        assert_eq!(agreement(&[vec![1.0, -1.0], vec![1.0, 1.0]], &[true, false]), 0.75);
    }
}
