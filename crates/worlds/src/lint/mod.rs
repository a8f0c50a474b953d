//! Is a testbed fit to measure on? A linter for raw three-file folders and for testbeds' directories.
//!
//! `folder` or `testbed` reads rows → `duplicates`, `leaks`, `balance`, `shortcuts`, `power` each look for one kind of
//! defect with `credit`, the one way of saying how far a feature gets → a [`Report`]. A finding says what was measured,
//! where, and what to do; the testbed is refused where one of them is a [`Severity::Refused`].

use serde::Serialize;
use std::path::Path;

mod balance;
mod credit;
mod duplicates;
mod error;
mod folder;
mod leaks;
mod material;
pub(crate) mod near;
mod power;
mod shortcuts;
mod testbed;
pub(crate) mod words;

pub use error::LintError;

/// What a linter says of a testbed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// `testbed` or `folder` (three JSONL files).
    pub form: &'static str,
    /// Rows per set, in the order they were read.
    pub rows: Vec<(String, usize)>,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// What was measured and is within its limit, or has none.
    pub measures: Vec<Measure>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Scores on this testbed would not mean what they claim.
    Refused,
    /// Worth knowing before anything is concluded.
    Warning,
}

/// One defect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule, for programs.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// The set or sets it is in.
    pub place: String,
    /// What was found, with the number.
    pub what: String,
    /// What a person can do about it.
    pub remedy: String,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
    /// 95 % interval, where it has one.
    pub interval: Option<[f64; 2]>,
}

impl Report {
    /// Whether anything found forbids measuring on this testbed.
    pub fn refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Refused)
    }
}

/// Findings and measures while they come in.
#[derive(Default)]
struct Notes {
    findings: Vec<Finding>,
    measures: Vec<Measure>,
}

impl Notes {
    fn find(
        &mut self,
        rule: &'static str,
        severity: Severity,
        place: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (place, what, remedy) = (place.into(), what.into(), remedy.into());
        self.findings.push(Finding { rule, severity, place, what, remedy });
    }

    fn measure(&mut self, name: impl Into<String>, value: f64, interval: Option<[f64; 2]>) {
        self.measures.push(Measure { name: name.into(), value, interval });
    }
}

/// Look at a testbed's directory (`testbed.json`) or a folder with the three JSONL files. Nothing is written.
pub fn check(dir: &Path) -> Result<Report, LintError> {
    let mut notes = Notes::default();
    let material =
        if dir.join("testbed.json").is_file() { testbed::read(dir, &mut notes)? } else { folder::read(dir)? };
    duplicates::find(&material, &mut notes);
    leaks::find(&material, &mut notes);
    balance::find(&material, &mut notes);
    let weak = power::find(&material, &mut notes);
    shortcuts::find(&material, weak, &mut notes);
    notes.findings.sort_by_key(|finding| finding.severity);
    let rows = material.sets.iter().map(|set| (set.name.clone(), set.rows.len())).collect();
    let form = if material.frozen.is_some() { "testbed" } else { "folder" };
    Ok(Report { form, rows, findings: notes.findings, measures: notes.measures })
}
