//! One run: train a recipe once, answer every split that is asked for; and a cheap trial of it, where one is wanted.

use super::control::Learned;
use super::results::{self, Outcome, Ran, Tried};
use super::{BenchError, Entrant, Method, Plan, Task};
use crate::cpu;
use aar_domain::rung::Split;
use aar_methods::pool::{Pool, read_jsonl};
use aar_methods::train;
use aar_methods::trial::{self, HELD_OUT_ROWS, TRAIN_ROWS, TrialSlices};
use aar_methods::{MethodError, Recipe, Student, shipped, student};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Plain training's answers in a trial, by the testbed's digest: what other recipes' are compared with.
pub(super) type Trials = BTreeMap<String, Vec<f32>>;

/// Plain training's trial on every testbed that has runs at the first seed ahead.
pub(super) fn trials(plan: &Plan, open: &[&Task<'_>]) -> Result<Trials, BenchError> {
    let mut trials = Trials::new();
    let plain = shipped::get("plain").ok_or_else(|| BenchError::Recipe("plain".into(), String::new()))??;
    for testbed in &plan.testbeds {
        if open.iter().any(|task| task.seed == 0 && task.testbed.digest == testbed.digest) {
            let (pool, student) = (pool(testbed, 0)?, student(testbed, &[])?);
            let (_, margins) = trial::run(&plain, &slices(&pool), student.as_ref(), 0, None)?;
            trials.insert(testbed.digest.clone(), margins);
        }
    }
    Ok(trials)
}

/// Train once, answer `splits`. A recipe that fails is a result too; a testbed that can't be read is not.
pub(super) fn run(task: &Task<'_>, splits: &[Split], trials: &Trials) -> Result<Vec<Ran>, BenchError> {
    let testbed = task.testbed;
    let (pool, student) = (pool(testbed, task.seed)?, student(testbed, splits)?);
    let mut tried = match (task.method, trials.get(&testbed.digest)) {
        (Method::Recipe(contender), Some(plain)) if task.seed == 0 => {
            Some(attempt(&contender.recipe, &pool, student.as_ref(), plain))
        }
        _ => None,
    };
    aar_lm::ops::take();
    let started = clock()?;
    let trained = match task.method {
        Method::Recipe(contender) => {
            train::train(&contender.recipe, &pool, student.as_ref(), task.seed).map(Learned::Trained)
        }
        Method::Control(control) => control.learn(&pool, student.as_ref(), task.seed),
    };
    let tried_operations = trained.as_ref().map_or(0, Learned::tried);
    let (operations, trained_s) = (aar_lm::ops::take() + tried_operations, clock()? - started);
    let mut runs = Vec::new();
    for &split in splits {
        let items = read_jsonl(&testbed.path.join(format!("hidden/inputs/{}.jsonl", split.name())))?;
        let started = clock()?;
        let margins = match &trained {
            Ok(trained) => answers(trained, &pool, student.as_ref(), &items),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        runs.push(Ran {
            key: task.key(split),
            testbed_name: testbed.record.name.clone(),
            recipe_file: task.method.file().to_owned(),
            operations: operations + aar_lm::ops::take(),
            cpu_s: trained_s + clock()? - started,
            tried: tried.take(),
            outcome: margins,
        });
    }
    Ok(runs)
}

fn answers(learned: &Learned, pool: &Pool, student: &dyn Student, items: &[aar_domain::item::Item]) -> Outcome {
    match learned.margins(pool, student, items) {
        Ok(margins) if margins.iter().all(|margin| margin.is_finite()) => Outcome::Answers(results::signs(&margins)),
        Ok(_) => Outcome::Failed("the student answers with NaN or infinity".into()),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn attempt(recipe: &Recipe, pool: &Pool, student: &dyn Student, plain: &[f32]) -> Tried {
    match trial::run(recipe, &slices(pool), student, 0, Some(plain)) {
        Ok((report, _)) => Tried::Saw(report),
        Err(error) => Tried::Failed(error.to_string()),
    }
}

/// The rows that `lab search` tries a recipe on, by default.
fn slices(pool: &Pool) -> TrialSlices {
    TrialSlices::draw(pool, TRAIN_ROWS, HELD_OUT_ROWS, 0)
}

fn pool(testbed: &Entrant, seed: u64) -> Result<Pool, MethodError> {
    Pool::load(&testbed.path.join("public/pool.jsonl"), &testbed.path.join(format!("hidden/weak/{seed:02}.jsonl")))
}

fn student(testbed: &Entrant, splits: &[Split]) -> Result<Box<dyn Student>, MethodError> {
    let public = testbed.path.join("public");
    let inputs = splits.iter().map(|split| format!("hidden/inputs/{}.features.safetensors", split.name()));
    let mut caches: Vec<PathBuf> = inputs.map(|name| testbed.path.join(name)).collect();
    caches.insert(0, public.join("pool.features.safetensors"));
    caches.retain(|path| path.exists());
    student::open(&testbed.problem, &public.join("student"), &caches, 1)
}

fn clock() -> Result<f64, BenchError> {
    cpu::seconds().map_err(BenchError::Clock)
}
