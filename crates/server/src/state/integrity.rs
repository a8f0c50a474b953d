//! Verdicts and what follows from them, derived from the log like everything else.

use super::State;
use crate::board::{Mark, Row};
use crate::event::{Event, Purpose};
use crate::near;
use crate::record::{EvaluationRecord, Status};
use crate::transfer;
use aar_api::integrity::{
    Appeal, Bearing, Cheating, Check, Decision, Integrity, Ruling, Signal, Signature, Told, Touch, Verdict, VerdictView,
};
use aar_domain::rung::Split;
use aar_domain::stats::likeness;
use std::collections::BTreeMap;

/// Touches of one decoy by one participant that are put on record; more say nothing new.
const COUNTED: u32 = 20;
/// Decoys named per participant.
const NAMED: usize = 50;

impl State {
    pub(super) fn judged(&mut self, at_ms: i64, verdict: &Verdict) {
        let id = self.integrity.verdicts.len() as i64 + 1;
        let bundle = self.bundle_of(verdict.evaluation).unwrap_or_default();
        self.integrity.verdicts.push(VerdictView { id, at_ms, verdict: verdict.clone(), bundle, appeal: None });
        self.rulings += 1;
    }

    pub(super) fn ruled(&mut self, at_ms: i64, ruling: &Ruling) {
        let reason = ruling.reason.clone();
        self.rulings += 1;
        match ruling.decision {
            Decision::SignOff { evaluation } | Decision::Refuse { evaluation } => {
                let Some(bundle) = self.bundle_of(evaluation) else { return };
                let signed_off = matches!(ruling.decision, Decision::SignOff { .. });
                self.integrity.signatures.retain(|known| known.bundle != bundle);
                self.integrity.signatures.push(Signature { evaluation, bundle, signed_off, reason, at_ms });
            }
            Decision::Overturn { verdict } | Decision::Uphold { verdict } => {
                let overturned = matches!(ruling.decision, Decision::Overturn { .. });
                if let Some(view) = self.integrity.verdicts.iter_mut().find(|view| view.id == verdict) {
                    view.appeal = Some(Appeal { overturned, reason, at_ms });
                }
            }
        }
    }

    pub(super) fn touched(&mut self, at_ms: i64, by: &str, what: &str) {
        match self.integrity.touches.iter_mut().find(|touch| touch.by == by && touch.what == what) {
            Some(touch) => touch.times += 1,
            None => self.integrity.touches.push(Touch { by: by.into(), what: what.into(), times: 1, at_ms }),
        }
    }

    /// Whether one more touch says anything new.
    pub fn counts_touch(&self, by: &str, what: &str) -> bool {
        let own = || self.integrity.touches.iter().filter(|touch| touch.by == by);
        own().find(|touch| touch.what == what).map_or(own().count() < NAMED, |touch| touch.times < COUNTED)
    }

    /// Events of touches that say anything new.
    pub fn touches<'a>(&'a self, by: &'a str, what: &'a [String]) -> impl Iterator<Item = Event> + 'a {
        let new = what.iter().filter(|what| self.counts_touch(by, what));
        new.map(|what| Event::Touched { by: by.to_owned(), what: what.clone() })
    }

    fn bundle_of(&self, evaluation: i64) -> Option<String> {
        let place = usize::try_from(evaluation).ok()?.checked_sub(1)?;
        self.evaluations.get(place).map(|record| record.asked.bundle.clone())
    }

    /// Everything on record about integrity.
    pub fn integrity(&self) -> &Integrity {
        &self.integrity
    }

    /// Grows with everything that may change a row of the board: verdicts, rulings, trials on other testbeds.
    pub fn rulings(&self) -> usize {
        self.rulings + self.notes.iter().filter(|note| note.kind == transfer::NOTE).count()
    }

    /// Put on a row what is on record about its bundle.
    pub fn marks(&self, row: &mut Row) {
        let bundle = &row.record.asked.bundle;
        row.mark = self.mark(&row.record);
        let about = || self.integrity.verdicts.iter().filter(|view| view.bundle == *bundle);
        row.checks = about().count();
        let relies = |view: &VerdictView| {
            (view.verdict.check == Check::TeacherReliance).then_some(view.id).zip(view.verdict.left)
        };
        row.reliance = about().rev().find_map(relies).filter(|_| row.rung.is_result());
        row.signed_off = self.integrity.signatures.iter().any(|word| word.bundle == *bundle && word.signed_off);
    }

    /// Why an evaluation's row is not ranked. What the study runs itself is never marked.
    pub fn mark(&self, record: &EvaluationRecord) -> Option<Mark> {
        if !matches!(record.asked.purpose, Purpose::Submission | Purpose::Finalist) {
            return None;
        }
        let bundle = &record.asked.bundle;
        let binds = |view: &&VerdictView| view.bundle == *bundle && view.binds();
        if let Some(view) = self.integrity.verdicts.iter().find(binds) {
            return Some(Mark { what: view.verdict.check.name(), of: view.verdict.of });
        }
        let refused = |word: &Signature| word.bundle == *bundle && !word.signed_off;
        self.integrity.signatures.iter().any(refused).then_some(Mark { what: "refused", of: None })
    }

    /// Attempts at cheating by those who made any; `nobody` stands for those without a known token.
    pub fn cheating(&self) -> BTreeMap<&str, Cheating> {
        cheating(&self.integrity, self.evaluations.iter().filter(|record| self.mark(record).is_some()))
    }

    /// By evaluation: which of its author's submissions it was, or, of a re-run, how many its author made in all.
    pub fn attempts(&self) -> BTreeMap<i64, usize> {
        let mut made = BTreeMap::<&str, usize>::new();
        let mut attempts = BTreeMap::new();
        for record in &self.evaluations {
            match record.asked.purpose {
                Purpose::Submission => {
                    let count = made.entry(&record.asked.by).or_default();
                    *count += 1;
                    attempts.insert(record.id, *count);
                }
                Purpose::Finalist => {
                    attempts.insert(record.id, made.get(record.asked.by.as_str()).copied().unwrap_or(0));
                }
                Purpose::Baseline | Purpose::Reference => {}
            }
        }
        attempts
    }

    /// What the last job of a submission shows: is it an earlier one over again, or is a later one it over again? Nothing, unless `margins` of `job` end it.
    pub fn near_duplicates(&self, job: i64, margins: &[f32]) -> Vec<Verdict> {
        let Some(record) = self.jobs.get(job as usize - 1).and_then(|job| self.record(job.evaluation)) else {
            return vec![];
        };
        let open = record.jobs.iter().filter(|&&other| other != job);
        let mut all_in = open.filter_map(|&other| self.jobs.get(other as usize - 1));
        if record.asked.purpose != Purpose::Submission || all_in.any(|other| other.status != Status::Done) {
            return vec![];
        }
        let mut found: Vec<Verdict> = vec![];
        let mut others: Vec<&EvaluationRecord> =
            self.evaluations.iter().filter(|other| comparable(record, other)).collect();
        others.sort_by_key(|other| place(other));
        for other in others {
            let (first, later) = if place(other) < place(record) { (other, record) } else { (record, other) };
            let known = |verdict: &Verdict| verdict.check == Check::NearDuplicate && verdict.evaluation == later.id;
            let tied = found.iter().any(known) || self.integrity.verdicts.iter().any(|view| known(&view.verdict));
            if tied || later.asked.purpose != Purpose::Submission {
                continue;
            }
            if let Some(evidence) = self.over_again(first, later, (job, margins)) {
                let (evaluation, of) = (later.id, Some(first.id));
                found.push(Verdict {
                    evaluation,
                    check: Check::NearDuplicate,
                    kind: Bearing::Binding,
                    evidence,
                    of,
                    left: None,
                });
            }
        }
        found
    }

    /// Why `later` is `first` over again; `last` is a job whose margins are not on record yet.
    fn over_again(&self, first: &EvaluationRecord, later: &EvaluationRecord, last: (i64, &[f32])) -> Option<String> {
        let row = |&id: &i64| if id == last.0 { last.1 } else { self.jobs[id as usize - 1].margins.as_slice() };
        let [a, b] = [first, later].map(|record| record.jobs.iter().map(row).collect::<Vec<&[f32]>>());
        let text = |record: &EvaluationRecord| self.bundles.get(&record.asked.bundle).map(|(bundle, _)| bundle);
        let script = near::is_script_again(text(first)?, text(later)?);
        // Most bundles differ at the first look.
        if script || near::may_be_same(a.first()?, b.first()?) { near::why(script, &likeness(&a, &b)?) } else { None }
    }

    fn record(&self, evaluation: i64) -> Option<&EvaluationRecord> {
        self.evaluations.get(usize::try_from(evaluation).ok()?.checked_sub(1)?)
    }

    /// What the author of an evaluation had been told about held-out items before it; a finalist's before its submission.
    pub fn signal(&self, record: &EvaluationRecord) -> Signal {
        let same = |other: &&EvaluationRecord| {
            other.asked.purpose == Purpose::Submission
                && (&other.asked.bundle, &other.asked.by) == (&record.asked.bundle, &record.asked.by)
        };
        let made = match record.asked.purpose {
            Purpose::Finalist => self.evaluations.iter().find(same).unwrap_or(record),
            _ => record,
        };
        let in_time = |other: &EvaluationRecord| other.answered_ms.is_some_and(|at| at <= made.at_ms);
        // Who works in turns sees whole turns; what carries no turn was there when it was there.
        let seen = |other: &&EvaluationRecord| {
            other.asked.split == Split::Feedback
                && other.id != made.id
                && match (other.asked.turn, made.asked.turn) {
                    (Some(turn), Some(own)) => turn < own && other.answered,
                    _ => in_time(other),
                }
        };
        let mut told: Vec<&EvaluationRecord> = self.evaluations.iter().filter(seen).collect();
        told.sort_by_key(|other| (other.answered_ms, other.id));
        let one =
            |other: &EvaluationRecord| Told { evaluation: other.id, by: other.asked.by.clone(), pgr: other.answer };
        Signal {
            evaluation: record.id,
            bits: told.len() as f64 * self.policy.milli_bits() as f64 / 1000.0,
            told: told.into_iter().map(one).collect(),
        }
    }
}

/// Attempts at cheating by those who made any; `marked` are evaluations that are not ranked.
pub fn cheating<'a>(
    integrity: &'a Integrity,
    marked: impl Iterator<Item = &'a EvaluationRecord>,
) -> BTreeMap<&'a str, Cheating> {
    let mut all = BTreeMap::<&str, Cheating>::new();
    for touch in &integrity.touches {
        all.entry(&touch.by).or_default().decoys += touch.times as usize;
    }
    for record in marked.filter(|record| record.asked.purpose == Purpose::Submission) {
        all.entry(&record.asked.by).or_default().marked += 1;
    }
    all
}

/// Ended on the same items and seeds, and another bundle.
fn comparable(record: &EvaluationRecord, other: &EvaluationRecord) -> bool {
    other.id != record.id
        && other.status == Status::Done
        && other.asked.split == record.asked.split
        && other.asked.bundle != record.asked.bundle
        && matches!(other.asked.purpose, Purpose::Submission | Purpose::Baseline)
}

/// By turn and name, as answers are given: which worker was faster decides nothing.
fn place(record: &EvaluationRecord) -> (Option<u32>, Option<&str>, i64) {
    (record.asked.turn, record.asked.turn.map(|_| record.asked.by.as_str()), record.id)
}
