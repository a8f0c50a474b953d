//! What the generator is set to. Its hash is on every world.

use crate::subject::Sizes;
use serde::{Deserialize, Serialize};

/// Changes whenever the meaning of a setting, a document or an item changes.
pub const GENERATOR_VERSION: u32 = 2;

/// All knobs of a code world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Instructions, each a secret map.
    pub instructions: usize,
    /// Values of the accumulator.
    pub values: usize,
    /// Shares of programs for labelled set, pool and test; they are disjoint.
    pub program_split: [f64; 3],
    /// How often the answer with the cue is right, where the cue reverses; see `mechanism`.
    pub cue: f64,
    /// Share of wrong outputs that are what the first instruction leaves.
    pub half_run: f64,
    /// How often a grader of the task's documents tosses a coin.
    pub crowd_coin: f64,
    /// Accuracy of the untouched student, asked, that its label words are redrawn for.
    pub zero_shot: f64,
    /// Label words to choose from.
    pub redraws: usize,
    /// Sizes that every subject has.
    pub sizes: Sizes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instructions: 12,
            values: 8,
            program_split: [0.15, 0.4, 0.45],
            cue: 0.65,
            half_run: 0.25,
            crowd_coin: 0.1,
            zero_shot: 0.6,
            redraws: 60,
            sizes: Sizes {
                student_knows: 0.95,
                teacher_knows: 0.5,
                student_steps: 1400,
                teacher_steps: 900,
                documents_per_step: 144,
                student_rate: 2e-4,
                ..Sizes::COMMON
            },
        }
    }
}
