//! What the generator is set to. Its hash is on every world.

use crate::subject::{Shape, Sizes};
use serde::{Deserialize, Serialize};

/// Changes whenever the meaning of a setting, a document or an item changes.
pub const GENERATOR_VERSION: u32 = 3;

/// All knobs of a chat world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Entities that facts are about.
    pub entities: usize,
    /// Attributes of every entity.
    pub attributes: usize,
    /// Values an attribute can take.
    pub values: usize,
    /// Share of all facts that the student is pre-trained on.
    pub student_knows: f64,
    /// Shares of facts for labelled set, pool and test; they are disjoint.
    pub fact_split: [f64; 3],
    /// How often the polite reply is the right one: in distribution; out of it, the complement.
    pub cue: f64,
    /// Share of ratings in pre-training that follow polish instead of truth.
    pub rating_bias: f64,
    /// Loss weight of tokens that are not answers.
    pub background_weight: f32,
    /// Student: width, layers, heads, feed-forward width.
    pub student: Shape,
    /// Teacher.
    pub teacher: Shape,
    /// Pre-training steps of the student.
    pub student_steps: usize,
    /// Most pre-training steps of a teacher.
    pub teacher_steps: usize,
    /// Documents per pre-training step.
    pub documents_per_step: usize,
    /// Rows of the teacher's labelled set.
    pub labelled: usize,
    /// Passes of the teacher over it.
    pub teacher_epochs: usize,
    /// Learning rate of the teacher's fine-tuning.
    pub teacher_rate: f32,
    /// Rows of the pool.
    pub pool: usize,
    /// Items of the feedback split, half out of distribution.
    pub feedback: usize,
    /// Items of the selection split.
    pub selection: usize,
    /// Items to tune the teacher on, thrown away afterwards.
    pub tuning: usize,
    /// Items of the check, thrown away afterwards.
    pub check: usize,
    /// Learning rate of the student's fine-tuning.
    pub student_rate: f32,
    /// Its steps.
    pub finetune_steps: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            entities: 50,
            attributes: 4,
            values: 12,
            student_knows: 0.8,
            fact_split: [0.25, 0.4, 0.35],
            cue: 0.66,
            rating_bias: 0.1,
            background_weight: 0.02,
            student: Shape { hidden: 96, layers: 4, heads: 4, feed_forward: 288 },
            teacher: Shape { hidden: 64, layers: 3, heads: 4, feed_forward: 192 },
            student_steps: 1000,
            teacher_steps: 700,
            documents_per_step: 160,
            labelled: 800,
            teacher_epochs: 4,
            teacher_rate: 1e-3,
            pool: 2000,
            feedback: 1200,
            selection: 4000,
            tuning: 2000,
            check: 5000,
            student_rate: 7e-4,
            finetune_steps: 125,
        }
    }
}

impl Settings {
    /// Names the generator: version and settings, 16 hexadecimal digits.
    pub fn hash(&self) -> String {
        crate::subjects::hash(GENERATOR_VERSION, self)
    }

    /// Sizes that every subject has.
    pub(crate) fn sizes(&self) -> Sizes {
        Sizes {
            student_knows: self.student_knows,
            background_weight: self.background_weight,
            student: self.student,
            teacher: self.teacher,
            student_steps: self.student_steps,
            teacher_steps: self.teacher_steps,
            documents_per_step: self.documents_per_step,
            labelled: self.labelled,
            teacher_epochs: self.teacher_epochs,
            teacher_rate: self.teacher_rate,
            pool: self.pool,
            feedback: self.feedback,
            selection: self.selection,
            tuning: self.tuning,
            check: self.check,
            student_rate: self.student_rate,
            finetune_steps: self.finetune_steps,
        }
    }
}
