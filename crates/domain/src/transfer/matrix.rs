//! Methods × testbeds: what came of trying them elsewhere.

use super::Fate;
use crate::rung::Rung;
use crate::stats::{Comparison, Estimate};
use serde::{Deserialize, Serialize};

/// Methods × testbeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// The testbed of the study.
    pub home: String,
    /// The columns.
    pub targets: Vec<Target>,
    /// The rows.
    pub methods: Vec<Line>,
    /// How far PGR at home predicts PGR elsewhere; absent for few methods.
    pub predicts: Option<Predicts>,
}

/// Rank correlation (Spearman) of PGR at home with the mean PGR elsewhere: over methods that have both, on the testbeds where all of
/// these have one, as means over different testbeds can't be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicts {
    /// The rank correlation.
    #[serde(flatten)]
    pub correlation: Estimate,
    /// Methods.
    #[serde(default)]
    pub methods: usize,
    /// Testbeds.
    #[serde(default)]
    pub testbeds: usize,
}

/// A testbed that methods were tried on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its subject.
    pub subject: String,
    /// Where it is from, in words.
    pub origin: String,
    /// SHA-256 of its record.
    pub record: String,
    /// Whether it counts for the rule: minted, its truth not public, of the study's subject.
    pub fresh: bool,
    /// Seeds of every trial.
    pub seeds: usize,
    /// Ceiling minus weak on the selection split.
    pub gap: f64,
    /// Its lower 95 % bound.
    pub gap_low: f64,
    /// Plain training there.
    pub plain: Option<Estimate>,
}

/// One method everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub method: String,
    /// Its author.
    pub by: String,
    /// Its bundle.
    pub bundle: String,
    /// PGR at home.
    pub home: Option<Estimate>,
    /// One per target.
    pub cells: Vec<Cell>,
    /// What follows.
    pub rung: Rung,
}

/// One method on one testbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// PGR there.
    pub pgr: Option<Estimate>,
    /// Paired test against plain there.
    pub against_plain: Option<Comparison>,
    /// PGR there over PGR at home.
    pub retained: Option<Estimate>,
    /// What is said.
    pub fate: Fate,
    /// Why it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// SHA-256 of the margins of each seed.
    pub margins: Vec<String>,
}

impl Line {
    /// What follows for the method, in words.
    pub fn follows(&self) -> &'static str {
        match self.rung {
            Rung::Transferred => "transferred",
            Rung::NotTransferred => "did not transfer",
            _ => "replicated; five fresh worlds decide",
        }
    }
}
