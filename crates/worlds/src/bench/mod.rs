//! Recipes compared over testbeds: every recipe on every testbed with the same seeds, and a table of PGRs with intervals.
//!
//! `results` is a file with a line per run, appended as it ends, so that a bench that was stopped goes on; it holds *answers*.
//! `table` scores them with the testbeds' truth. The e-th seed uses the e-th of a testbed's teachers.

use crate::cpu;
use aar_domain::problem::Problem;
use aar_domain::rung::Split;
use aar_domain::testbed::TestbedRecord;
use aar_methods::pool::{Pool, read_jsonl};
use aar_methods::{Recipe, shipped, student, train};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub mod error;
pub mod markdown;
pub mod results;
pub mod table;

pub use error::BenchError;
use results::{Key, Outcome, Ran, Results};

/// Teachers of a testbed, hence seeds at most.
pub const MOST_SEEDS: usize = crate::baselines::SEEDS;

/// A testbed that takes part.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// Its folder.
    pub path: PathBuf,
    /// Its record.
    pub record: TestbedRecord,
    /// Its problem.
    pub problem: Problem,
    /// Names the record in results: the first 16 hexadecimal digits of its SHA-256.
    pub digest: String,
}

/// A recipe that takes part.
#[derive(Clone, Debug)]
pub struct Contender {
    /// The name of its file.
    pub file: String,
    /// As it is read.
    pub recipe: Recipe,
    /// Names its text in results.
    pub digest: String,
}

/// What is compared.
pub struct Plan {
    /// Testbeds, in the order of the table.
    pub testbeds: Vec<Entrant>,
    /// Recipes.
    pub recipes: Vec<Contender>,
    /// Seeds of each, from 0.
    pub seeds: usize,
    /// The split that is answered.
    pub split: Split,
}

/// What a bench has to say while it runs.
#[derive(Clone, Debug)]
pub enum BenchEvent {
    /// So many runs are to be made, so many were there before.
    Planned(usize, usize),
    /// A run ended, well or not.
    Ended(Ran),
}

impl Entrant {
    /// Read a testbed's record and problem.
    pub fn open(path: &Path) -> Result<Self, BenchError> {
        let read = |name: &str| {
            let file = path.join(name);
            std::fs::read(&file).map(|bytes| (bytes, file.clone())).map_err(BenchError::file("read", &file))
        };
        let (bytes, file) = read("testbed.json")?;
        let wrong = |file: PathBuf| {
            move |error: serde_json::Error| BenchError::Content { path: file, detail: error.to_string() }
        };
        let record = serde_json::from_slice(&bytes).map_err(wrong(file))?;
        let (problem, file) = read("public/problem.json")?;
        let problem = serde_json::from_slice(&problem).map_err(wrong(file))?;
        Ok(Self { path: path.to_owned(), record, problem, digest: digest(&bytes) })
    }
}

impl Contender {
    /// A recipe that ships.
    pub fn shipped(name: &str) -> Result<Self, BenchError> {
        let (Some(text), Some(recipe)) = (shipped::text(name), shipped::get(name)) else {
            let known: Vec<&str> = shipped::RECIPES.iter().map(|(name, _)| *name).collect();
            return Err(BenchError::Recipe(name.into(), known.join(", ")));
        };
        Ok(Self { file: name.into(), recipe: recipe?, digest: digest(text.as_bytes()) })
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}

impl Plan {
    /// All runs, seed by seed, so that a bench that is stopped has compared all of them on fewer seeds.
    fn keys(&self) -> Vec<(Key, usize, usize)> {
        let mut keys = Vec::new();
        for seed in 0..self.seeds as u64 {
            for (t, testbed) in self.testbeds.iter().enumerate() {
                for (r, contender) in self.recipes.iter().enumerate() {
                    if contender.recipe.applicable(&testbed.problem).is_ok() {
                        keys.push((self.key(testbed, contender, seed), t, r));
                    }
                }
            }
        }
        keys
    }

    fn key(&self, testbed: &Entrant, contender: &Contender, seed: u64) -> Key {
        Key { testbed: testbed.digest.clone(), recipe: contender.digest.clone(), seed, split: self.split }
    }
}

/// Make all runs that `results` does not have yet, on so many threads; each run has one.
pub fn run(
    plan: &Plan,
    results: Results,
    threads: usize,
    listen: &(dyn Fn(BenchEvent) + Sync),
) -> Result<Results, BenchError> {
    if plan.seeds == 0 || plan.seeds > MOST_SEEDS {
        return Err(BenchError::Seeds(plan.seeds));
    }
    let keys = plan.keys();
    let open: Vec<_> = keys.iter().filter(|(key, ..)| results.get(key).is_none()).collect();
    listen(BenchEvent::Planned(keys.len(), keys.len() - open.len()));
    let results = Mutex::new(results);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build()?;
    pool.install(|| {
        open.into_par_iter().with_max_len(1).try_for_each(|(key, t, r)| {
            let ran = one(key, &plan.testbeds[*t], &plan.recipes[*r])?;
            if let Ok(mut results) = results.lock() {
                results.append(ran.clone())?;
            }
            listen(BenchEvent::Ended(ran));
            Ok::<_, BenchError>(())
        })
    })?;
    Ok(results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// One run. A recipe that fails is a result too; a testbed that can't be read is not.
fn one(key: &Key, testbed: &Entrant, contender: &Contender) -> Result<Ran, BenchError> {
    let public = testbed.path.join("public");
    let inputs = testbed.path.join("hidden/inputs");
    let pool =
        Pool::load(&public.join("pool.jsonl"), &testbed.path.join(format!("hidden/weak/{:02}.jsonl", key.seed)))?;
    let items = read_jsonl(&inputs.join(format!("{}.jsonl", key.split.name())))?;
    let caches =
        [public.join("pool.features.safetensors"), inputs.join(format!("{}.features.safetensors", key.split.name()))];
    let caches: Vec<PathBuf> = caches.into_iter().filter(|path| path.exists()).collect();
    let student = student::open(&testbed.problem, &public.join("student"), &caches, 1)?;
    aar_lm::ops::take();
    let started = cpu::seconds().map_err(BenchError::Clock)?;
    let trained = train::train(&contender.recipe, &pool, student.as_ref(), key.seed);
    let margins = trained.and_then(|trained| trained.margins(student.as_ref(), &items));
    let outcome = match margins {
        Ok(margins) if margins.iter().all(|margin| margin.is_finite()) => Outcome::Answers(results::signs(&margins)),
        Ok(_) => Outcome::Failed("the student answers with NaN or infinity".into()),
        Err(error) => Outcome::Failed(error.to_string()),
    };
    Ok(Ran {
        key: key.clone(),
        testbed_name: testbed.record.name.clone(),
        recipe_file: contender.file.clone(),
        operations: aar_lm::ops::take(),
        cpu_s: cpu::seconds().map_err(BenchError::Clock)? - started,
        outcome,
    })
}
