//! Claim jobs until told to stop.

use crate::error::EvaluationError;
use crate::trial::{self, Place};
use aar_api::bundle::Bundle;
use aar_api::client::Client;
use aar_api::paths;
use aar_api::work::{Claim, Failure, Job, Outputs, Touched, Usage};
use aar_domain::rung::Split;
use aar_sandbox::{Isolation, Limits};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What a worker is told when it starts.
pub struct WorkerConfig {
    /// Its name, for the record.
    pub name: String,
    /// A client with a worker's token.
    pub client: Client,
    /// The testbed's folder. Only `public/`, `hidden/weak/` and `hidden/inputs/` are read.
    pub testbed: PathBuf,
    /// Where job folders are made.
    pub scratch: PathBuf,
    /// The executable that is mounted as `lab`.
    pub lab: PathBuf,
    /// How strangers are confined here.
    pub isolation: Isolation,
    /// Limits of the train phase.
    pub limits: Limits,
    /// Threads of the engine per job.
    pub threads: usize,
}

/// What a worker has to say while it runs.
#[derive(Debug)]
pub enum WorkerEvent {
    /// A job was claimed.
    Claimed(Job),
    /// A job was finished and accepted.
    Finished(Job, Usage),
    /// A job failed; the reason was sent.
    Failed(Job, String),
    /// The server could not be reached; the worker tries again.
    Unreachable(String),
}

/// Work until `stop` is set, or until the server has been gone for a minute.
pub fn work(
    config: &WorkerConfig,
    stop: &AtomicBool,
    event: &mut dyn FnMut(WorkerEvent),
) -> Result<(), EvaluationError> {
    let mut gone_since: Option<Instant> = None;
    let mut items = BTreeMap::new();
    for split in Split::ALL {
        items.insert(split, trial::count_items(&config.testbed, split)?);
    }
    while !stop.load(Ordering::Relaxed) {
        let claim = Claim { worker: config.name.clone(), wait_ms: 1_000 };
        let job: Option<Job> = match config.client.post(paths::CLAIM, &claim) {
            Ok(job) => job,
            Err(error) => {
                if gone_since.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(60) {
                    return Err(error.into());
                }
                event(WorkerEvent::Unreachable(error.to_string()));
                std::thread::sleep(Duration::from_millis(500));
                continue;
            }
        };
        gone_since = None;
        let Some(job) = job else { continue };
        event(WorkerEvent::Claimed(job.clone()));
        match run_and_post(config, &job, items[&job.split]) {
            Ok(usage) => event(WorkerEvent::Finished(job, usage)),
            Err(error) => {
                let reason = error.to_string();
                report_failure(config, &job, error);
                event(WorkerEvent::Failed(job, reason));
            }
        }
    }
    Ok(())
}

fn run_and_post(config: &WorkerConfig, job: &Job, items: usize) -> Result<Usage, EvaluationError> {
    let (done, beat) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let path = paths::HEARTBEAT.replace("{id}", &job.id.to_string());
        let pause = Duration::from_millis((job.lease_ms / 3).max(100));
        scope.spawn(move || {
            // A lost heartbeat is not fatal: the outputs are refused if the lease was given away meanwhile.
            while beat.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _: Result<serde_json::Value, _> = config.client.post(&path, &());
            }
        });
        let outputs = run(config, job, items);
        drop(done);
        let outputs = outputs?;
        let usage = outputs.usage;
        let path = paths::OUTPUTS.replace("{id}", &job.id.to_string());
        let _: serde_json::Value = config.client.post(&path, &outputs)?;
        Ok(usage)
    })
}

/// Train and predict one seed of one bundle.
pub fn run(config: &WorkerConfig, job: &Job, items: usize) -> Result<Outputs, EvaluationError> {
    let bundle: Bundle = config.client.get(&paths::BUNDLE.replace("{id}", &job.bundle))?;
    let place = Place {
        testbed: &config.testbed,
        scratch: &config.scratch,
        lab: &config.lab,
        isolation: &config.isolation,
        limits: &config.limits,
        threads: config.threads,
    };
    trial::run(&place, job, &bundle, items, &mut |files| tell_of_decoys(config, job, files))
}

/// What was opened that nobody had business with goes on record, however the training ended.
fn tell_of_decoys(config: &WorkerConfig, job: &Job, files: Vec<String>) -> Result<(), EvaluationError> {
    let path = paths::TOUCHED.replace("{id}", &job.id.to_string());
    let _: serde_json::Value = config.client.post(&path, &Touched { files })?;
    Ok(())
}

fn report_failure(config: &WorkerConfig, job: &Job, error: EvaluationError) {
    let failure = match error {
        EvaluationError::Bundle { reason, log_tail } => Failure { reason, log_tail, worker_fault: false },
        other => Failure { reason: other.to_string(), log_tail: String::new(), worker_fault: true },
    };
    let path = paths::FAILURE.replace("{id}", &job.id.to_string());
    // If this is lost too, the lease runs out and the job goes back to the queue.
    let _: Result<serde_json::Value, _> = config.client.post(&path, &failure);
}
