//! The truth of a testbed as it lies on disk: written by `worlds`, read by the vault, by nobody else.

use aar_domain::item::Distribution;
use aar_domain::rung::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One row of `hidden/truth/<split>.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthRow {
    /// The item.
    pub id: String,
    /// Whether the positive answer is right.
    pub label: bool,
    /// Items of one cluster share a question; intervals resample clusters.
    pub cluster: String,
    /// Absent where the testbed has no such parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
}

/// Which items the frozen weak and ceiling runs had right: one string of `0` and `1` per seed, in the split's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenRuns {
    /// The weak teacher's.
    pub weak: Vec<String>,
    /// The ceiling's.
    pub ceiling: Vec<String>,
}

/// `hidden/truth/baselines.json`.
pub type Baselines = BTreeMap<Split, FrozenRuns>;

/// Why a testbed's truth can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A file could not be read or written.
    #[error("{step} {path}: {source}")]
    File {
        /// What was being done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file says something that can't be.
    #[error("{path}: {detail}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        detail: String,
    },
}

/// `0` and `1` of which answers were right.
pub fn bits(correct: &[bool]) -> String {
    correct.iter().map(|&right| if right { '1' } else { '0' }).collect()
}

fn path(testbed: &Path, name: &str) -> PathBuf {
    testbed.join("hidden/truth").join(name)
}

pub(crate) fn file(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::File { step, path, source }
}

/// Write a testbed's truth into its folder, which must exist.
pub fn write(testbed: &Path, rows: &BTreeMap<Split, Vec<TruthRow>>, baselines: &Baselines) -> Result<(), VaultError> {
    let folder = testbed.join("hidden/truth");
    std::fs::create_dir_all(&folder).map_err(file("create", &folder))?;
    for (split, rows) in rows {
        let path = path(testbed, &format!("{}.jsonl", split.name()));
        let lines = rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default() + "\n");
        std::fs::write(&path, lines.collect::<String>()).map_err(file("write", &path))?;
    }
    let path = path(testbed, "baselines.json");
    let text = serde_json::to_string_pretty(baselines).unwrap_or_default();
    std::fs::write(&path, text).map_err(file("write", &path))
}

/// Write the truth of the pool, where a testbed keeps it: nothing is scored on it, but what was trained on is compared with it.
pub fn write_pool(testbed: &Path, rows: &[TruthRow]) -> Result<(), VaultError> {
    let path = path(testbed, "pool.jsonl");
    let lines = rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default() + "\n");
    std::fs::write(&path, lines.collect::<String>()).map_err(file("write", &path))
}

/// The truth of the pool; `None` where the testbed does not keep it.
pub fn read_pool(testbed: &Path) -> Result<Option<Vec<TruthRow>>, VaultError> {
    let path = path(testbed, "pool.jsonl");
    if path.exists() { read_lines(&path).map(Some) } else { Ok(None) }
}

/// Remove the truth of a copy, so that what is written there next is not written into the original's files.
pub(crate) fn forget(copy: &Path) -> Result<(), VaultError> {
    let names = Split::ALL.map(|split| format!("{}.jsonl", split.name()));
    names.iter().map(String::as_str).chain(["baselines.json"]).try_for_each(|name| remove(&path(copy, name)))
}

pub(crate) fn remove(path: &Path) -> Result<(), VaultError> {
    if path.exists() { std::fs::remove_file(path).map_err(file("remove", path)) } else { Ok(()) }
}

/// Read a split's rows.
pub fn read_rows(testbed: &Path, split: Split) -> Result<Vec<TruthRow>, VaultError> {
    read_lines(&path(testbed, &format!("{}.jsonl", split.name())))
}

/// Read a file of JSON lines; a bad one is named.
pub(crate) fn read_lines<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>, VaultError> {
    let text = std::fs::read_to_string(path).map_err(file("read", path))?;
    let parse = |(line, text): (usize, &str)| {
        serde_json::from_str(text).map_err(|error| VaultError::Content {
            path: path.to_owned(),
            detail: format!("line {}: {error}", line + 1),
        })
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(parse).collect()
}

/// Read the frozen runs.
pub fn read_baselines(testbed: &Path) -> Result<Baselines, VaultError> {
    let path = path(testbed, "baselines.json");
    let text = std::fs::read_to_string(&path).map_err(file("read", &path))?;
    serde_json::from_str(&text).map_err(|error| VaultError::Content { path, detail: error.to_string() })
}
