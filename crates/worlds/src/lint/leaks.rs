//! Labels that follow from what is no part of an item: its id, its place in the file, a column beside it.

use super::credit::{Credit, Feature, credit};
use super::material::{Columns, Material, Set};
use super::{Notes, Severity};
use serde_json::Value;
use std::collections::BTreeSet;

/// What has nothing to do with the label may not get further than this, by the lower bound.
const LIMIT: f64 = 0.55;

/// Look for them.
pub fn find(material: &Material, notes: &mut Notes) {
    for set in &material.sets {
        let Some(labels) = set.labels() else { continue };
        let what = if set.truth(material).is_some() { "label" } else { "teacher's label" };
        let clusters = set.clusters();
        let far = |feature: &Feature| credit(feature, &labels, &clusters);
        if let Some((name, credit)) = worst(id_features(set).iter().map(|(name, feature)| (*name, far(feature)))) {
            let says = format!("{name} tells the {what} in {}", share(credit));
            notes.find("id", Severity::Refused, &set.name, says, "give the items random ids");
        }
        if let Some((name, credit)) = worst(order_features(set).iter().map(|(name, feature)| (*name, far(feature)))) {
            let says = format!("{name} tells the {what} in {}", share(credit));
            notes.find("order", Severity::Refused, &set.name, says, "shuffle the rows, with a seed that is on record");
        }
        columns(set, &|feature| far(feature), notes);
    }
}

fn share(credit: Credit) -> String {
    format!("{:.0} % of rows (at least {:.0} %)", 100.0 * credit.value, 100.0 * credit.low)
}

/// The one that gets furthest, where it gets too far.
fn worst<'a>(found: impl Iterator<Item = (&'a str, Credit)>) -> Option<(&'a str, Credit)> {
    found.filter(|(_, credit)| credit.low > LIMIT).max_by(|a, b| a.1.low.total_cmp(&b.1.low))
}

fn id_features(set: &Set) -> Vec<(&'static str, Feature)> {
    let ids: Vec<&str> = set.rows.iter().map(|row| row.item.id().0.as_str()).collect();
    let texts = |part: &dyn Fn(&str) -> String| Feature::Category(ids.iter().map(|id| part(id)).collect());
    let numbers = |part: &dyn Fn(&str) -> f64| Feature::Number(ids.iter().map(|id| part(id)).collect());
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    let last =
        |id: &str| id.split(|c: char| !c.is_ascii_digit()).rfind(|run| !run.is_empty()).unwrap_or_default().to_owned();
    let number = |id: &str| last(id).parse::<f64>().unwrap_or(-1.0);
    vec![
        ("the id's letters", texts(&|id| id.chars().filter(|c| !c.is_ascii_digit()).collect())),
        ("the id's beginning", texts(&|id| id.chars().take(3).collect())),
        ("the id's first part", texts(&|id| id.split(['-', '_', ':', '/', '.']).next().unwrap_or_default().to_owned())),
        ("the id's last character", texts(&|id| id.chars().last().into_iter().collect())),
        ("the id's length", numbers(&|id| id.len() as f64)),
        ("the number in the id", numbers(&number)),
        ("whether the id's number is odd", texts(&|id| (number(id) % 2.0).to_string())),
        ("the id's alphabetical place", numbers(&|id| sorted.partition_point(|other| *other < id) as f64)),
    ]
}

fn order_features(set: &Set) -> Vec<(&'static str, Feature)> {
    let rows = 0..set.rows.len();
    let rest = |by: usize| Feature::Category(rows.clone().map(|row| (row % by).to_string()).collect());
    vec![
        ("the place in the file", Feature::Number(rows.clone().map(|row| row as f64).collect())),
        ("whether the line's number is odd", rest(2)),
        ("the line's number, by threes,", rest(3)),
        ("the line's number, by fours,", rest(4)),
    ]
}

/// Columns in the rows, and in what only the operator holds.
fn columns(set: &Set, far: &dyn Fn(&Feature) -> Credit, notes: &mut Notes) {
    let names = |of: &dyn Fn(usize) -> BTreeSet<String>| (0..set.rows.len()).flat_map(of).collect::<BTreeSet<_>>();
    let keys = |map: &Columns| map.keys().cloned().collect::<BTreeSet<_>>();
    for name in names(&|row| keys(&set.rows[row].columns)) {
        let credit = far(&column(set.rows.iter().map(|row| row.columns.get(&name))));
        if credit.low > LIMIT {
            let says = format!("the column {name:?} tells the label in {}", share(credit));
            let remedy = format!("take {name:?} out, or balance the labels within each of its values");
            notes.find("column", Severity::Refused, &set.name, says, remedy);
        }
    }
    for name in names(&|row| keys(&set.rows[row].private)) {
        let credit = far(&column(set.rows.iter().map(|row| row.private.get(&name))));
        if credit.low > LIMIT {
            let says = format!("{name:?}, which is kept beside the rows, tells the label in {}", share(credit));
            let remedy = format!(
                "never give {name:?} to a researcher; balance the labels within each of its values if texts show it"
            );
            notes.find("kept-column", Severity::Warning, &set.name, says, remedy);
        }
    }
}

/// Numbers where all values are numbers, else their text.
fn column<'a>(values: impl Iterator<Item = Option<&'a Value>> + Clone) -> Feature {
    let numbers: Option<Vec<f64>> = values.clone().map(|value| value.and_then(Value::as_f64)).collect();
    match numbers {
        Some(numbers) => Feature::Number(numbers),
        None => Feature::Category(values.map(|value| value.map(Value::to_string).unwrap_or_default()).collect()),
    }
}
