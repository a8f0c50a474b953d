//! What gets far without understanding: length and looks, the most common answer, a tell-tale word, a bag of words.

use super::credit::{Credit, Feature, credit};
use super::material::{Material, Role, Row, Set};
use super::words::words;
use super::{Notes, Severity};
use crate::most_common;
use aar_domain::item::Item;
use aar_methods::readout::Fit;
use aar_methods::weight::residual::bag_of_words;
use std::collections::HashMap;

/// A shortcut may beat the weak teacher by this, as at a mint's check.
const OVER_WEAK: f64 = 0.05;
/// Whatever the teacher does, a shortcut that gets further leaves little to recover.
const MOST: f64 = 0.65;
/// From here on it is worth knowing, where it also beats the teacher.
const NOTABLE: f64 = 0.55;
/// Penalty of the bag of words.
const L2: f32 = 1e-2;

/// Look for them on the tests. `weak` is the teacher's accuracy.
pub fn find(material: &Material, weak: f64, notes: &mut Notes) {
    let limit = (weak.max(0.5) + OVER_WEAK).min(MOST);
    // Without the truth of its training set a testbed is tried with what a researcher holds: the teacher's labels of the pool.
    let pool = material.sets.iter().find(|set| set.role == Role::Pool && material.frozen.is_some());
    for set in material.sets.iter().filter(|set| set.role == Role::Test) {
        let Some(labels) = set.labels() else { continue };
        let clusters = set.clusters();
        for (name, feature) in looks(set) {
            let far = credit(&feature, &labels, &clusters);
            let remedy = format!("balance {name} within each label, or drop the items that give it away");
            judge("looks", set, &format!("{name} alone"), far, limit, &remedy, notes);
        }
        let common = Credit::of(&most_common(set, &labels), &clusters);
        let remedy = "keep as many right as wrong items per question and answer, or one item per question";
        judge("most-common-answer", set, "the most common answer to the question", common, limit, remedy, notes);
        tell_tales(set, pool, notes);
    }
    for (train, test) in learnable(material) {
        let (Some(known), Some(labels)) = (train.labels(), test.labels()) else { continue };
        let clusters = test.clusters();
        let far = |items: fn(&Row) -> Item| Credit::of(&by_bag(train, &known, test, &labels, items), &clusters);
        let remedy = "drop items that words give away, or pair every text with a counterpart of the other label";
        let whole = far(|row| row.item.clone());
        judge("bag-of-words", test, "a bag of words", whole, MOST.max(limit), remedy, notes);
        let remedy = "give every question right and wrong answers alike: the answer is not needed to judge it";
        let asked = far(|row| Item::Binary {
            id: row.item.id().clone(),
            question: row.question().into(),
            choice: String::new(),
        });
        judge("question-alone", test, "a bag of the question's words, without the answer", asked, limit, remedy, notes);
    }
}

fn judge(rule: &'static str, set: &Set, name: &str, far: Credit, limit: f64, remedy: &str, notes: &mut Notes) {
    notes.measure(format!("{name}, {}", set.name), far.value, far.interval());
    if far.low <= NOTABLE.max(limit - OVER_WEAK) {
        return;
    }
    let severity = if far.low > limit { Severity::Refused } else { Severity::Warning };
    let what = format!(
        "{name} gets {:.0} % (at least {:.0} %; refused above {:.0} %)",
        100.0 * far.value,
        100.0 * far.low,
        100.0 * limit
    );
    notes.find(rule, severity, &set.name, what, remedy);
}

/// What can be seen without reading; of a pair the first reply's less the second's.
fn looks(set: &Set) -> Vec<(&'static str, Feature)> {
    let number = |of: &dyn Fn(&str) -> usize| {
        let one = |row: &Row| of(row.replies().0) as f64 - of(row.replies().1) as f64;
        Feature::Number(set.rows.iter().map(one).collect())
    };
    let count = |pass: fn(char) -> bool| number(&|text| text.chars().filter(|&c| pass(c)).count());
    let end = |text: &str| text.chars().last().map(String::from).unwrap_or_default();
    let start = |text: &str| words(text).into_iter().next().unwrap_or_default();
    let both = |of: &dyn Fn(&str) -> String| {
        let one = |row: &Row| format!("{}|{}", of(row.replies().0), of(row.replies().1));
        Feature::Category(set.rows.iter().map(one).collect())
    };
    vec![
        ("length in words", number(&|text| text.split_whitespace().count())),
        ("length in characters", number(&|text| text.chars().count())),
        ("the number of lines", number(&|text| text.lines().count())),
        ("the number of digits", count(|c| c.is_ascii_digit())),
        ("the number of capitals", count(char::is_uppercase)),
        ("punctuation", count(|c| c.is_ascii_punctuation())),
        ("white space", count(char::is_whitespace)),
        ("characters beyond ASCII", count(|c| !c.is_ascii())),
        ("the last character", both(&end)),
        ("the first word", both(&start)),
    ]
}

/// Points for calling right what most items of the question answer; half a point where that says nothing.
fn most_common(set: &Set, labels: &[bool]) -> Vec<f64> {
    let answers = |row: &Row| match (row.is_pair(), &row.answer) {
        (false, Some(on_record)) => vec![on_record.clone()],
        _ => most_common::answers(&row.item),
    };
    let says = most_common::says(set.rows.iter().map(|row| (row.question(), answers(row))));
    let point = |(says, &label): (Option<bool>, &bool)| says.map_or(0.5, |says| f64::from(u8::from(says == label)));
    says.into_iter().zip(labels).map(point).collect()
}

/// How often each word is on the side of a wrong and of a right reply, and not on the other one.
fn sides(set: &Set) -> HashMap<String, [usize; 2]> {
    let mut seen: HashMap<String, [usize; 2]> = HashMap::new();
    for row in &set.rows {
        let (first, second) = row.replies();
        let [first, second] =
            [first, second].map(|text| words(text).into_iter().collect::<std::collections::HashSet<_>>());
        let mut note =
            |word: &String, positive: bool| seen.entry(word.clone()).or_default()[usize::from(positive)] += 1;
        let label = row.label.unwrap_or_default();
        first.difference(&second).for_each(|word| note(word, label));
        if row.is_pair() {
            second.difference(&first).for_each(|word| note(word, !label));
        }
    }
    seen
}

/// Words that all but name the label: in at least one row in 33, and right in 95 of 100. Where a `pool` is given its teacher
/// must say so in three rows of four: else the word is a test's right answer, which is what is asked for.
fn tell_tales(set: &Set, pool: Option<&Set>, notes: &mut Notes) {
    let seen = sides(set);
    let taught = pool.map(sides);
    let shown = |word: &String, positive: bool| {
        let told = |counts: &[usize; 2]| 4 * counts[usize::from(positive)] >= 3 * (counts[0] + counts[1]);
        taught.as_ref().is_none_or(|taught| taught.get(word).is_some_and(told))
    };
    let enough = (set.rows.len() / 33).max(20);
    let told = |counts: &[usize; 2]| counts[0].max(counts[1]) as f64 / (counts[0] + counts[1]) as f64;
    let mut found: Vec<(&String, &[usize; 2])> = seen
        .iter()
        .filter(|(_, counts)| counts[0] + counts[1] >= enough && told(counts) >= 0.95)
        .filter(|(word, counts)| shown(word, counts[1] > counts[0]))
        .collect();
    found.sort_by_key(|(word, counts)| (usize::MAX - counts[0] - counts[1], (*word).clone()));
    if let Some((word, counts)) = found.first() {
        let what = format!(
            "the word {word:?} tells the label in {:.0} % of its {} rows",
            100.0 * told(counts),
            counts[0] + counts[1]
        );
        let remedy = format!("take {word:?} out of the texts, or drop those rows");
        notes.find("tell-tale", Severity::Refused, &set.name, what, remedy);
    }
}

/// What a shortcut learns from and is tried on: the teacher's set, or the pool with the bench teacher's labels.
fn learnable(material: &Material) -> Vec<(&Set, &Set)> {
    let tests: Vec<&Set> = material.sets.iter().filter(|set| set.role == Role::Test).collect();
    let wanted = if material.frozen.is_some() { Role::Pool } else { Role::Labelled };
    let known = material.sets.iter().find(|set| set.role == wanted);
    known.into_iter().flat_map(|known| tests.iter().map(move |&test| (known, test))).collect()
}

/// Points of logistic regression on counts of words.
fn by_bag(train: &Set, known: &[bool], test: &Set, labels: &[bool], item: fn(&Row) -> Item) -> Vec<f64> {
    let items: Vec<Item> = train.rows.iter().chain(&test.rows).map(item).collect();
    let (features, width) = bag_of_words(&items);
    let (learned, tried) = features.split_at(train.rows.len() * width);
    let targets: Vec<f32> = known.iter().map(|&label| f32::from(u8::from(label))).collect();
    let intercept = items.iter().any(|item| matches!(item, Item::Binary { .. }));
    let weights = vec![1.0; known.len()];
    let fit = Fit { features: learned, width, targets: &targets, weights: &weights, l2: L2, intercept };
    let margins = fit.run().margins(tried);
    let point = |(margin, &label): (&f32, &bool)| {
        if *margin == 0.0 { 0.5 } else { f64::from(u8::from((*margin > 0.0) == label)) }
    };
    margins.iter().zip(labels).map(point).collect()
}
