//! Items that are in two places.

use super::material::{Material, Role, Row, Set};
use super::words::normal;
use super::{Notes, Severity, near};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A question that more than this share of a set's rows have is an instruction.
const INSTRUCTION: f64 = 0.05;
/// Share of a set's rows that may have a near-duplicate in another one.
const NEAR: f64 = 0.01;

/// Look for them.
pub fn find(material: &Material, notes: &mut Notes) {
    ids(material, notes);
    let texts: Vec<Vec<String>> = material.sets.iter().map(|set| set.rows.iter().map(whole).collect()).collect();
    for (b, set) in material.sets.iter().enumerate() {
        within(set, &texts[b], notes);
        for a in 0..b {
            let other = &material.sets[a];
            let exact = across(other, &texts[a], set, &texts[b], notes);
            // A minted world's test facts are a fixed population: both test sets ask about all of them, and its record says so.
            if !(material.minted && other.role == Role::Test) {
                questions(other, set, notes);
            }
            nearly(other, &texts[a], set, &texts[b], &exact, notes);
        }
    }
}

/// The item without its id, case, punctuation and a pair's order.
fn whole(row: &Row) -> String {
    let (first, second) = row.replies();
    let (first, second) = (normal(first), normal(second));
    let (low, high) = if first < second { (first, second) } else { (second, first) };
    // Programs and formulas differ by signs alone, so those of a binary item's answer stay.
    match row.is_pair() {
        true => format!("{} | {low} | {high}", normal(row.question())),
        false => {
            format!("{} | {}", normal(row.question()), row.replies().0.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

fn ids(material: &Material, notes: &mut Notes) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut twice: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    for set in &material.sets {
        for row in &set.rows {
            let id = row.item.id().0.as_str();
            if let Some(other) = seen.insert(id, &set.name) {
                twice.entry((other, &set.name)).or_insert((0, id)).0 += 1;
            }
        }
    }
    for ((a, b), (count, id)) in twice {
        let what = format!("{count} ids occur twice, for instance {id:?}");
        notes.find("id-twice", Severity::Refused, place(a, b), what, "give every item an id of its own");
    }
}

fn place(a: &str, b: &str) -> String {
    if a == b { a.to_owned() } else { format!("{a}, {b}") }
}

/// The same item twice in one set, with one label (fewer items than it seems) or with two (a contradiction).
fn within(set: &Set, texts: &[String], notes: &mut Notes) {
    // A pair's label follows its order.
    let turned = |row: &Row| {
        row.label.map(|label| label != (row.is_pair() && normal(row.replies().0) >= normal(row.replies().1)))
    };
    let mut seen: HashMap<&str, Option<bool>> = HashMap::new();
    let (mut same, mut against, mut example) = (0, 0, "");
    for (row, text) in set.rows.iter().zip(texts) {
        match seen.insert(text, turned(row)) {
            Some(label) if label.is_some() && label != turned(row) && set.role != Role::Pool => {
                (against, example) = (against + 1, text)
            }
            Some(_) => same += 1,
            None => {}
        }
    }
    if against > 0 {
        let what = format!("{against} items occur again with the other label, for instance {:?}", short(example));
        notes.find(
            "contradiction",
            Severity::Refused,
            &set.name,
            what,
            "drop both rows, or find out which label is right",
        );
    }
    if same as f64 > NEAR * texts.len() as f64 {
        let what = format!("{same} of {} items occur twice", texts.len());
        notes.find(
            "duplicate",
            Severity::Warning,
            &set.name,
            what,
            "keep one of each: intervals count the copies as new items",
        );
    }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Exact copies; gives the rows of `b` that are one.
fn across(a: &Set, a_texts: &[String], b: &Set, b_texts: &[String], notes: &mut Notes) -> HashSet<usize> {
    let known: HashSet<&str> = a_texts.iter().map(String::as_str).collect();
    let found: HashSet<usize> = (0..b_texts.len()).filter(|&row| known.contains(b_texts[row].as_str())).collect();
    if let Some(&row) = found.iter().min() {
        let what =
            format!("{} of {} items are in both, for instance {:?}", found.len(), b_texts.len(), short(&b_texts[row]));
        let remedy = format!("drop them from {}", a.name);
        notes.find("duplicate", Severity::Refused, place(&a.name, &b.name), what, remedy);
    }
    found
}

/// Questions in two sets of which one is for tests: its answer can be learned by heart.
fn questions(a: &Set, b: &Set, notes: &mut Notes) {
    if b.role != Role::Test {
        return;
    }
    let (known, own) = (own_questions(a), own_questions(b));
    let both: Vec<&String> = known.keys().filter(|question| own.contains_key(*question)).collect();
    let rows: usize = both.iter().map(|&question| own[question]).sum();
    if let Some(example) = both.iter().min() {
        let what = format!(
            "{} questions ({rows} rows of {}) are in both, for instance {:?}",
            both.len(),
            b.name,
            short(example)
        );
        let remedy = "keep every question, with all its answers, in one set";
        // Tests give no labels away, but a selection of known questions is less of a fresh look, and has fewer clusters.
        let severity = if a.role == Role::Test { Severity::Warning } else { Severity::Refused };
        notes.find("question", severity, place(&a.name, &b.name), what, remedy);
    }
}

/// Questions with their rows; an instruction that many rows share is none.
fn own_questions(set: &Set) -> HashMap<String, usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for row in &set.rows {
        *counts.entry(normal(row.question())).or_default() += 1;
    }
    let most = (INSTRUCTION * set.rows.len() as f64).max(1.0);
    counts.retain(|question, count| !question.is_empty() && *count as f64 <= most);
    counts
}

fn nearly(a: &Set, a_texts: &[String], b: &Set, b_texts: &[String], exact: &HashSet<usize>, notes: &mut Notes) {
    let sets = |texts: &[String]| texts.iter().map(|text| near::shingles(text)).collect::<Vec<_>>();
    let found: Vec<_> =
        near::pairs(&sets(a_texts), &sets(b_texts)).into_iter().filter(|(_, row)| !exact.contains(row)).collect();
    let Some(&(other, row)) = found.first() else { return };
    let share = found.len() as f64 / b_texts.len() as f64;
    let severity = if share > NEAR && b.role == Role::Test { Severity::Refused } else { Severity::Warning };
    let what = format!(
        "{} of {} items are nearly in both (at least {:.0} % of their three-word runs), for instance {} and {}",
        found.len(),
        b_texts.len(),
        100.0 * near::LIMIT,
        a.rows[other].item.id(),
        b.rows[row].item.id()
    );
    let remedy = format!("drop them from {}", a.name);
    notes.find("near-duplicate", severity, place(&a.name, &b.name), what, remedy);
}
