//! Test items as a study of the predictions contract hands them out: both splits in one list, so that nobody knows which
//! answers the ledger speaks of and which are kept for the close.

use crate::error::ServerError;
use crate::shared::sha256;
use aar_domain::rung::Split;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A testbed's items, read when a study turns out to hand them out.
pub struct Released {
    testbed: PathBuf,
    list: OnceLock<List>,
}

/// The items in their order. No label is in it.
struct List {
    /// As they lie in the testbed: id and texts.
    items: Vec<serde_json::Value>,
    /// Per split, where its items stand in the list, in the split's own order.
    places: BTreeMap<Split, Vec<usize>>,
}

impl Released {
    /// Of this testbed; nothing is read yet.
    pub fn of(testbed: &Path) -> Self {
        Self { testbed: testbed.to_owned(), list: OnceLock::new() }
    }

    /// Read them, where that was not done.
    pub fn read(&self) -> Result<(), ServerError> {
        if self.list.get().is_none() {
            // Whoever was faster read the same.
            let _ = self.list.set(List::read(&self.testbed)?);
        }
        Ok(())
    }

    /// The items in their order; none before they were read.
    pub fn items(&self) -> &[serde_json::Value] {
        self.list.get().map(|list| list.items.as_slice()).unwrap_or_default()
    }

    /// A split's margins: +1 for the positive label, -1 for the negative one. `answers` has one byte per item of the list.
    pub fn margins(&self, split: Split, answers: &[u8]) -> Vec<f32> {
        let places = self.list.get().and_then(|list| list.places.get(&split)).map(Vec::as_slice).unwrap_or_default();
        let margin = |place: &usize| answers.get(*place).map(|&answer| if answer == 1 { 1.0 } else { -1.0 });
        places.iter().filter_map(margin).collect()
    }
}

impl List {
    /// Read a testbed's inputs. The order follows from a hash of the ids, so it is the same whenever it is asked for.
    fn read(testbed: &Path) -> Result<Self, ServerError> {
        let mut found = Vec::new();
        for split in Split::ALL {
            let path = testbed.join(format!("hidden/inputs/{}.jsonl", split.name()));
            let wrong = |detail: String| ServerError::Inputs { path: path.clone(), detail };
            let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
            for (at, line) in text.lines().filter(|line| !line.trim().is_empty()).enumerate() {
                let item: serde_json::Value =
                    serde_json::from_str(line).map_err(|error| wrong(format!("line {}: {error}", at + 1)))?;
                found.push((sha256(format!("{} {}", split.name(), item["id"])), split, at, item));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let mut places: BTreeMap<Split, Vec<usize>> = BTreeMap::new();
        for (place, (_, split, at, _)) in found.iter().enumerate() {
            let places = places.entry(*split).or_default();
            places.resize(places.len().max(at + 1), 0);
            places[*at] = place;
        }
        Ok(Self { items: found.into_iter().map(|(_, _, _, item)| item).collect(), places })
    }
}
