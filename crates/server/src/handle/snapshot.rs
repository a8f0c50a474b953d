//! A study as it is at one moment.

use super::Server;
use crate::board::Mark;
use crate::event::{Opening, Participant, Phase, Purpose};
use crate::record::{EvaluationRecord, FindingRecord, JobRecord, Note};
use crate::state::integrity::cheating;
use crate::timeline::Course;
use aar_api::integrity::{Cheating, Integrity};
use aar_domain::rung::Kind;
use aar_grader::ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// What a study looks like from the operator's seat, at one moment.
pub struct Snapshot {
    /// Changes so far, to wait for the next.
    pub version: u64,
    /// Where it stands.
    pub phase: Phase,
    /// What was fixed at the start.
    pub opening: Option<Opening>,
    /// Everybody.
    pub participants: Vec<Participant>,
    /// All evaluations.
    pub evaluations: Vec<EvaluationRecord>,
    /// Authors' kinds, beside the evaluations.
    pub kinds: Vec<Kind>,
    /// Why rows are not ranked, beside the evaluations.
    pub marks: Vec<Option<Mark>>,
    /// Verdicts, rulings, touches of decoys.
    pub integrity: Integrity,
    /// All jobs, without margins.
    pub jobs: Vec<JobRecord>,
    /// The forum.
    pub findings: Vec<FindingRecord>,
    /// Notes.
    pub notes: Vec<Note>,
    /// Who makes no more submissions.
    pub retired: BTreeSet<String>,
    /// Who stands still.
    pub paused: BTreeSet<String>,
    /// Whom the operator ended.
    pub stopped: BTreeSet<String>,
    /// Whether the operator asked for the close.
    pub closing: bool,
    /// Whether budgets were changed while the study ran.
    pub budgets_changed: bool,
    /// The team's account.
    pub ledger: Ledger,
}

impl Snapshot {
    /// Somebody by name.
    pub fn participant(&self, name: &str) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.name == name)
    }

    /// An evaluation's jobs, in the order of the seeds.
    pub fn jobs_of<'a>(&'a self, record: &'a EvaluationRecord) -> impl Iterator<Item = &'a JobRecord> {
        record.jobs.iter().filter_map(|&job| self.jobs.get(job as usize - 1))
    }

    /// CPU-milliseconds of an evaluation's jobs so far.
    pub fn cpu_ms(&self, record: &EvaluationRecord) -> u64 {
        self.jobs_of(record).map(|job| job.usage.cpu_ms()).fold(0, u64::saturating_add)
    }

    /// Attempts at cheating by those who made any; `nobody` stands for those without a known token.
    pub fn cheating(&self) -> BTreeMap<&str, Cheating> {
        let marked = self.evaluations.iter().zip(&self.marks).filter(|(_, mark)| mark.is_some());
        cheating(&self.integrity, marked.map(|(record, _)| record))
    }

    /// What somebody submitted, in order.
    pub fn submissions_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a EvaluationRecord> {
        let own =
            move |record: &&EvaluationRecord| record.asked.by == name && record.asked.purpose == Purpose::Submission;
        self.evaluations.iter().filter(own)
    }
}

impl Server {
    /// Everything as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let version = *self.shared.changes.borrow();
        self.with(async |_, inner| {
            let state = &inner.state;
            let without_margins = |job: &JobRecord| JobRecord { margins: vec![], ..job.clone() };
            Snapshot {
                version,
                phase: state.phase,
                opening: state.opening.clone(),
                participants: state.participants.values().cloned().collect(),
                kinds: state.evaluations.iter().map(|record| state.kind_of(record)).collect(),
                marks: state.evaluations.iter().map(|record| state.mark(record)).collect(),
                integrity: state.integrity().clone(),
                evaluations: state.evaluations.clone(),
                jobs: state.jobs.iter().map(without_margins).collect(),
                findings: state.findings.clone(),
                notes: state.notes.clone(),
                retired: state.retired.clone(),
                paused: state.paused.clone(),
                stopped: state.stopped.clone(),
                closing: state.closing,
                budgets_changed: state.budgets_changed(),
                ledger: state.ledger.clone(),
            }
        })
    }

    /// When everybody was at work.
    pub fn course(&self) -> Course {
        self.with(async |_, inner| inner.state.course.clone())
    }
}
