//! How a trained student answers: data, so that no researcher's code meets a test input.

use serde::{Deserialize, Serialize};

/// The most artefacts one bundle may leave.
pub const MAX_MEMBERS: usize = 8;

/// `inference.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inference {
    /// Always 1.
    pub format: u32,
    /// Whether a pair is asked in one order or in both.
    pub orders: Orders,
    /// How members' margins become one.
    pub aggregate: Aggregate,
    /// The artefacts, 1 to [`MAX_MEMBERS`].
    pub members: Vec<Member>,
}

/// The orders a pair is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orders {
    /// As written.
    Single,
    /// Both orders; the margin is half the difference. Same as `Single` for binary items.
    Both,
}

/// How members' margins become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// Mean margin.
    Mean,
    /// Median margin.
    Median,
    /// Mean without the highest and the lowest, from three members up.
    Trimmed,
}

/// One artefact and the prompt it answers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What the artefact is.
    pub kind: MemberKind,
    /// Directory beside `inference.json`; empty for `base`.
    #[serde(default)]
    pub path: String,
    /// Which prompt.
    #[serde(default)]
    pub prompt: PromptChoice,
}

/// What an artefact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberKind {
    /// A whole checkpoint.
    Full,
    /// A PEFT adapter on the student.
    Adapter,
    /// A linear readout of the student's hidden states.
    Head,
    /// The untouched student.
    Base,
}

/// Which of a problem's prompts a member answers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptChoice {
    /// The task's own prompt.
    #[default]
    Task,
    /// The mean over the zero-shot prompts.
    ZeroShot,
}

/// Why an inference recipe is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// Another format than 1.
    #[error("format {0} is not known, only 1")]
    Format(u32),
    /// None, or too many.
    #[error("{0} members, but 1 to {MAX_MEMBERS} are allowed")]
    Members(usize),
    /// A path that is not a plain folder name.
    #[error("member path {0:?} is not a plain folder name")]
    Path(String),
}

impl Inference {
    /// Check what the types can't say.
    pub fn check(&self) -> Result<(), InferenceError> {
        if self.format != 1 {
            return Err(InferenceError::Format(self.format));
        }
        if self.members.is_empty() || self.members.len() > MAX_MEMBERS {
            return Err(InferenceError::Members(self.members.len()));
        }
        for member in &self.members {
            let plain = !member.path.is_empty()
                && member.path.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if member.kind != MemberKind::Base && !plain {
                return Err(InferenceError::Path(member.path.clone()));
            }
        }
        Ok(())
    }
}

impl Aggregate {
    /// One margin out of the members' margins of one item (order is of no importance).
    pub fn combine(self, margins: &mut [f32]) -> f32 {
        let n = margins.len();
        debug_assert!(n > 0);
        if self != Aggregate::Mean {
            margins.sort_by(f32::total_cmp);
        }
        match self {
            Aggregate::Median if n.is_multiple_of(2) => (margins[n / 2 - 1] + margins[n / 2]) / 2.0,
            Aggregate::Median => margins[n / 2],
            Aggregate::Trimmed if n >= 3 => mean(&margins[1..n - 1]),
            Aggregate::Trimmed | Aggregate::Mean => mean(margins),
        }
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates() {
        let check = |how: Aggregate, values: &[f32], expect: f32| {
            assert_eq!(how.combine(&mut values.to_vec()), expect, "{how:?} {values:?}");
        };
        check(Aggregate::Mean, &[1.0, 2.0, 6.0], 3.0);
        check(Aggregate::Median, &[6.0, 1.0, 2.0], 2.0);
        check(Aggregate::Median, &[6.0, 1.0], 3.5);
        check(Aggregate::Trimmed, &[9.0, 1.0, 2.0, -50.0], 1.5);
        check(Aggregate::Trimmed, &[1.0, 2.0], 1.5);
    }

    #[test]
    fn refuses_a_path_out_of_the_folder() {
        let member = Member { kind: MemberKind::Full, path: "../m".into(), prompt: PromptChoice::Task };
        let inference =
            Inference { format: 1, orders: Orders::Single, aggregate: Aggregate::Mean, members: vec![member] };
        assert_eq!(inference.check(), Err(InferenceError::Path("../m".into())));
    }
}
