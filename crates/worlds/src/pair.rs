//! Pairs of models: who teaches whom. A method that was found with one pair is tried with others.

use crate::subject::{Architecture, Shape, Sizes};
use std::fmt;

/// A teacher and a student that are not the subject's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// Another teacher: deeper and narrower, of the other architecture.
    Teacher,
    /// A larger student, which reads for as long.
    Larger,
    /// A student of another architecture, pre-trained by another recipe.
    Architecture,
}

impl Pair {
    /// All of them.
    pub const ALL: [Pair; 3] = [Pair::Teacher, Pair::Larger, Pair::Architecture];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pair| pair.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Pair::Teacher => "teacher",
            Pair::Larger => "larger",
            Pair::Architecture => "architecture",
        }
    }

    /// Put these models in the place of a subject's own.
    pub fn apply(self, sizes: &mut Sizes) {
        let Sizes { student, teacher, .. } = sizes;
        match self {
            Pair::Teacher => {
                *teacher =
                    Shape { hidden: 48, layers: 6, heads: 4, feed_forward: 144, architecture: Architecture::Qwen2 };
            }
            Pair::Larger => {
                *student = Shape { hidden: 128, layers: 6, heads: 4, feed_forward: 384, ..*student };
            }
            Pair::Architecture => student.architecture = Architecture::Qwen2,
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pair::Teacher => "another teacher (6 layers of 48, Qwen2)",
            Pair::Larger => "a larger student (6 layers of 128)",
            Pair::Architecture => "a student of another architecture (Qwen2, its own pre-training recipe)",
        })
    }
}
