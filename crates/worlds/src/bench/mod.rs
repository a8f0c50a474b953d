//! Recipes compared over testbeds: every recipe on every testbed with the same seeds, and a table of PGRs with intervals.
//!
//! `results` is a file with a line per run, appended as it ends, so that a bench that was stopped goes on; it holds *answers*.
//! `table` scores them with the testbeds' truth. The e-th seed uses the e-th of a testbed's teachers. `one` is a single run, of a recipe or of
//! a [`Control`].

use aar_domain::problem::Problem;
use aar_domain::rung::Split;
use aar_domain::testbed::TestbedRecord;
use aar_methods::{MethodError, Recipe, shipped};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub mod control;
pub mod error;
pub mod markdown;
mod one;
mod published;
pub mod results;
pub mod table;

pub use control::Control;
pub use error::BenchError;
use results::{Key, Ran, Results};

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
    /// Its text.
    pub text: String,
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
    /// What they are compared with that is no recipe.
    pub controls: Vec<Control>,
    /// Seeds of each, from 0.
    pub seeds: usize,
    /// The splits that are answered; the table is that of the first.
    pub splits: Vec<Split>,
    /// Whether every recipe also gets a cheap trial on the pool, at its first seed.
    pub trials: bool,
}

/// A recipe, or a control.
#[derive(Clone, Copy)]
enum Method<'a> {
    Recipe(&'a Contender),
    Control(Control),
}

/// A training that is to be made.
struct Task<'a> {
    testbed: &'a Entrant,
    method: Method<'a>,
    seed: u64,
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
        let controls = Control::ALL.into_iter().map(Control::name);
        let known = || shipped::RECIPES.iter().map(|(name, _)| *name).chain(controls).collect::<Vec<_>>().join(", ");
        Self::of(name, shipped::text(name).ok_or_else(|| BenchError::Recipe(name.into(), known()))?)
    }

    /// Any recipe, by its text.
    pub fn of(name: &str, text: &str) -> Result<Self, BenchError> {
        let recipe = Recipe::parse(text, Path::new(name))?;
        Ok(Self { file: name.into(), text: text.into(), recipe, digest: digest(text.as_bytes()) })
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}

impl Method<'_> {
    fn file(&self) -> &str {
        match self {
            Method::Recipe(contender) => &contender.file,
            Method::Control(control) => control.name(),
        }
    }

    fn name(&self) -> &str {
        match self {
            Method::Recipe(contender) => &contender.recipe.name,
            Method::Control(control) => control.words(),
        }
    }

    fn family(&self) -> &'static str {
        match self {
            Method::Recipe(contender) => contender.recipe.family.name(),
            Method::Control(_) => "control",
        }
    }

    fn digest(&self) -> String {
        match self {
            Method::Recipe(contender) => contender.digest.clone(),
            Method::Control(control) => digest(format!("control {} {}", control.name(), control::VERSION).as_bytes()),
        }
    }

    fn applicable(&self, problem: &Problem) -> Result<(), MethodError> {
        match self {
            Method::Recipe(contender) => contender.recipe.applicable(problem),
            Method::Control(control) => control.applicable(problem),
        }
    }
}

impl Plan {
    /// Recipes, then controls.
    fn methods(&self) -> impl Iterator<Item = Method<'_>> {
        self.recipes.iter().map(Method::Recipe).chain(self.controls.iter().map(|&control| Method::Control(control)))
    }

    /// All trainings, seed by seed, so that a bench that is stopped has compared all of them on fewer seeds.
    fn tasks(&self) -> Vec<Task<'_>> {
        let mut tasks = Vec::new();
        for seed in 0..self.seeds as u64 {
            for testbed in &self.testbeds {
                let fits = |method: &Method| method.applicable(&testbed.problem).is_ok();
                tasks.extend(self.methods().filter(fits).map(|method| Task { testbed, method, seed }));
            }
        }
        tasks
    }

    fn ended(&self, task: &Task<'_>, results: &Results) -> bool {
        self.splits.iter().all(|&split| results.get(&task.key(split)).is_some())
    }

    fn key(&self, testbed: &Entrant, method: Method<'_>, seed: u64) -> Key {
        Task { testbed, method, seed }.key(self.splits[0])
    }
}

impl Task<'_> {
    pub(crate) fn key(&self, split: Split) -> Key {
        Key { testbed: self.testbed.digest.clone(), recipe: self.method.digest(), seed: self.seed, split }
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
    let tasks = plan.tasks();
    let open: Vec<_> = tasks.iter().filter(|task| !plan.ended(task, &results)).collect();
    listen(BenchEvent::Planned(tasks.len(), tasks.len() - open.len()));
    let results = Mutex::new(results);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build()?;
    pool.install(|| {
        let tried = if plan.trials { one::trials(plan, &open)? } else { one::Trials::default() };
        open.into_par_iter().with_max_len(1).try_for_each(|task| {
            let ran = one::run(task, &plan.splits, &tried)?;
            let last = ran.last().cloned();
            if let Ok(mut results) = results.lock() {
                results.append(ran)?;
            }
            last.into_iter().for_each(|ran| listen(BenchEvent::Ended(ran)));
            Ok::<_, BenchError>(())
        })
    })?;
    Ok(results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}
