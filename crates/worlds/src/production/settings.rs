//! What the generator is set to. Its hash is on every world.

use crate::subject::{Shape, Sizes};
use crate::{code, math};
use serde::{Deserialize, Serialize};

/// Changes whenever the meaning of a setting, a document or an item changes.
pub const GENERATOR_VERSION: u32 = 2;

/// All knobs of a production world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The solutions; its sizes are not used.
    pub math: math::Settings,
    /// The programs; its sizes are not used.
    pub code: code::Settings,
    /// Share of the student's documents in which a judgement has its reasons.
    pub reasoned: f64,
    /// Sizes of networks and sets.
    pub sizes: Sizes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            math: math::Settings::default(),
            code: code::Settings::default(),
            reasoned: 0.35,
            sizes: Sizes {
                student: Shape::new(128, 4, 4, 384),
                student_steps: 1500,
                documents_per_step: 144,
                teacher_steps: 1200,
                student_rate: 3e-4,
                // A few points of accuracy are to be found.
                selection: 8000,
                ..Sizes::COMMON
            },
        }
    }
}
