//! How the researchers of a replayed study work together.

use aar_domain::directions::DIRECTIONS;
use aar_grader::ledger::Policy;
use aar_methods::search::direction::Leaning;
use serde::Serialize;

/// The default study's baselines, plain training first.
pub const BASELINES: &[&str] = &["plain", "plain-soft", "confident", "confidence-loss", "zero-shot", "posterior"];

/// How a researcher chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `lab search`.
    Search,
    /// Blind, without repeating what was evaluated.
    Random,
}

/// What researchers are told to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Nothing.
    None,
    /// The platform's directions, each researcher another: the direction's families are drawn more often.
    Vague,
    /// Ideas fixed at the start: drawn from the same direction with the baselines alone known, whatever comes out later.
    Specific,
}

/// What researchers see of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// Nothing: no board, no forum.
    Nothing,
    /// What was tried, what it was worth, what is advised against; but no bundle, so that nobody builds on another's.
    Findings,
    /// Bundles too.
    Snapshots,
}

/// A team and its rules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Team {
    /// Researchers, all of one kind.
    pub researchers: usize,
    /// How they choose.
    pub kind: Kind,
    /// What they start from.
    pub direction: Direction,
    /// What they see of each other.
    pub sharing: Sharing,
    /// Whether they start with the default study's baselines on the board; else with plain training alone.
    pub baselines: bool,
    /// Proposals tried on the pool before one is submitted; 0 submits the first.
    pub trials: usize,
    /// What they are told of scores.
    pub policy: Policy,
    /// Counted operations that all of them have together, trials included, in evaluations of plain training.
    pub budget: f64,
}

impl Team {
    /// The default study's: three that search in different directions, sharing all.
    pub fn usual(budget: f64, policy: Policy) -> Self {
        Self {
            researchers: 3,
            kind: Kind::Search,
            direction: Direction::Vague,
            sharing: Sharing::Snapshots,
            baselines: true,
            trials: 2,
            policy,
            budget,
        }
    }

    /// What the researcher with a place in the order of directions leans to.
    pub(super) fn leaning(&self, place: usize) -> Leaning {
        match (self.kind, self.direction) {
            (Kind::Random, _) | (_, Direction::None) => Leaning::even(),
            (Kind::Search, Direction::Vague | Direction::Specific) => Leaning::of(DIRECTIONS[place % DIRECTIONS.len()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{LAPTOP, Plan};

    #[test]
    fn baselines_are_the_default_studys() {
        assert_eq!(Plan::read(LAPTOP, "laptop.toml", false, &[]).unwrap().evaluation.baselines, BASELINES);
    }
}
