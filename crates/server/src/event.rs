//! What can happen in a study. Everything else is derived from the list of these.

use crate::timeline::Doing;
use aar_api::forum::FindingType;
use aar_api::integrity::{Ruling, Verdict};
use aar_api::operator::Instruction;
use aar_api::work::Usage;
use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::{Policy, Unit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One event; its time stands beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The study was set up. Always the first.
    Opened(Opening),
    /// Somebody may take part.
    Joined(Participant),
    /// A bundle was stored; its contents are a blob of this hash.
    Stored {
        /// The bundle.
        bundle: String,
        /// Who stored it.
        by: String,
    },
    /// An evaluation was accepted and charged.
    Queued(Queued),
    /// Predictions were handed in: one byte per item, a blob. Queued and done at once.
    Predicted {
        /// What was asked for.
        asked: Queued,
        /// SHA-256 of the answers, hex.
        answers: String,
    },
    /// A worker took a job.
    Claimed {
        /// The job.
        job: i64,
        /// The worker.
        worker: String,
    },
    /// A job went back to the queue.
    Released {
        /// The job.
        job: i64,
        /// Why.
        reason: String,
    },
    /// A job's margins arrived; they are a blob.
    Done {
        /// The job.
        job: i64,
        /// SHA-256 of the margins as little-endian f32, hex.
        margins: String,
        /// What it cost.
        usage: Usage,
        /// (step, loss).
        curve: Vec<(u32, f32)>,
    },
    /// A job failed for good, and its evaluation with it.
    Failed {
        /// The job.
        job: i64,
        /// What the bundle did.
        reason: String,
        /// Its last lines.
        log_tail: String,
    },
    /// A finding was posted.
    Posted(Posted),
    /// A comment was made.
    Commented {
        /// On which finding.
        finding: i64,
        /// By whom.
        by: String,
        /// Markdown.
        body: String,
        /// The author's turn.
        turn: Option<u32>,
        /// Idempotency key.
        key: String,
    },
    /// A vote on somebody else's finding was cast, changed or taken back.
    Voted {
        /// On which finding.
        finding: i64,
        /// By whom.
        by: String,
        /// 1, -1, or 0 for none any more.
        value: i8,
        /// The author's turn.
        turn: Option<u32>,
    },
    /// Somebody makes no more submissions.
    Retired {
        /// Who.
        by: String,
    },
    /// A researcher's process was seen from outside to be at something else than before.
    Seen(Sight),
    /// The operator changed the course of a running study.
    Instructed {
        /// Whom it concerns; all researchers where it is absent.
        researcher: Option<String>,
        /// What was changed.
        instruction: Instruction,
    },
    /// A check found something about a bundle.
    Judged(Verdict),
    /// The operator ruled about a verdict, or about a finalist.
    Ruled(Ruling),
    /// Somebody looked for labels where none are served.
    Touched {
        /// Who; `nobody` where no known token was shown.
        by: String,
        /// The path or file.
        what: String,
    },
    /// The study entered a phase.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// The operator's record: results of the close, states of researchers, interruptions.
    Noted {
        /// What kind of note.
        kind: String,
        /// The note.
        body: serde_json::Value,
    },
}

impl Event {
    /// Whether it opens a study that hands out its test items.
    pub fn hands_out_items(&self) -> bool {
        matches!(self, Event::Opened(opening) if opening.contract == Contract::Predictions)
    }
}

/// Where a study stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Baselines, before researchers start.
    Baselines,
    /// Researchers at work.
    Running,
    /// Finalists are re-run; no more submissions.
    Closing,
    /// Over.
    Closed,
}

impl Phase {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Baselines => "baselines",
            Phase::Running => "running",
            Phase::Closing => "closing",
            Phase::Closed => "closed",
        }
    }
}

/// An evaluation seed and the teacher that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    /// For all random choices of `train`.
    pub seed: u64,
    /// Which of the testbed's teachers labels the pool.
    pub teacher: u32,
}

/// What is handed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contract {
    /// Code that the evaluation runs; test items stay hidden.
    #[default]
    Bundles,
    /// Answers to test items that are handed out.
    Predictions,
}

impl Contract {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Contract::Bundles => "bundles",
            Contract::Predictions => "predictions",
        }
    }

    /// Whether it is what a study has that says nothing.
    pub fn is_usual(&self) -> bool {
        *self == Contract::Bundles
    }
}

/// What is fixed when a study starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// The study's name.
    pub study: String,
    /// The testbed's name.
    pub testbed: String,
    /// `chat`, `math`, `code`.
    pub subject: String,
    /// SHA-256 of plan, finalist rule and analysis.
    pub plan: String,
    /// Commitment to the key that drew the seeds.
    pub key_commitment: String,
    /// Seeds per split, the same for all bundles.
    pub seeds: BTreeMap<Split, Vec<Seed>>,
    /// How much of a score a researcher gets to know.
    pub policy: Policy,
    /// The team's limits.
    pub limits: BTreeMap<Unit, u64>,
    /// What is handed in. Older logs say nothing and mean bundles.
    #[serde(default, skip_serializing_if = "Contract::is_usual")]
    pub contract: Contract,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything that a study's owner may.
    Operator,
    /// Claim jobs.
    Worker,
    /// Submit and post.
    Researcher,
    /// Look.
    Viewer,
}

/// Somebody with a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Unique name.
    pub name: String,
    /// What the token may do.
    pub role: Role,
    /// A researcher's kind.
    pub kind: Option<Kind>,
    /// A researcher's starting direction.
    pub direction: Option<String>,
    /// Seed of its own random choices.
    pub seed: u64,
    /// Evaluations it may use.
    pub evaluations: u32,
    /// Whether it works in turns.
    pub turns: bool,
    /// SHA-256 of its token, hex.
    pub token_hash: String,
}

impl Participant {
    /// Somebody with a role and no research of its own.
    pub fn service(name: &str, role: Role, token_hash: String) -> Self {
        Self { name: name.into(), role, kind: None, direction: None, seed: 0, evaluations: 0, turns: false, token_hash }
    }
}

/// Why an evaluation is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A researcher's submission.
    Submission,
    /// Run by the study before anybody starts.
    Baseline,
    /// A finalist's clean re-run at the close.
    Finalist,
    /// Plain training beside the finalists.
    Reference,
}

/// What a researcher's process was seen to be at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Whose.
    pub by: String,
    /// At what.
    pub doing: Doing,
    /// Since when, in milliseconds since the epoch; a hanging process is noticed late.
    pub since_ms: i64,
    /// Why it hangs or is gone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// An accepted evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The bundle.
    pub bundle: String,
    /// Name of the method.
    pub name: String,
    /// Family of ideas.
    pub family: String,
    /// What it was built on.
    pub parent: Option<String>,
    /// The author.
    pub by: String,
    /// The author's turn.
    pub turn: Option<u32>,
    /// Idempotency key of its author.
    pub key: String,
    /// Which items.
    pub split: Split,
    /// Why.
    pub purpose: Purpose,
    /// SHA-256 of the bundle's method card, frozen with the submission; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// The author.
    pub by: String,
    /// What it is.
    pub kind: FindingType,
    /// Title.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The evaluation behind it.
    pub evaluation: Option<i64>,
    /// The author's turn.
    pub turn: Option<u32>,
    /// Idempotency key.
    pub key: String,
}
