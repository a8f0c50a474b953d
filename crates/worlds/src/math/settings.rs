//! What the generator is set to. Its hash is on every world.

use crate::subject::{Shape, Sizes};
use serde::{Deserialize, Serialize};

/// Changes whenever the meaning of a setting, a document or an item changes.
pub const GENERATOR_VERSION: u32 = 1;

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
    /// Accuracy of the untouched student, asked and centred, up to which careful graders are let into the crowd.
    pub zero_shot: f64,
    /// Most steps with careful graders.
    pub careful_steps: usize,
    /// Their share of the task's documents in these steps.
    pub careful: f64,
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
            // PGR 0.43 at a weak accuracy of 0.59 and a ceiling of 0.89; each look finds it some points higher.
            zero_shot: 0.72,
            careful_steps: 340,
            careful: 0.1,
            sizes: Sizes {
                student_knows: 0.9,
                background_weight: 0.02,
                student: Shape { hidden: 96, layers: 4, heads: 4, feed_forward: 288 },
                teacher: Shape { hidden: 64, layers: 4, heads: 4, feed_forward: 192 },
                student_steps: 1000,
                teacher_steps: 1200,
                documents_per_step: 120,
                labelled: 800,
                teacher_epochs: 2,
                teacher_rate: 3e-4,
                pool: 2000,
                feedback: 1200,
                selection: 4000,
                tuning: 2000,
                check: 5000,
                student_rate: 5e-4,
                finetune_steps: 125,
            },
        }
    }
}
