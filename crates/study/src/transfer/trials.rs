//! Trials on record, and the running of those that are not.
//!
//! ```text
//! transfer/trials.jsonl     one line per testbed × bundle × seed: what came out, by hash, or why nothing did
//! transfer/margins/HASH.f32 one little-endian f32 per test item
//! ```

use super::TransferConfig;
use crate::error::StudyError;
use crate::testbed::Testbed;
use aar_api::bundle::Bundle;
use aar_api::work::{Job, Outputs};
use aar_domain::rung::Split;
use aar_evaluation::EvaluationError;
use aar_evaluation::trial::{self, Place};
use aar_server::event::Seed;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

fn opened(files: Vec<String>) -> EvaluationError {
    let reason = format!("it opened what looks like labels: {}", files.join(", "));
    EvaluationError::Bundle { reason, log_tail: String::new() }
}

/// What happens while trials run.
pub enum TrialEvent {
    /// So many of all are on record.
    Progress {
        /// On record.
        done: usize,
        /// In all.
        total: usize,
    },
    /// A trial failed for good: the bundle's own fault.
    Failed {
        /// The testbed.
        testbed: String,
        /// Why.
        reason: String,
    },
}

/// What names a trial.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    testbed: String,
    bundle: String,
    seed: u64,
    teacher: u32,
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    came: Came,
}

/// What came of a trial.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Came {
    Margins(String),
    Failed(String),
}

/// A bundle on a testbed, all seeds.
pub struct Tried {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// `[seeds][items]`.
    pub margins: Vec<Vec<f32>>,
    /// SHA-256 of each row.
    pub hashes: Vec<String>,
}

/// The record.
pub struct Trials<'a> {
    config: &'a TransferConfig<'a>,
    folder: PathBuf,
    rows: Mutex<BTreeMap<Key, Came>>,
}

/// Names a testbed by what is on its record.
pub fn record_hash(testbed: &Testbed) -> String {
    hex::encode(Sha256::digest(serde_json::to_string(&testbed.record).unwrap_or_default()))
}

impl<'a> Trials<'a> {
    /// Read what is there. Rows whose margins are missing or not what they were are trials to be run again.
    pub fn open(config: &'a TransferConfig<'a>) -> Result<Self, StudyError> {
        config.directory.folder("transfer/margins")?;
        let folder = config.directory.path("transfer");
        let path = folder.join("trials.jsonl");
        let text = if path.exists() {
            fs::read_to_string(&path).map_err(StudyError::file("read", &path))?
        } else {
            String::new()
        };
        let trials = Self { config, folder, rows: Mutex::default() };
        let known = text.lines().filter_map(|line| serde_json::from_str::<Row>(line).ok());
        let whole = known.filter(|row| match &row.came {
            Came::Margins(hash) => trials.margins(hash).is_some(),
            Came::Failed(_) => true,
        });
        trials.rows().extend(whole.map(|row| (row.key, row.came)));
        Ok(trials)
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<Key, Came>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plain training.
    pub fn plain(&self) -> &Bundle {
        &self.config.plain
    }

    fn key(testbed: &Testbed, bundle: &Bundle, seed: &Seed) -> Key {
        Key { testbed: record_hash(testbed), bundle: bundle.id(), seed: seed.seed, teacher: seed.teacher }
    }

    fn margins(&self, hash: &str) -> Option<Vec<f32>> {
        let bytes = fs::read(self.folder.join(format!("margins/{hash}.f32"))).ok()?;
        let whole = hex::encode(Sha256::digest(&bytes)) == hash;
        whole.then(|| bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }

    /// A bundle's trials on a testbed, or why there is no whole set of them.
    pub fn of(&self, testbed: &Testbed, bundle: &Bundle) -> Result<Tried, String> {
        let mut tried = Tried { seeds: vec![], margins: vec![], hashes: vec![] };
        for seed in &self.config.seeds {
            match self.rows().get(&Self::key(testbed, bundle, seed)) {
                Some(Came::Margins(hash)) => {
                    tried.margins.push(self.margins(hash).ok_or("its outputs are gone")?);
                    tried.hashes.push(hash.clone());
                    tried.seeds.push(seed.seed);
                }
                Some(Came::Failed(reason)) => return Err(reason.clone()),
                None => return Err("it was not run".into()),
            }
        }
        Ok(tried)
    }

    /// Run what is not on record: on every testbed plain training and the bundles, on all seeds.
    pub fn run(&self, plan: &[(&Testbed, &[&Bundle])], tell: &(dyn Fn(TrialEvent) + Sync)) -> Result<(), StudyError> {
        let mut waiting = VecDeque::new();
        let mut total = 0;
        for (testbed, bundles) in plan {
            for bundle in std::iter::once(&self.plain()).chain(*bundles) {
                for seed in &self.config.seeds {
                    total += 1;
                    if !self.rows().contains_key(&Self::key(testbed, bundle, seed)) {
                        waiting.push_back((*testbed, *bundle, *seed));
                    }
                }
            }
        }
        let waiting = Mutex::new(waiting);
        let scratch = self.config.directory.folder("run/transfer")?;
        let lane = || -> Result<(), StudyError> {
            loop {
                let left = waiting.lock().unwrap_or_else(PoisonError::into_inner).len();
                tell(TrialEvent::Progress { done: total - left, total });
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some((testbed, bundle, seed)) = next else { return Ok(()) };
                if self.config.stop.load(Ordering::Relaxed) {
                    return Err(StudyError::Stopped);
                }
                self.one(testbed, bundle, &seed, &scratch, tell)?;
            }
        };
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..self.config.workers.max(1)).map(|_| scope.spawn(lane)).collect();
            lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or(Err(StudyError::Stopped)))
        })
    }

    fn one(
        &self,
        testbed: &Testbed,
        bundle: &Bundle,
        seed: &Seed,
        scratch: &std::path::Path,
        tell: &(dyn Fn(TrialEvent) + Sync),
    ) -> Result<(), StudyError> {
        let config = self.config;
        let place = Place {
            testbed: &testbed.path,
            scratch,
            lab: &config.executable,
            isolation: &config.isolation,
            limits: &config.limits,
            threads: 1,
        };
        let job = Job {
            id: 0,
            evaluation: 0,
            bundle: bundle.id(),
            seed: seed.seed,
            teacher: seed.teacher,
            split: Split::Selection,
            lease_ms: 0,
        };
        let ran = trial::count_items(&testbed.path, Split::Selection)
            .and_then(|items| trial::run(&place, &job, bundle, items, &mut |files| Err(opened(files))));
        let came = match ran {
            Ok(outputs) => Came::Margins(self.keep(&outputs)?),
            // The bundle's own fault, which another try would not mend.
            Err(EvaluationError::Bundle { reason, log_tail }) => {
                let last = log_tail.lines().last().unwrap_or_default();
                let reason = if last.is_empty() { reason } else { format!("{reason}: {last}") };
                tell(TrialEvent::Failed { testbed: testbed.record.name.clone(), reason: reason.clone() });
                Came::Failed(reason)
            }
            Err(other) => {
                return Err(StudyError::Testbed { path: testbed.path.clone(), detail: other.to_string() });
            }
        };
        self.note(Row { key: Self::key(testbed, bundle, seed), came })
    }

    fn keep(&self, outputs: &Outputs) -> Result<String, StudyError> {
        let bytes: Vec<u8> = outputs.margins.iter().flat_map(|margin| margin.to_le_bytes()).collect();
        let hash = hex::encode(Sha256::digest(&bytes));
        let path = self.folder.join(format!("margins/{hash}.f32"));
        let temporary = path.with_extension("new");
        fs::write(&temporary, bytes).map_err(StudyError::file("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(StudyError::file("rename to", &path))?;
        Ok(hash)
    }

    fn note(&self, row: Row) -> Result<(), StudyError> {
        let path = self.folder.join("trials.jsonl");
        let line = serde_json::to_string(&row).unwrap_or_default() + "\n";
        let mut rows = self.rows();
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(StudyError::file("write", &path))?;
        rows.insert(row.key, row.came);
        Ok(())
    }
}
