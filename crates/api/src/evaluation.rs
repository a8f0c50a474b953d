//! Submissions and what a researcher gets to know of them.

use crate::receipt::Receipt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Ask for a bundle to be evaluated. Charged even where it fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// A stored bundle.
    pub bundle: String,
    /// A name for people, at most 200 characters.
    pub name: String,
    /// The family of ideas, as its author sees it (`domain::family`).
    pub family: String,
    /// The bundle it was built on.
    #[serde(default)]
    pub parent: Option<String>,
    /// Chosen by the caller: the same key again is the same evaluation, not a second charge.
    pub key: String,
    /// The researcher's turn, where it works in turns.
    #[serde(default)]
    pub turn: Option<u32>,
}

/// Answers to the test items, in a study whose items are handed out (`contract = "predictions"`). Charged like a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Predictions {
    /// One per item, in the order of `GET /v1/items`: 1 = the positive label (the first is better, true), 0 = the negative one.
    pub answers: Vec<u8>,
    /// A name for people, at most 200 characters.
    pub name: String,
    /// The family of ideas, as its author sees it; `other` where it is left out.
    #[serde(default = "other")]
    pub family: String,
    /// Chosen by the caller: the same key again is the same submission, not a second charge.
    pub key: String,
}

fn other() -> String {
    "other".into()
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EvaluationView {
    /// Its number.
    pub id: i64,
    /// The bundle.
    pub bundle: String,
    /// The name its author gave.
    pub name: String,
    /// Family of ideas.
    pub family: String,
    /// What it was built on.
    pub parent: Option<String>,
    /// The author.
    pub by: String,
    /// The author's turn, where it works in turns.
    pub turn: Option<u32>,
    /// `queued`, `running`, `done` or `failed`.
    pub status: String,
    /// Seeds finished.
    pub seeds_done: usize,
    /// Seeds in all.
    pub seeds: usize,
    /// The ledger's quantised answer; absent until done, where it failed, or where the ledger is spent.
    pub feedback: Option<Feedback>,
    /// Why it failed.
    pub reason: Option<String>,
    /// The log's head when this was answered; in lists it is left out ([`crate::study::Me`] carries it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

/// What the leak ledger lets a researcher know of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Feedback {
    /// PGR on the ledger's grid; a step, not a measurement. Absent where PGR is undefined.
    pub pgr: Option<f64>,
    /// Width of a step.
    pub step: f64,
    /// Bits this answer cost the team (an upper bound on what it gave away).
    pub bits: f64,
}

/// A row of the board as researchers see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BoardRow {
    /// The evaluation behind the row.
    pub evaluation: i64,
    /// The bundle; GET it to build on it.
    pub bundle: String,
    /// Name of the method.
    pub name: String,
    /// Author.
    pub by: String,
    /// Kind of author.
    pub kind: String,
    /// Family of ideas.
    pub family: String,
    /// What it was built on.
    pub parent: Option<String>,
    /// The author's turn.
    pub turn: Option<u32>,
    /// The ledger's answer.
    pub feedback: Feedback,
    /// Why the row is not ranked, where a binding verdict or an operator's refusal says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}
