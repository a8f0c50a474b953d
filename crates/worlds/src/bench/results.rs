//! The results file: one JSON line per run, appended when it ends.

use super::BenchError;
use aar_domain::rung::Split;
use aar_methods::trial::TrialReport;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// What a run is a run of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Digest of the testbed's record.
    pub testbed: String,
    /// Digest of the recipe's text.
    pub recipe: String,
    /// Seed, and number of the teacher.
    pub seed: u64,
    /// What was answered.
    pub split: Split,
}

/// A run that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// Of what.
    #[serde(flatten)]
    pub key: Key,
    /// For people.
    pub testbed_name: String,
    /// For people.
    pub recipe_file: String,
    /// Counted operations, answering included.
    pub operations: u64,
    /// CPU-seconds, answering included.
    pub cpu_s: f64,
    /// A cheap trial of the recipe, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a cheap trial: what `lab search` sees before it submits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tried {
    /// How the answers looked.
    Saw(TrialReport),
    /// Why there are none.
    Failed(String),
}

impl Tried {
    /// Why it speaks against an evaluation; `None` where it does not.
    pub fn objection(&self) -> Option<String> {
        match self {
            Tried::Saw(report) => report.objection(),
            Tried::Failed(why) => Some(why.clone()),
        }
    }

    /// What it cost, in operations; a failed one is not counted.
    pub fn operations(&self) -> u64 {
        match self {
            Tried::Saw(report) => report.operations,
            Tried::Failed(_) => 0,
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// `+`, `-` or `0` per item: the sign of its margin.
    Answers(String),
    /// Why there are none.
    Failed(String),
}

/// Signs of margins, as they are stored.
pub fn signs(margins: &[f32]) -> String {
    let sign = |margin: &f32| match margin {
        m if *m > 0.0 => '+',
        m if *m < 0.0 => '-',
        _ => '0',
    };
    margins.iter().map(sign).collect()
}

/// Margins of size 1 with the stored signs.
pub fn margins(signs: &str) -> Vec<f32> {
    let one = |sign: char| match sign {
        '+' => 1.0,
        '-' => -1.0,
        _ => 0.0,
    };
    signs.chars().map(one).collect()
}

/// All runs of a file.
#[derive(Debug)]
pub struct Results {
    runs: BTreeMap<Key, Ran>,
    file: File,
    path: std::path::PathBuf,
}

impl Results {
    /// Open or begin a file. A last line without its end was being written when a bench was killed: it is cut off.
    pub fn open(path: &Path) -> Result<Self, BenchError> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(BenchError::file("create", parent))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(BenchError::file("open", path))?;
        let text = std::fs::read_to_string(path).map_err(BenchError::file("read", path))?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(BenchError::file("repair", path))?;
        }
        let mut runs = BTreeMap::new();
        for (at, line) in text[..whole].lines().enumerate() {
            let ran: Ran = serde_json::from_str(line).map_err(|error| BenchError::Content {
                path: path.to_owned(),
                detail: format!("line {}: {error}; move the file away to begin anew", at + 1),
            })?;
            runs.insert(ran.key.clone(), ran);
        }
        Ok(Self { runs, file, path: path.to_owned() })
    }

    /// A run that is there.
    pub fn get(&self, key: &Key) -> Option<&Ran> {
        self.runs.get(key)
    }

    /// Add a training's runs, on disk first and at once.
    pub fn append(&mut self, runs: Vec<Ran>) -> Result<(), BenchError> {
        let lines: String = runs.iter().map(|ran| serde_json::to_string(ran).unwrap_or_default() + "\n").collect();
        self.file.write_all(lines.as_bytes()).map_err(BenchError::file("append to", &self.path))?;
        self.runs.extend(runs.into_iter().map(|ran| (ran.key.clone(), ran)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(seed: u64) -> Ran {
        let key = Key { testbed: "t".into(), recipe: "r".into(), seed, split: Split::Selection };
        let outcome = Outcome::Answers(signs(&[0.5, -2.0, 0.0]));
        let (testbed_name, recipe_file) = ("a".into(), "b".into());
        Ran { key, testbed_name, recipe_file, operations: 3, cpu_s: 0.5, tried: None, outcome }
    }

    #[test]
    fn a_bench_that_was_killed_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out/results.jsonl");
        let mut results = Results::open(&path).unwrap();
        results.append(vec![ran(0)]).unwrap();
        results.append(vec![ran(1)]).unwrap();
        drop(results);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        let mut results = Results::open(&path).unwrap();
        assert_eq!((results.get(&ran(0).key), results.get(&ran(1).key)), (Some(&ran(0)), None));
        results.append(vec![ran(1)]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        std::fs::write(&path, format!("{text}nonsense\n")).unwrap();
        let error = Results::open(&path).unwrap_err().to_string();
        assert!(error.contains("results.jsonl: line 3"), "{error}");
    }

    #[test]
    fn signs_survive() {
        assert_eq!(margins(&signs(&[3.0, -0.1, 0.0])), [1.0, -1.0, 0.0]);
    }
}
