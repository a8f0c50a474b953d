//! The events, replayed. Nothing here is stored, so nothing here can contradict the log.

use crate::event::{Event, Opening, Participant, Phase, Purpose, Queued};
use crate::record::{EvaluationRecord, FindingRecord, JobRecord, Note, Status};
use crate::released::Released;
use crate::timeline::Course;
use aar_api::bundle::Bundle;
use aar_api::integrity::Integrity;
use aar_api::operator::Message;
use aar_domain::rung::{Kind, Split};
use aar_domain::stats::Outcomes;
use aar_grader::Vault;
use aar_grader::ledger::{Answers, Charge, Ledger, Policy, Unit};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

mod answering;
mod discussed;
mod instructed;
pub mod integrity;
mod views;

/// Times a job may be taken before its evaluation is given up.
pub const MAX_CLAIMS: u32 = 4;

/// A study as it stands.
pub struct State {
    vault: Arc<Vault>,
    released: Arc<Released>,
    /// What was fixed at the start.
    pub opening: Option<Opening>,
    /// Where it stands.
    pub phase: Phase,
    /// Everybody, by name.
    pub participants: BTreeMap<String, Participant>,
    by_token: HashMap<String, String>,
    /// Places of evaluations by author and key.
    by_key: HashMap<String, HashMap<String, usize>>,
    /// Submissions by author.
    used: HashMap<String, u32>,
    /// Evaluations on the feedback split that may still be answered.
    unanswered: BTreeSet<i64>,
    /// Bundles with who stored them.
    pub bundles: BTreeMap<String, (Bundle, BTreeSet<String>)>,
    /// All evaluations; number 1 is at place 0.
    pub evaluations: Vec<EvaluationRecord>,
    /// All jobs; number 1 is at place 0.
    pub jobs: Vec<JobRecord>,
    /// All findings; number 1 is at place 0.
    pub findings: Vec<FindingRecord>,
    /// Who makes no more submissions.
    pub retired: BTreeSet<String>,
    /// Who stands still.
    pub paused: BTreeSet<String>,
    /// Whom the operator ended.
    pub stopped: BTreeSet<String>,
    /// Whether the operator asked for the close.
    pub closing: bool,
    /// What the operator said, and to whom.
    pub messages: Vec<(Option<String>, Message)>,
    /// Evaluations granted after joining.
    granted: BTreeMap<String, u32>,
    budgets_changed: bool,
    integrity: Integrity,
    rulings: usize,
    /// The operator's notes.
    pub notes: Vec<Note>,
    /// When everybody was at work.
    pub course: Course,
    /// Until when language models and agents work alone, in milliseconds since the epoch.
    alone_until_ms: i64,
    /// The team's account.
    pub ledger: Ledger,
    answers: Answers,
    policy: Policy,
}

impl State {
    /// Before the first event.
    pub fn new(vault: Arc<Vault>, released: Arc<Released>) -> Self {
        let policy = Policy::Naive { step: 0.05 };
        Self {
            vault,
            released,
            opening: None,
            phase: Phase::Baselines,
            participants: BTreeMap::new(),
            by_token: HashMap::new(),
            by_key: HashMap::new(),
            used: HashMap::new(),
            unanswered: BTreeSet::new(),
            bundles: BTreeMap::new(),
            evaluations: vec![],
            jobs: vec![],
            findings: vec![],
            retired: BTreeSet::new(),
            paused: BTreeSet::new(),
            stopped: BTreeSet::new(),
            closing: false,
            messages: vec![],
            granted: BTreeMap::new(),
            budgets_changed: false,
            integrity: Integrity::default(),
            rulings: 0,
            notes: vec![],
            course: Course::default(),
            alone_until_ms: 0,
            ledger: Ledger::default(),
            answers: Answers::new(policy),
            policy,
        }
    }

    /// Apply an event that is in the log. `blob` is what the event names: a bundle's JSON or a job's margins.
    pub fn apply(&mut self, at_ms: i64, event: &Event, blob: Option<&[u8]>) {
        match event {
            Event::Opened(opening) => {
                self.policy = opening.policy;
                self.answers = Answers::new(opening.policy);
                self.ledger = Ledger::new(&opening.limits);
                self.opening = Some(opening.clone());
            }
            Event::Joined(participant) => {
                self.by_token.insert(participant.token_hash.clone(), participant.name.clone());
                self.participants.insert(participant.name.clone(), participant.clone());
            }
            Event::Stored { bundle, by } => {
                if let Some(stored) = blob.and_then(|blob| serde_json::from_slice(blob).ok()) {
                    let entry = self.bundles.entry(bundle.clone()).or_insert_with(|| (stored, BTreeSet::new()));
                    entry.1.insert(by.clone());
                }
            }
            Event::Queued(queued) => {
                self.queue(at_ms, queued);
            }
            Event::Predicted { asked, .. } => self.predicted(at_ms, asked, blob.unwrap_or_default()),
            Event::Claimed { .. } | Event::Released { .. } | Event::Done { .. } | Event::Failed { .. } => {
                self.apply_to_job(at_ms, event, blob);
            }
            Event::Posted(_) | Event::Commented { .. } | Event::Voted { .. } => self.discussed(at_ms, event),
            Event::Retired { by } => {
                self.retired.insert(by.clone());
            }
            Event::Instructed { researcher, instruction } => self.instructed(at_ms, researcher.as_deref(), instruction),
            Event::Judged(verdict) => self.judged(at_ms, verdict),
            Event::Ruled(ruling) => self.ruled(at_ms, ruling),
            Event::Touched { by, what } => self.touched(at_ms, by, what),
            Event::Phase { phase } => self.phase = *phase,
            // It is part of the course alone.
            Event::Seen(_) => {}
            Event::Noted { kind, body } => {
                if let Some(hours) = body["alone_hours"].as_f64().filter(|_| kind == "research") {
                    self.alone_until_ms = at_ms.saturating_add((hours * 3.6e6) as i64);
                }
                self.notes.push(Note { at_ms, kind: kind.clone(), body: body.clone() });
            }
        }
        self.course.goes_on(at_ms, event);
        if matches!(event, Event::Retired { .. } | Event::Instructed { .. }) {
            self.course.stands(at_ms, &self.paused, &self.retired);
        }
        let settles = matches!(event, Event::Done { .. } | Event::Failed { .. } | Event::Predicted { .. });
        if settles || matches!(event, Event::Retired { .. } | Event::Instructed { .. } | Event::Phase { .. }) {
            self.give_answers(at_ms);
        }
    }

    /// Queued and done at once: every job has the same answers.
    fn predicted(&mut self, at_ms: i64, asked: &Queued, answers: &[u8]) {
        let margins = self.released.margins(asked.split, answers);
        let jobs = self.queue(at_ms, asked);
        for &job in &jobs {
            if let Some(record) = self.job_mut(job) {
                record.status = Status::Done;
                record.margins = margins.clone();
            }
            self.refresh(job);
        }
        if let Some(&last) = jobs.last() {
            self.settle(at_ms, last, None);
        }
    }

    /// What happens to a job.
    fn apply_to_job(&mut self, at_ms: i64, event: &Event, blob: Option<&[u8]>) {
        match event {
            Event::Claimed { job, worker } => {
                if let Some(job) = self.job_mut(*job) {
                    job.status = Status::Running;
                    job.claims += 1;
                    job.worker = Some(worker.clone());
                    job.claimed_ms = Some(at_ms);
                }
                self.begin(at_ms, *job);
                self.refresh(*job);
            }
            Event::Released { job, .. } => {
                if let Some(job) = self.job_mut(*job) {
                    job.status = Status::Queued;
                }
                self.refresh(*job);
            }
            Event::Done { job, usage, curve, .. } => {
                if let Some(record) = self.job_mut(*job) {
                    record.status = Status::Done;
                    record.margins = blob.map(floats).unwrap_or_default();
                    record.usage = *usage;
                    record.curve = curve.clone();
                    record.ended_ms = Some(at_ms);
                }
                self.refresh(*job);
                self.settle(at_ms, *job, None);
            }
            Event::Failed { job, reason, log_tail } => {
                if let Some(job) = self.job_mut(*job) {
                    job.status = Status::Failed;
                    job.ended_ms = Some(at_ms);
                }
                self.settle(at_ms, *job, Some((reason.clone(), log_tail.clone())));
            }
            _ => {}
        }
    }

    fn begin(&mut self, at_ms: i64, job: i64) {
        let evaluation = self.job_mut(job).map(|job| job.evaluation as usize - 1);
        if let Some(record) = evaluation.and_then(|at| self.evaluations.get_mut(at)) {
            record.began_ms.get_or_insert(at_ms);
        }
    }

    /// Workers are gone when a server starts: what they had taken waits again.
    pub fn forget_workers(&mut self) {
        for job in self.jobs.iter_mut().filter(|job| job.status == Status::Running) {
            job.status = Status::Queued;
            job.claims -= 1;
        }
    }

    /// Returns its jobs.
    fn queue(&mut self, at_ms: i64, queued: &Queued) -> Vec<i64> {
        let id = self.evaluations.len() as i64 + 1;
        let seeds =
            self.opening.as_ref().and_then(|opening| opening.seeds.get(&queued.split)).cloned().unwrap_or_default();
        let mut jobs = Vec::new();
        for seed in seeds {
            let job = self.jobs.len() as i64 + 1;
            self.jobs.push(JobRecord {
                id: job,
                evaluation: id,
                seed,
                status: Status::Queued,
                claims: 0,
                worker: None,
                claimed_ms: None,
                ended_ms: None,
                margins: vec![],
                usage: Default::default(),
                curve: vec![],
            });
            jobs.push(job);
        }
        // It was affordable when it was accepted; the log is the proof.
        let charge = self.charge(queued.purpose);
        let _ = self.ledger.reserve(&charge);
        let place = self.evaluations.len();
        self.by_key.entry(queued.by.clone()).or_default().entry(queued.key.clone()).or_insert(place);
        if queued.purpose == Purpose::Submission {
            *self.used.entry(queued.by.clone()).or_default() += 1;
        }
        if queued.split == Split::Feedback {
            self.unanswered.insert(id);
        }
        self.evaluations.push(EvaluationRecord::queued(id, queued.clone(), jobs.clone(), at_ms));
        jobs
    }

    /// The worst case of one evaluation.
    pub fn charge(&self, purpose: Purpose) -> Charge {
        match purpose {
            Purpose::Submission => [(Unit::Evaluations, 1), (Unit::MilliBits, self.policy.milli_bits())].into(),
            Purpose::Baseline => [(Unit::MilliBits, self.policy.milli_bits())].into(),
            // The selection split answers nobody before the study is over.
            Purpose::Finalist | Purpose::Reference => Charge::new(),
        }
    }

    fn job_mut(&mut self, job: i64) -> Option<&mut JobRecord> {
        self.jobs.get_mut(usize::try_from(job - 1).ok()?)
    }

    fn refresh(&mut self, job: i64) {
        let Some(evaluation) = self.jobs.get(job as usize - 1).map(|job| job.evaluation) else {
            return;
        };
        let record = &self.evaluations[evaluation as usize - 1];
        if record.ended() {
            return;
        }
        let statuses: Vec<Status> = record.jobs.iter().map(|&job| self.jobs[job as usize - 1].status).collect();
        let done = statuses.iter().filter(|&&status| status == Status::Done).count();
        let begun = done > 0 || statuses.contains(&Status::Running);
        let record = &mut self.evaluations[evaluation as usize - 1];
        record.done = done;
        record.status = if begun { Status::Running } else { Status::Queued };
    }

    /// End an evaluation whose last job is done or one of whose jobs failed.
    fn settle(&mut self, at_ms: i64, job: i64, failure: Option<(String, String)>) {
        let Some(id) = self.jobs.get(job as usize - 1).map(|job| job.evaluation) else {
            return;
        };
        let record = &self.evaluations[id as usize - 1];
        let (all, purpose) = (record.jobs.len(), record.asked.purpose);
        if record.ended() || (failure.is_none() && record.done < all) {
            return;
        }
        let outcomes = failure.is_none().then(|| self.outcomes(id)).flatten();
        let reserved = self.charge(purpose);
        let mut actual = reserved.clone();
        let jobs: Vec<i64> = record.jobs.clone();
        let usage = jobs.iter().map(|&job| self.jobs[job as usize - 1].usage);
        let (operations, cpu) = usage.fold((0, 0), |(operations, cpu), usage| {
            // A worker's account is a claim: it may be any number.
            (u64::saturating_add(operations, usage.train_operations), u64::saturating_add(cpu, usage.cpu_ms()))
        });
        actual.extend([(Unit::Operations, operations), (Unit::CpuMs, cpu)]);
        self.ledger.settle(&reserved, &actual);
        let broken = failure.is_none() && outcomes.is_none();
        let record = &mut self.evaluations[id as usize - 1];
        record.ended_ms = Some(at_ms);
        record.failure = failure.or(broken.then(|| ("the margins do not fit the split".into(), String::new())));
        record.status = if record.failure.is_some() { Status::Failed } else { Status::Done };
        if record.status == Status::Failed {
            self.unanswered.remove(&id);
        }
    }

    /// Outcomes of a finished evaluation.
    pub fn outcomes(&self, id: i64) -> Option<Outcomes> {
        let record = self.evaluations.get(id as usize - 1)?;
        let jobs: Vec<&JobRecord> = record.jobs.iter().map(|&job| &self.jobs[job as usize - 1]).collect();
        if jobs.iter().any(|job| job.status != Status::Done) {
            return None;
        }
        let seeds: Vec<u64> = jobs.iter().map(|job| job.seed.seed).collect();
        let margins: Vec<Vec<f32>> = jobs.iter().map(|job| job.margins.clone()).collect();
        self.vault.outcomes(record.asked.split, &seeds, &margins)
    }

    /// Who a token belongs to.
    pub fn who(&self, token_hash: &str) -> Option<&Participant> {
        self.participants.get(self.by_token.get(token_hash)?)
    }

    /// Evaluations a researcher has used.
    pub fn used(&self, name: &str) -> u32 {
        self.used.get(name).copied().unwrap_or(0)
    }

    /// An author's evaluation by its key.
    pub fn by_key(&self, by: &str, key: &str) -> Option<&EvaluationRecord> {
        self.evaluations.get(*self.by_key.get(by)?.get(key)?)
    }

    /// Kind of an author.
    pub fn kind_of(&self, record: &EvaluationRecord) -> Kind {
        match record.asked.purpose {
            Purpose::Baseline | Purpose::Reference => Kind::Baseline,
            _ => self.participants.get(&record.asked.by).and_then(|author| author.kind).unwrap_or(Kind::Human),
        }
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect()
}
