//! The pool with one teacher's soft labels.

use crate::error::MethodError;
use aar_domain::item::{Item, SoftLabel};
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
}

/// Read a JSONL file; a bad row is an error that names its line.
pub fn read_jsonl<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, MethodError> {
    let text = std::fs::read_to_string(path).map_err(MethodError::file("read", path))?;
    let rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
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
    /// Read items and soft labels; every item needs one, in any order.
    pub fn load(items: &Path, weak: &Path) -> Result<Self, MethodError> {
        let rows: Vec<Item> = read_jsonl(items)?;
        let mut labels = HashMap::new();
        for (at, label) in read_jsonl::<SoftLabel>(weak)?.into_iter().enumerate() {
            if !(0.0..=1.0).contains(&label.p) {
                let detail = format!("p is {}, a probability is needed", label.p);
                return Err(MethodError::Row {
                    path: weak.to_owned(),
                    line: at + 1,
                    detail,
                });
            }
            labels.insert(label.id, label.p);
        }
        let label_of = |item: &Item| {
            labels.get(item.id()).copied().ok_or_else(|| {
                MethodError::Mismatch(format!(
                    "{}: no soft label for item {}",
                    weak.display(),
                    item.id()
                ))
            })
        };
        let weak = rows.iter().map(label_of).collect::<Result<_, _>>()?;
        Ok(Self { items: rows, weak })
    }

    /// Rows `keep`, in that order.
    pub fn subset(&self, keep: &[usize]) -> Pool {
        Pool {
            items: keep.iter().map(|&i| self.items[i].clone()).collect(),
            weak: keep.iter().map(|&i| self.weak[i]).collect(),
        }
    }
}

/// log(p / (1 − p)), kept finite.
pub fn logit(p: f32) -> f32 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// 1 / (1 + e^−x).
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
