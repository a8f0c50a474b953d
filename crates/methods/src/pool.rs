//! The pool with one teacher's soft labels.

use crate::error::MethodError;
use aar_domain::ids::ItemId;
use aar_domain::item::{Item, SoftLabel};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::Path;

/// Unlabelled items with what the teacher says of them.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The items.
    pub items: Vec<Item>,
    /// P(positive) per item.
    pub weak: Vec<f32>,
    /// Weights that were given with the labels, beside those a recipe computes.
    pub given: Option<Vec<f32>>,
}

/// A target that a researcher's own code made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenLabel {
    /// The item.
    pub id: ItemId,
    /// P(positive), in [0, 1].
    pub p: f32,
    /// How much the row counts.
    #[serde(default = "one")]
    pub weight: f32,
}

fn one() -> f32 {
    1.0
}

/// Read a JSONL file; a bad row is an error that names its line.
pub fn read_jsonl<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, MethodError> {
    let text = std::fs::read_to_string(path).map_err(MethodError::file("read", path))?;
    let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(at, line)| {
        serde_json::from_str(line).map_err(|error| MethodError::Row {
            path: path.to_owned(),
            line: at + 1,
            detail: error.to_string(),
        })
    })
    .collect()
}

impl Pool {
    /// Items with a teacher's soft labels.
    pub fn new(items: Vec<Item>, weak: Vec<f32>) -> Self {
        Self { items, weak, given: None }
    }

    /// Read items and soft labels; every item needs one, in any order.
    pub fn load(items: &Path, weak: &Path) -> Result<Self, MethodError> {
        let rows: Vec<Item> = read_jsonl(items)?;
        let mut labels = HashMap::new();
        for (at, label) in read_jsonl::<SoftLabel>(weak)?.into_iter().enumerate() {
            if !(0.0..=1.0).contains(&label.p) {
                let detail = format!("p is {}, a probability is needed", label.p);
                return Err(MethodError::Row { path: weak.to_owned(), line: at + 1, detail });
            }
            labels.insert(label.id, label.p);
        }
        let label_of = |item: &Item| {
            labels.get(item.id()).copied().ok_or_else(|| {
                MethodError::Mismatch(format!("{}: no soft label for item {}", weak.display(), item.id()))
            })
        };
        let weak = rows.iter().map(label_of).collect::<Result<_, _>>()?;
        Ok(Self::new(rows, weak))
    }

    /// Keep the rows that `labels` (JSONL of [`GivenLabel`]) speaks of, with its targets and weights in place of the teacher's.
    pub fn relabel(&self, labels: &Path) -> Result<Self, MethodError> {
        let place: HashMap<_, _> = self.items.iter().enumerate().map(|(at, item)| (item.id(), at)).collect();
        let (mut keep, mut weak, mut given) = (vec![], vec![], vec![]);
        for (at, label) in read_jsonl::<GivenLabel>(labels)?.into_iter().enumerate() {
            let wrong = |detail: String| MethodError::Row { path: labels.to_owned(), line: at + 1, detail };
            if !(0.0..=1.0).contains(&label.p) || !(0.0..=1e6).contains(&label.weight) {
                return Err(wrong("p must lie in [0, 1] and weight in [0, 1000000]".into()));
            }
            let row = place.get(&label.id).ok_or_else(|| wrong(format!("item {} is not in the pool", label.id)))?;
            keep.push(*row);
            weak.push(label.p);
            given.push(label.weight);
        }
        if keep.is_empty() {
            return Err(MethodError::Mismatch(format!("{} labels no item", labels.display())));
        }
        Ok(Self { weak, given: Some(given), ..self.subset(&keep) })
    }

    /// Rows `keep`, in that order.
    pub fn subset(&self, keep: &[usize]) -> Pool {
        Pool {
            items: keep.iter().map(|&i| self.items[i].clone()).collect(),
            weak: keep.iter().map(|&i| self.weak[i]).collect(),
            given: self.given.as_ref().map(|given| keep.iter().map(|&i| given[i]).collect()),
        }
    }
}

/// log(p / (1 − p)), kept finite.
pub fn logit(p: f32) -> f32 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// Over their root mean square: margins in units of their spread.
pub fn standardised(margins: &[f32]) -> Vec<f32> {
    let spread = (margins.iter().map(|m| m * m).sum::<f32>() / margins.len().max(1) as f32).sqrt().max(1e-6);
    margins.iter().map(|m| m / spread).collect()
}

/// 1 / (1 + e^−x).
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
