//! Labels that are not half and half: in a set (a pair's position), or within a generator.

use super::credit::Credit;
use super::material::{Material, Role, Row, Set};
use super::{Notes, Severity};
use serde_json::Value;
use std::collections::BTreeMap;

/// How far from one half a share may be, by its interval's near end.
const LIMIT: f64 = 0.05;
/// Rows a group must have to be looked at.
const FEWEST: usize = 40;
/// Columns that name where an item came from; in the row or beside it.
const GROUPS: [&str; 4] = ["subset", "source", "generator", "distribution"];

/// Look for it.
pub fn find(material: &Material, notes: &mut Notes) {
    for set in &material.sets {
        if set.truth(material).is_none() {
            continue;
        }
        let all: Vec<&Row> = set.rows.iter().collect();
        let share = share(&all);
        notes.measure(format!("positive labels, {}", set.name), share.value, share.interval());
        if off(share) > LIMIT {
            let pair = all.first().is_some_and(|row| row.is_pair());
            let (rule, what, remedy) = if pair {
                ("position", "the first reply is right", "swap half of the pairs at random, label included")
            } else {
                ("balance", "the answer is right", "drop rows of the more frequent label")
            };
            let severity = if set.role == Role::Labelled { Severity::Warning } else { Severity::Refused };
            notes.find(rule, severity, &set.name, format!("{what} in {}", percent(share)), remedy);
        }
        for column in GROUPS {
            groups(set, column, notes);
        }
    }
    unseen(material, notes);
}

fn value(row: &Row, column: &str) -> Option<String> {
    match row.columns.get(column).or_else(|| row.private.get(column))? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn share(rows: &[&Row]) -> Credit {
    let points: Vec<f64> = rows.iter().map(|row| if row.label == Some(true) { 1.0 } else { 0.0 }).collect();
    Credit::of(&points, &rows.iter().map(|row| row.cluster.as_str()).collect::<Vec<_>>())
}

/// Distance of the interval from one half.
fn off(share: Credit) -> f64 {
    (share.low - 0.5).max(0.5 - share.high)
}

fn percent(share: Credit) -> String {
    format!("{:.0} % of rows ({:.0} to {:.0} %)", 100.0 * share.value, 100.0 * share.low, 100.0 * share.high)
}

fn by_value<'a>(set: &'a Set, column: &str) -> BTreeMap<String, Vec<&'a Row>> {
    let mut parts: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in &set.rows {
        if let Some(value) = value(row, column) {
            parts.entry(value).or_default().push(row);
        }
    }
    parts
}

fn groups(set: &Set, column: &str, notes: &mut Notes) {
    let parts = by_value(set, column);
    let uneven: Vec<String> = parts
        .iter()
        .filter(|(_, rows)| rows.len() >= FEWEST)
        .map(|(value, rows)| (value, rows.len(), share(rows)))
        .filter(|(_, _, share)| off(*share) > LIMIT)
        .map(|(value, rows, share)| format!("{value:?} ({rows} rows): {:.0} % positive", 100.0 * share.value))
        .collect();
    if parts.len() < 2 || uneven.is_empty() {
        return;
    }
    let more = if uneven.len() > 4 { format!(" and {} more", uneven.len() - 4) } else { String::new() };
    let what = format!("labels are uneven within {column:?}: {}{more}", uneven[..uneven.len().min(4)].join(", "));
    let remedy = "balance labels within each: whoever recognises a generator by its style knows the label's odds";
    // What stands beside the rows is not shown to anybody; a style can still be told.
    let kept = !set.rows.iter().any(|row| row.columns.contains_key(column));
    let severity = if kept { Severity::Warning } else { Severity::Refused };
    notes.find("generator", severity, &set.name, what, remedy);
}

/// A generator that tests hold and the pool does not.
fn unseen(material: &Material, notes: &mut Notes) {
    let Some(pool) = material.sets.iter().find(|set| set.role == Role::Pool) else { return };
    let known = by_value(pool, "subset");
    for set in material.sets.iter().filter(|set| set.role == Role::Test) {
        let parts = by_value(set, "subset");
        let new: Vec<&String> = parts
            .iter()
            .filter(|(value, rows)| rows.len() >= FEWEST && !known.contains_key(*value))
            .map(|(v, _)| v)
            .collect();
        if !known.is_empty() && !new.is_empty() {
            let what = format!("the subsets {new:?} are not in {}", pool.name);
            let remedy = "say so where results are shown: part of what is measured is the shift between generators";
            notes.find("unseen-subset", Severity::Warning, &set.name, what, remedy);
        }
    }
}
