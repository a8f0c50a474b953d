//! What the generator is set to. Its hash is on every world.

use crate::subject::Sizes;
use serde::{Deserialize, Serialize};

/// Changes whenever the meaning of a setting, a document or an item changes.
pub const GENERATOR_VERSION: u32 = 3;

/// All knobs of a math world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Functions with a secret table each.
    pub functions: usize,
    /// Values, which are also a table's places.
    pub values: usize,
    /// Shares of table cells for labelled set, pool and test; they are disjoint.
    pub fact_split: [f64; 3],
    /// How often the answer with the cue is right, where the cue reverses; see `mechanism`.
    pub cue: f64,
    /// How often a sloppy grader tosses a coin instead of looking at the last step.
    pub crowd_coin: f64,
    /// Sizes that every subject has.
    pub sizes: Sizes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            functions: 15,
            values: 10,
            fact_split: [0.25, 0.4, 0.35],
            cue: 0.65,
            crowd_coin: 0.2,
            sizes: Sizes { teacher_epochs: 2, teacher_rate: 3e-4, ..Sizes::COMMON },
        }
    }
}
