//! What is looked at, whichever form it came in.

use super::LintError;
use crate::most_common;
use crate::surface::replies;
use aar_domain::item::Item;
use aar_domain::rung::Split;
use aar_grader::truth::FrozenRuns;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Fields of a JSON object, by name.
pub type Columns = Map<String, Value>;

/// A testbed's rows.
pub struct Material {
    /// Sets in the order pool first, tests last (a folder: labelled, pool, test).
    pub sets: Vec<Set>,
    /// Frozen runs; a folder has none.
    pub frozen: Option<BTreeMap<Split, FrozenRuns>>,
    /// Minted: its facts are a fixed population, of which both test sets are drawn.
    pub minted: bool,
}

/// What a set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The teacher learns from it.
    Labelled,
    /// Students learn from it.
    Pool,
    /// Scores come from it.
    Test,
}

/// One file's rows.
pub struct Set {
    /// The file, as a person finds it.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One row.
pub struct Row {
    /// The item.
    pub item: Item,
    /// The truth, or for a testbed's pool what the bench's teacher says.
    pub label: Option<bool>,
    /// Items of one question.
    pub cluster: String,
    /// Final answer, where it is on record.
    pub answer: Option<String>,
    /// Columns that are not part of the item, in the row itself.
    pub columns: Columns,
    /// Columns of the same item in `meta.jsonl`.
    pub private: Columns,
}

impl Row {
    /// Prompt or question.
    pub fn question(&self) -> &str {
        most_common::question(&self.item)
    }

    /// What is judged: a pair's replies, or one answer and nothing.
    pub fn replies(&self) -> (&str, &str) {
        replies(&self.item)
    }

    /// Whether the item is a pair.
    pub fn is_pair(&self) -> bool {
        matches!(self.item, Item::Preference { .. })
    }
}

impl Set {
    /// Labels, where every row has one.
    pub fn labels(&self) -> Option<Vec<bool>> {
        self.rows.iter().map(|row| row.label).collect()
    }

    /// Labels that are the truth: a testbed's pool has none.
    pub fn truth(&self, material: &Material) -> Option<Vec<bool>> {
        if material.frozen.is_some() && self.role == Role::Pool { None } else { self.labels() }
    }

    /// Clusters, row by row.
    pub fn clusters(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.cluster.as_str()).collect()
    }
}

/// Rows of a JSONL file as objects, with their lines.
pub fn objects(path: &Path) -> Result<Vec<(usize, Columns)>, LintError> {
    let text = std::fs::read_to_string(path).map_err(LintError::file(path))?;
    let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(at, line)| {
        let object = serde_json::from_str(line).map_err(|error| LintError::Row {
            path: path.to_owned(),
            line: at + 1,
            detail: format!("not a JSON object: {error}"),
        })?;
        Ok((at + 1, object))
    })
    .collect()
}

/// Take the item's fields out of a row; what is left are other columns.
pub fn item(path: &Path, line: usize, object: &mut Columns) -> Result<Item, LintError> {
    let binary = object.contains_key("question") || object.contains_key("choice");
    let mut take = |name: &str| match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(LintError::Row {
            path: path.to_owned(),
            line,
            detail: format!(
                "{name:?} is missing or no text; a row has id, prompt, first and second, or id, question and choice"
            ),
        }),
    };
    let id = take("id")?.as_str().into();
    if binary {
        return Ok(Item::Binary { id, question: take("question")?, choice: take("choice")? });
    }
    Ok(Item::Preference { id, prompt: take("prompt")?, first: take("first")?, second: take("second")? })
}
