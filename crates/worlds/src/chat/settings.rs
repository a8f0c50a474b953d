//! What the generator is set to. Its hash is on every world.

use crate::subject::{Shape, Sizes};
use serde::{Deserialize, Serialize};

/// Changes whenever the meaning of a setting, a document or an item changes.
pub const GENERATOR_VERSION: u32 = 4;

/// All knobs of a chat world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Entities that facts are about.
    pub entities: usize,
    /// Attributes of every entity.
    pub attributes: usize,
    /// Values an attribute can take.
    pub values: usize,
    /// Shares of facts for labelled set, pool and test; they are disjoint.
    pub fact_split: [f64; 3],
    /// How often the polite reply is the right one: in distribution; out of it, the complement.
    pub cue: f64,
    /// Share of ratings in pre-training that follow polish instead of truth.
    pub rating_bias: f64,
    /// Sizes that every subject has.
    pub sizes: Sizes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            entities: 50,
            attributes: 4,
            values: 12,
            fact_split: [0.25, 0.4, 0.35],
            cue: 0.66,
            rating_bias: 0.1,
            sizes: Sizes {
                student_knows: 0.8,
                teacher: Shape::new(64, 3, 4, 192),
                teacher_steps: 700,
                documents_per_step: 160,
                student_rate: 7e-4,
                ..Sizes::COMMON
            },
        }
    }
}
