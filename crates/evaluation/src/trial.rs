//! One seed of one bundle on one testbed: stage, lay decoys, train, take over, predict. No server is needed for it.

use crate::artefacts;
use crate::decoys::Decoys;
use crate::error::EvaluationError;
use crate::phases::Phases;
use crate::stage::Stage;
use aar_api::bundle::Bundle;
use aar_api::work::{Job, Outputs, Usage};
use aar_domain::rung::Split;
use aar_sandbox::{Isolation, Limits};
use serde::Deserialize;
use std::path::Path;
use std::time::Instant;

/// Where it happens.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The testbed's folder. Only `public/`, `hidden/weak/` and `hidden/inputs/` are read.
    pub testbed: &'a Path,
    /// Where job folders are made.
    pub scratch: &'a Path,
    /// The executable that is mounted as `lab`.
    pub lab: &'a Path,
    /// How strangers are confined here.
    pub isolation: &'a Isolation,
    /// Limits of the train phase.
    pub limits: &'a Limits,
    /// Threads of the engine.
    pub threads: usize,
}

/// The recipe's own account of a training run, written by `lab train` beside the student.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TrainReport {
    operations: u64,
    curve: Vec<(u32, f32)>,
}

/// Test items of a split.
pub fn count_items(testbed: &Path, split: Split) -> Result<usize, EvaluationError> {
    let path = testbed.join(format!("hidden/inputs/{}.jsonl", split.name()));
    let text = std::fs::read_to_string(&path).map_err(EvaluationError::file("read", &path))?;
    Ok(text.lines().filter(|line| !line.trim().is_empty()).count())
}

/// Train and predict; one margin for each of the `items` of the job's split comes back. `opened` hears which decoys were opened,
/// however the training ended, if any were.
pub fn run(
    place: &Place,
    job: &Job,
    bundle: &Bundle,
    items: usize,
    opened: &mut dyn FnMut(Vec<String>) -> Result<(), EvaluationError>,
) -> Result<Outputs, EvaluationError> {
    let started = Instant::now();
    let stage = Stage::new(place.scratch)?;
    let budget = format!(
        "wall_s = {}\ncpu_s = {}\nmemory_bytes = {}\nthreads = {}\n",
        place.limits.wall.as_secs(),
        place.limits.cpu.as_secs(),
        place.limits.memory_bytes,
        place.threads
    );
    stage.train(place.testbed, job, bundle, &budget)?;
    let phases = Phases { lab: place.lab, isolation: place.isolation, limits: place.limits, threads: place.threads };
    let decoys = Decoys::lay(&stage.decoys(), &place.testbed.join("public/pool.jsonl"))?;
    let trained = phases.train(&stage, &decoys);
    let touched = decoys.opened();
    if !touched.is_empty() {
        opened(touched)?;
    }
    let trained = trained?;
    let report: TrainReport = std::fs::read(stage.output().join("report.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    artefacts::take_over(&stage.output(), &stage.predict_input().join("artefacts"))?;
    stage.predict(place.testbed, job)?;
    let (margins, predicted) = phases.predict(&stage, items)?;
    let usage = Usage {
        train_operations: report.operations,
        train_cpu_ms: trained.cpu.as_millis() as u64,
        predict_cpu_ms: predicted.cpu.as_millis() as u64,
        wall_ms: started.elapsed().as_millis() as u64,
    };
    Ok(Outputs { margins, usage, curve: report.curve })
}
