//! What a study tells everybody who takes part.

use crate::receipt::Receipt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The study as a participant sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StudyView {
    /// Its name.
    pub name: String,
    /// The testbed's name.
    pub testbed: String,
    /// `chat`, `math`, `code`.
    pub subject: String,
    /// What is handed in: `bundles` or `predictions`.
    pub contract: String,
    /// `running`, `closing` or `closed`.
    pub phase: String,
    /// Seeds of one feedback evaluation.
    pub seeds: usize,
    /// Teacher's accuracy on the feedback split, mean over its frozen seeds.
    pub weak: f64,
    /// Ceiling's accuracy on the feedback split, mean over its frozen seeds.
    pub ceiling: f64,
    /// Names of recipes that were run as baselines.
    pub baselines: Vec<String>,
}

/// Who a token belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The name.
    pub name: String,
    /// `operator`, `worker`, `researcher` or `viewer`.
    pub role: String,
    /// A researcher's kind (`search`, `random`, `human`, …).
    pub kind: Option<String>,
    /// A researcher's starting direction, vague on purpose.
    pub direction: Option<String>,
    /// Evaluations left.
    pub evaluations_left: u32,
    /// Evaluations used.
    pub evaluations_used: u32,
    /// A researcher's own seed for its random choices.
    pub seed: u64,
    /// Whether it works in turns.
    pub turns: bool,
    /// The log's head when this was answered.
    pub receipt: Receipt,
}

/// The turn has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TurnView {
    /// The turn asked for.
    pub turn: u32,
    /// False where the long poll ran out before the turn began: ask again.
    pub ready: bool,
    /// The study takes no more submissions.
    pub closed: bool,
}
