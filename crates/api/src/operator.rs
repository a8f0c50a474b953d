//! What an operator does to a running study. All of it is on the study's record.

use crate::integrity::Cheating;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change of course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum Instruction {
    /// Stand still: the processes are frozen, submissions refused.
    Pause,
    /// Go on.
    Resume,
    /// Make no more submissions; the process is ended.
    Stop,
    /// A message, which the researcher finds among its messages.
    Say {
        /// The message, at most 4,000 characters.
        text: String,
    },
    /// More evaluations, for the researcher and on the team's ledger.
    Budget {
        /// How many more.
        evaluations: u32,
    },
    /// Take no more submissions from anybody and begin the close.
    Close,
}

/// Instruct one researcher, or all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Instruct {
    /// Its name; all where it is left out.
    #[serde(default)]
    pub researcher: Option<String>,
    /// What is to be done.
    pub instruction: Instruction,
}

/// Somebody who works on a study from wherever it likes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewParticipant {
    /// Unique; 1 to 32 letters, digits and dashes.
    pub name: String,
    /// `human` or `command`.
    pub kind: String,
    /// Evaluations it may use, on top of the team's.
    pub evaluations: u32,
    /// A starting direction.
    #[serde(default)]
    pub direction: Option<String>,
}

/// A token, shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// Whose it is.
    pub name: String,
    /// The token; the server keeps its hash.
    pub token: String,
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A researcher as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// `working`, `paused` or `retired`.
    pub state: String,
    /// Evaluations used.
    pub evaluations_used: u32,
    /// Evaluations left.
    pub evaluations_left: u32,
    /// Evaluations under way.
    pub open: usize,
    /// Findings posted.
    pub findings: usize,
    /// Attempts at cheating on record.
    #[serde(default)]
    pub cheating: Cheating,
    /// Where it started.
    pub direction: Option<String>,
}

/// A message of the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its number, from 1.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// Whether it went to everybody.
    pub to_all: bool,
    /// The message.
    pub text: String,
}
