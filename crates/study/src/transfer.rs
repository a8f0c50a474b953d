//! Validation elsewhere: a closed study's finalists, from their stored bundles and untouched, on other testbeds.
//!
//! `trials` runs what is not on record yet; what is said of it is [`aar_domain::transfer`]'s. The matrix goes into the study's
//! log with the hashes of the margins it follows from: the truth of other testbeds is not the study's, so it can't be derived
//! from the log alone. The margins stay in `transfer/`.

pub mod production;
mod trials;

pub use trials::{TrialEvent, record_hash};

use crate::directory::StudyDirectory;
use crate::error::StudyError;
use crate::testbed::Testbed;
use aar_api::bundle::Bundle;
use aar_domain::rung::Split;
use aar_domain::stats::{Estimate, Outcomes, Pgr, correlation, rank_correlation_interval, ranked};
use aar_domain::testbed::Origin;
use aar_domain::transfer::matrix::{Cell, Line, Matrix, Predicts, Target};
use aar_domain::transfer::{self, Fate};
use aar_grader::{Score, Vault};
use aar_sandbox::{Isolation, Limits};
use aar_server::event::Seed;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use trials::{Trials, Tried};

/// Seeds of a testbed's teachers: more can't be had.
pub const MOST_SEEDS: usize = 16;

/// What a transfer needs.
pub struct TransferConfig<'a> {
    /// The study's directory, opened.
    pub directory: &'a StudyDirectory,
    /// This program, mounted as `lab`.
    pub executable: PathBuf,
    /// How strangers are confined here.
    pub isolation: Isolation,
    /// Limits of a train phase.
    pub limits: Limits,
    /// Trials at a time.
    pub workers: usize,
    /// Seeds of every trial, the same for all methods of a testbed.
    pub seeds: Vec<Seed>,
    /// Plain training, the reference.
    pub plain: Bundle,
    /// Set to stop.
    pub stop: &'a AtomicBool,
}

impl TransferConfig<'_> {
    /// The same with the first `count` of its seeds.
    fn with_seeds(&self, count: usize) -> TransferConfig<'_> {
        TransferConfig {
            directory: self.directory,
            executable: self.executable.clone(),
            isolation: self.isolation.clone(),
            limits: self.limits.clone(),
            workers: self.workers,
            seeds: self.seeds.iter().copied().take(count).collect(),
            plain: self.plain.clone(),
            stop: self.stop,
        }
    }
}

/// A method to be tried.
pub struct Method {
    /// Its name.
    pub name: String,
    /// Its author.
    pub by: String,
    /// What is run.
    pub bundle: Bundle,
    /// What it was replicated at; measured on the home testbed where it never was.
    pub home: Option<Pgr>,
}

/// Try `methods` on `targets`, which are not the home testbed; what is on record is not run again.
pub fn run(
    config: &TransferConfig,
    home: &Testbed,
    methods: &[Method],
    targets: &[Testbed],
    tell: &(dyn Fn(TrialEvent) + Sync),
) -> Result<Matrix, StudyError> {
    let trials = Trials::open(config)?;
    let all: Vec<&Bundle> = methods.iter().map(|method| &method.bundle).collect();
    let unknown: Vec<&Bundle> =
        methods.iter().filter(|method| method.home.is_none()).map(|method| &method.bundle).collect();
    let mut plan: Vec<(&Testbed, &[&Bundle])> = targets.iter().map(|target| (target, all.as_slice())).collect();
    if !unknown.is_empty() {
        plan.push((home, &unknown));
    }
    trials.run(&plan, tell)?;
    let at_home = if unknown.is_empty() { None } else { Some(Scored::new(&trials, home)?) };
    let scored = targets.iter().map(|target| Scored::new(&trials, target)).collect::<Result<Vec<_>, _>>()?;
    let mut lines = Vec::new();
    for method in methods {
        let known = method.home.or_else(|| at_home.as_ref()?.found(&trials, &method.bundle).ok()?.score.pgr);
        let cells: Vec<Cell> =
            scored.iter().map(|target| target.cell(&trials, &method.bundle, known.as_ref())).collect();
        let (fresh, elsewhere): (Vec<_>, Vec<_>) =
            cells.iter().zip(targets).partition(|(_, target)| fresh(target, &home.record.subject));
        let fates =
            |cells: Vec<(&Cell, &Testbed)>| -> Vec<Fate> { cells.into_iter().map(|(cell, _)| cell.fate).collect() };
        let rung = transfer::rung(&fates(fresh), &fates(elsewhere));
        lines.push(Line {
            method: method.name.clone(),
            by: method.by.clone(),
            bundle: method.bundle.id(),
            home: known.as_ref().map(Estimate::from),
            cells,
            rung,
        });
    }
    Ok(Matrix {
        home: home.record.name.clone(),
        targets: scored.iter().map(|scored| scored.target(config.seeds.len(), &home.record.subject)).collect(),
        predicts: predicts(&lines),
        methods: lines,
    })
}

fn fresh(testbed: &Testbed, subject: &str) -> bool {
    let record = &testbed.record;
    matches!(record.origin, Origin::Minted { models: None, .. }) && !record.truth_public && record.subject == subject
}

fn predicts(lines: &[Line]) -> Option<Predicts> {
    let elsewhere = |line: &Line| line.cells.iter().any(|cell| cell.pgr.is_some());
    let tried: Vec<(f64, &Line)> =
        lines.iter().filter(|line| elsewhere(line)).filter_map(|line| Some((line.home?.value, line))).collect();
    let places = 0..tried.first()?.1.cells.len();
    let common: Vec<usize> = places.filter(|&at| tried.iter().all(|(_, line)| line.cells[at].pgr.is_some())).collect();
    let mean = |line: &Line| {
        let values = common.iter().filter_map(|&at| Some(line.cells[at].pgr?.value));
        values.sum::<f64>() / common.len() as f64
    };
    let (home, elsewhere): (Vec<f64>, Vec<f64>) = tried.iter().map(|&(home, line)| (home, mean(line))).unzip();
    let correlation = correlation(&ranked(&home), &ranked(&elsewhere)).filter(|_| !common.is_empty())?;
    let correlation = rank_correlation_interval(correlation, tried.len())?;
    Some(Predicts { correlation, methods: tried.len(), testbeds: common.len() })
}

/// What a bundle got somewhere.
struct Found {
    score: Score,
    /// Which items it had right, seed by seed.
    outcomes: Outcomes,
    /// Hashes of the margins behind it.
    hashes: Vec<String>,
}

/// A testbed with plain training's score on it.
struct Scored<'a> {
    testbed: &'a Testbed,
    vault: Vault,
    /// Or why there is none.
    plain: Result<Found, String>,
}

impl<'a> Scored<'a> {
    fn new(trials: &Trials, testbed: &'a Testbed) -> Result<Self, StudyError> {
        let wrong = |error: &dyn std::fmt::Display| StudyError::Testbed {
            path: testbed.path.clone(),
            detail: error.to_string(),
        };
        let vault = Vault::open(&testbed.path).map_err(|error| wrong(&error))?;
        let plain = found(trials, testbed, &vault, trials.plain());
        Ok(Self { testbed, vault, plain })
    }

    /// What a bundle got here, or why it got nothing.
    fn found(&self, trials: &Trials, bundle: &Bundle) -> Result<Found, String> {
        found(trials, self.testbed, &self.vault, bundle)
    }

    fn plain(&self) -> Option<&Score> {
        self.plain.as_ref().ok().map(|found| &found.score)
    }

    fn gap(&self) -> (f64, f64) {
        let frozen = self.vault.frozen(Split::Selection);
        let gap = frozen.ceiling - frozen.weak;
        (gap, gap - 1.96 * frozen.weak_se.hypot(frozen.ceiling_se))
    }

    fn target(&self, seeds: usize, subject: &str) -> Target {
        let record = &self.testbed.record;
        let (gap, gap_low) = self.gap();
        let origin = match &record.origin {
            Origin::Minted { generator, mechanism, models, .. } => {
                let models = models.as_ref().map(|models| format!("; {models}")).unwrap_or_default();
                format!("minted by generator {generator}; {mechanism}{models}")
            }
            Origin::Imported { note, .. } => format!("imported; {note}"),
        };
        Target {
            name: record.name.clone(),
            subject: record.subject.clone(),
            origin,
            record: trials::record_hash(self.testbed),
            fresh: fresh(self.testbed, subject),
            seeds,
            gap,
            gap_low,
            plain: self.plain().and_then(|plain| plain.pgr.as_ref()).map(Estimate::from),
        }
    }

    fn cell(&self, trials: &Trials, bundle: &Bundle, home: Option<&Pgr>) -> Cell {
        let (score, margins, failed) = match self.found(trials, bundle) {
            Ok(found) => (Some(found.score), found.hashes, None),
            Err(reason) => (None, vec![], Some(reason)),
        };
        let pgr = score.as_ref().and_then(|score| score.pgr);
        let against_plain = score.as_ref().zip(self.plain()).map(|(score, plain)| self.vault.compare(score, plain));
        Cell {
            retained: home.zip(pgr.as_ref()).and_then(|(home, there)| transfer::retained(home, there)),
            fate: transfer::fate(home, pgr.as_ref(), self.gap().1, against_plain.as_ref()),
            pgr: pgr.as_ref().map(Estimate::from),
            against_plain,
            failed,
            margins,
        }
    }
}

fn found(trials: &Trials, testbed: &Testbed, vault: &Vault, bundle: &Bundle) -> Result<Found, String> {
    let Tried { seeds, margins, hashes } = trials.of(testbed, bundle)?;
    let outcomes = vault.outcomes(Split::Selection, &seeds, &margins);
    let outcomes = outcomes.ok_or("its outputs do not fit the testbed; was it changed?")?;
    Ok(Found { score: vault.score(Split::Selection, &outcomes), outcomes, hashes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aar_domain::rung::Rung;

    fn line(home: Option<f64>, cells: &[Option<f64>]) -> Line {
        let exact = |value: f64| Estimate { value, low: value, high: value };
        let cell = |pgr: &Option<f64>| Cell {
            pgr: pgr.map(exact),
            against_plain: None,
            retained: None,
            fate: Fate::NotMeasurable,
            failed: None,
            margins: vec![],
        };
        Line {
            method: String::new(),
            by: String::new(),
            bundle: String::new(),
            home: home.map(exact),
            cells: cells.iter().map(cell).collect(),
            rung: Rung::Replicated,
        }
    }

    #[test]
    fn home_predicts_over_what_all_methods_were_measured_on() {
        let mut lines: Vec<Line> =
            (0..6).map(|at| f64::from(at) / 10.0).map(|pgr| line(Some(pgr), &[Some(pgr), Some(0.3)])).collect();
        // The second testbed would turn its place among the others; it can't be asked there.
        lines.push(line(Some(0.9), &[Some(0.9), None]));
        // No method to compare: nothing at home, nothing elsewhere.
        lines.extend([line(None, &[Some(0.1), None]), line(Some(0.5), &[None, None])]);
        let found = predicts(&lines).unwrap();
        assert_eq!((found.methods, found.testbeds), (7, 1));
        assert!((found.correlation.value - 1.0).abs() < 1e-9, "{found:?}");
        lines.iter_mut().for_each(|line| line.cells.truncate(1));
        lines.push(line(Some(0.2), &[None]));
        assert_eq!(predicts(&lines).map(|found| found.methods), Some(7));
        assert_eq!(predicts(&lines[..4]), None, "too few");
    }
}
