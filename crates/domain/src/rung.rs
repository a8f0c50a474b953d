//! The ladder of trust, the splits a score speaks of, and the kinds of author.

use serde::{Deserialize, Serialize};

/// How far a row of the board may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Scored on the feedback split.
    Graded,
    /// Re-run clean from its bundle on fresh seeds and the selection split.
    Replicated,
    /// Replicated, then tried elsewhere and failed the transfer rule.
    NotTransferred,
    /// Replicated and holds on other testbeds.
    Transferred,
}

impl Rung {
    /// Whether it was re-run clean at the close, whatever came of it elsewhere: only that makes results.
    pub fn is_result(self) -> bool {
        self != Rung::Graded
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Graded => "graded",
            Rung::Replicated => "replicated",
            Rung::NotTransferred => "not-transferred",
            Rung::Transferred => "transferred",
        }
    }
}

/// A test split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Answers go to researchers, through the leak ledger.
    Feedback,
    /// Opened once, at the close.
    Selection,
}

impl Split {
    /// Both splits.
    pub const ALL: [Split; 2] = [Split::Feedback, Split::Selection];

    /// The name as it is written in files and paths.
    pub fn name(self) -> &'static str {
        match self {
            Split::Feedback => "feedback",
            Split::Selection => "selection",
        }
    }
}

/// Who made a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Run by the study before anybody starts.
    Baseline,
    /// The built-in search.
    Search,
    /// The control: random recipes at the same budget.
    Random,
    /// A language model in a loop.
    LanguageModel,
    /// An external agent.
    Command,
    /// Somebody at the bench, with the same budget as the others. Older logs say `person`.
    #[serde(alias = "person")]
    Human,
    /// A control run by the study.
    Control,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_logs_call_a_human_a_person() {
        let read = |text: &str| serde_json::from_str::<Kind>(text).unwrap();
        assert_eq!((read("\"person\""), read("\"human\"")), (Kind::Human, Kind::Human));
        assert_eq!(serde_json::to_string(&Kind::Human).unwrap(), "\"human\"");
    }
}
