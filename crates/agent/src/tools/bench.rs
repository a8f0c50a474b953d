//! What the loop's tools work with: the platform, background jobs, the heartbeat, the end of the session.

use super::Platform;
use crate::heartbeat::Heartbeat;
use crate::process::{Ending, Process};
use std::collections::{BTreeMap, BTreeSet};

/// The loop's state that tools may touch.
pub struct Bench {
    /// Server and bench.
    pub platform: Platform,
    /// For the watchdog.
    pub heartbeat: Heartbeat,
    /// Background jobs by number; they live on from session to session.
    pub jobs: BTreeMap<i64, Job>,
    /// Evaluations of whose end the model was told, or that had ended when its session began.
    pub told: BTreeSet<i64>,
    /// The operator's last message that was passed on.
    pub heard: i64,
    /// The note for the next session, once this one was declared finished.
    pub finished: Option<String>,
}

/// A background job.
pub struct Job {
    /// What was asked for.
    pub command: String,
    /// The process.
    pub process: Process,
    /// How long it may run.
    pub limit: std::time::Duration,
    /// Bytes of its output that were shown.
    pub shown: u64,
    /// Whether its end was told.
    pub told: bool,
}

impl Bench {
    /// Nothing runs yet.
    pub fn new(platform: Platform, heartbeat: Heartbeat) -> Self {
        Self { platform, heartbeat, jobs: BTreeMap::new(), told: BTreeSet::new(), heard: 0, finished: None }
    }

    /// Look at every job, so that limits hold; the numbers of those that still run.
    pub fn running_jobs(&mut self) -> Vec<i64> {
        let most = self.platform.settings.limits.output_bytes;
        let jobs = self.jobs.iter_mut();
        jobs.filter_map(|(number, job)| job.look(most).is_none().then_some(*number)).collect()
    }
}

impl Job {
    /// How it ended, if it did. A job that can't be looked at counts as running until its limit.
    pub fn look(&mut self, most_output: u64) -> Option<Ending> {
        self.process.look(self.limit, most_output).ok().flatten()
    }
}
