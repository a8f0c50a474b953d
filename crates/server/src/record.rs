//! Evaluations, jobs and findings as the operator sees them.

use crate::event::{Posted, Purpose, Queued, Seed};
use aar_api::forum::Comment;
use aar_api::work::Usage;
use serde::Serialize;
use std::collections::BTreeMap;

/// How far something has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// Finished.
    Done,
    /// Failed for good.
    Failed,
}

impl Status {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Done => "done",
            Status::Failed => "failed",
        }
    }
}

/// One seed of an evaluation.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// Its number.
    pub id: i64,
    /// The evaluation.
    pub evaluation: i64,
    /// Seed and teacher.
    pub seed: Seed,
    /// How far it is.
    pub status: Status,
    /// Times a worker took it.
    pub claims: u32,
    /// Who works on it, or did.
    pub worker: Option<String>,
    /// When it was last taken.
    pub claimed_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Margins, once done.
    pub margins: Vec<f32>,
    /// What it cost.
    pub usage: Usage,
    /// (step, loss).
    pub curve: Vec<(u32, f32)>,
}

/// One evaluation.
#[derive(Clone, Debug)]
pub struct EvaluationRecord {
    /// Its number.
    pub id: i64,
    /// What was asked for.
    pub asked: Queued,
    /// Its jobs, in the order of the seeds.
    pub jobs: Vec<i64>,
    /// How far it is.
    pub status: Status,
    /// Seeds finished.
    pub done: usize,
    /// Why it failed, with the last lines printed.
    pub failure: Option<(String, String)>,
    /// The ledger's answer on the feedback split.
    pub answer: Option<f64>,
    /// Whether the ledger has answered, be it with nothing.
    pub answered: bool,
    /// When it did.
    pub answered_ms: Option<i64>,
    /// When it was asked for.
    pub at_ms: i64,
    /// When a worker first took one of its jobs.
    pub began_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
}

impl EvaluationRecord {
    /// As it is when it was asked for.
    pub fn queued(id: i64, asked: Queued, jobs: Vec<i64>, at_ms: i64) -> Self {
        Self {
            id,
            asked,
            jobs,
            status: Status::Queued,
            done: 0,
            failure: None,
            answer: None,
            answered: false,
            answered_ms: None,
            at_ms,
            began_ms: None,
            ended_ms: None,
        }
    }

    /// Whether researchers may see it on the board.
    pub fn on_board(&self) -> bool {
        matches!(self.asked.purpose, Purpose::Submission | Purpose::Baseline) && self.status == Status::Done
    }

    /// Plain training, by the operator's hand: what everything is compared with. A researcher's key makes nothing plain.
    pub fn is_plain(&self) -> bool {
        matches!(self.asked.purpose, Purpose::Baseline | Purpose::Reference) && self.asked.key.ends_with(" plain")
    }

    /// Done or failed.
    pub fn ended(&self) -> bool {
        matches!(self.status, Status::Done | Status::Failed)
    }
}

/// A finding with its comments.
#[derive(Clone, Debug)]
pub struct FindingRecord {
    /// Its number.
    pub id: i64,
    /// The post.
    pub posted: Posted,
    /// When.
    pub at_ms: i64,
    /// Comments with their keys.
    pub comments: Vec<(String, Comment)>,
    /// Votes with their authors' turns.
    pub votes: BTreeMap<String, (i8, Option<u32>)>,
}

impl FindingRecord {
    /// Votes for it, less those against.
    pub fn score(&self) -> i64 {
        self.votes.values().map(|(value, _)| i64::from(*value)).sum()
    }
}

/// The operator's note.
#[derive(Clone, Debug)]
pub struct Note {
    /// When.
    pub at_ms: i64,
    /// What kind.
    pub kind: String,
    /// The note.
    pub body: serde_json::Value,
}
