//! What a worker and the server say to each other.

use aar_domain::rung::Split;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A worker asks for a job; waits at most `wait_ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Claim {
    /// The worker's own name, for the record.
    pub worker: String,
    /// Long-poll time.
    pub wait_ms: u64,
}

/// One seed of one evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// The job.
    pub id: i64,
    /// The evaluation it belongs to.
    pub evaluation: i64,
    /// The bundle to be run.
    pub bundle: String,
    /// Seed for all random choices of `train`.
    pub seed: u64,
    /// Which of the sixteen teachers labels the pool.
    pub teacher: u32,
    /// Which hidden inputs are predicted.
    #[schema(value_type = String)]
    pub split: Split,
    /// Lease in milliseconds: heartbeat before it runs out, or the job is given to another worker.
    pub lease_ms: u64,
}

/// What came out of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outputs {
    /// One margin per hidden item, in order; all finite.
    pub margins: Vec<f32>,
    /// What it cost.
    pub usage: Usage,
    /// (step, loss) pairs of training, thinned; empty where unknown.
    #[serde(default)]
    pub curve: Vec<(u32, f32)>,
}

/// What a job cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Operations counted by the engine in training (0 where foreign code did not say).
    pub train_operations: u64,
    /// CPU-milliseconds of training, measured from outside.
    pub train_cpu_ms: u64,
    /// CPU-milliseconds of predicting, measured from outside.
    pub predict_cpu_ms: u64,
    /// Wall-clock milliseconds of the whole job.
    pub wall_ms: u64,
}

impl Usage {
    /// CPU-milliseconds of both phases. A worker's account is a claim and may be any number: sums saturate.
    pub fn cpu_ms(&self) -> u64 {
        self.train_cpu_ms.saturating_add(self.predict_cpu_ms)
    }
}

/// Decoys that a bundle's code opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Touched {
    /// As the bundle calls them.
    pub files: Vec<String>,
}

/// A job that could not be finished. It is charged, and the evaluation fails, unless it was the worker's own fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// For the author: what its code did (`train exited with 1`, `timed out after 60 s`, …).
    pub reason: String,
    /// The last lines of the bundle's own output, capped.
    #[serde(default)]
    pub log_tail: String,
    /// True where the worker, not the bundle, failed: the job goes back to the queue.
    #[serde(default)]
    pub worker_fault: bool,
}
