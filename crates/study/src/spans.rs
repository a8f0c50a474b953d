//! A team's work as spans, beside those of its calls to models that the gateway tells of: one trace per researcher, and in it
//!
//! ```text
//! invoke_agent ada                the researcher, as long as it was at work in this run
//! ├ invoke_agent ada, session 1   as its own process says
//! │ ├ chat …                      the gateway's
//! │ └ execute_tool submit         as its own process says
//! └ evaluation 7                  the server's
//!   └ job 19                      one seed at one worker
//! ```
//!
//! Who knows a fact tells it. A researcher has no network, so what happens in its sandbox is read from the events that it writes into its
//! own folder: an allegation, like all there.

mod told;

use crate::clock::now_ms;
use crate::error::StudyError;
use aar_gateway::telemetry::{Kind, Span, Telemetry, TelemetrySettings, count, place, text};
use aar_llm::trace::Place;
use aar_server::event::Role;
use aar_server::handle::Snapshot;
use aar_server::record::{EvaluationRecord, JobRecord, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use told::Told;

/// Between two looks at what researchers wrote.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells a collector of a run.
pub struct Spans {
    to: Telemetry,
    /// Of this run: the same researcher in another is another trace.
    life: String,
    began_ms: i64,
    /// Evaluations that were told, or ended before this run.
    known: BTreeSet<i64>,
    /// What is read of those at work.
    at_work: BTreeMap<String, Told>,
    /// Who left.
    left: BTreeSet<String>,
    looked: Option<Instant>,
}

impl Spans {
    /// Begin. What had ended before is another run's.
    pub fn open(settings: &TelemetrySettings, snapshot: &Snapshot) -> Result<Self, StudyError> {
        let to = Telemetry::open(settings, "aar-study").map_err(|error| StudyError::Gateway(error.to_string()))?;
        let began_ms = now_ms() as i64;
        let ended = snapshot.evaluations.iter().filter(|record| record.ended());
        Ok(Self {
            to,
            life: began_ms.to_string(),
            began_ms,
            known: ended.map(|record| record.id).collect(),
            at_work: BTreeMap::new(),
            left: BTreeSet::new(),
            looked: None,
        })
    }

    /// Where a researcher stands: its own span.
    pub fn place(&self, name: &str) -> Place {
        place(&self.life, name, "researcher")
    }

    /// Somebody's process begins to write into this folder.
    pub fn follow(&mut self, name: &str, workspace: &Path) {
        self.at_work.insert(name.to_owned(), Told::new(workspace));
    }

    /// Tell what has happened since.
    pub fn look(&mut self, snapshot: &Snapshot) {
        if self.looked.is_some_and(|looked| looked.elapsed() < PAUSE) {
            return;
        }
        self.looked = Some(Instant::now());
        self.read();
        for record in &snapshot.evaluations {
            if record.ended() && self.known.insert(record.id) {
                self.evaluation(record, snapshot);
            }
        }
    }

    fn read(&mut self) {
        for (name, told) in &mut self.at_work {
            let place = place(&self.life, name, "researcher");
            told.read(name, place).iter().for_each(|span| self.to.say(span));
        }
    }

    /// A researcher's work in this run is over; `failed` where it broke off.
    pub fn leave(&mut self, name: &str, snapshot: &Snapshot, failed: bool) {
        if !self.left.insert(name.to_owned()) {
            return;
        }
        self.read();
        if let Some(mut told) = self.at_work.remove(name) {
            told.end(name, self.place(name), now_ms() as i64).iter().for_each(|span| self.to.say(span));
        }
        let kind = serde_json::to_value(snapshot.participant(name).and_then(|participant| participant.kind))
            .unwrap_or_default();
        self.to.say(&Span {
            place: self.place(name),
            parent: None,
            name: format!("invoke_agent {name}"),
            kind: Kind::Internal,
            began_ms: self.began_ms,
            ended_ms: now_ms() as i64,
            attributes: vec![
                text("gen_ai.operation.name", "invoke_agent"),
                text("gen_ai.agent.name", name),
                text("aar.kind", kind.as_str().unwrap_or_default()),
            ],
            error: failed.then(|| "researcher_failed".to_owned()),
        });
    }

    /// The run is over.
    pub fn close(mut self, snapshot: &Snapshot) {
        self.looked = None;
        self.look(snapshot);
        for participant in snapshot.participants.iter().filter(|participant| participant.role == Role::Researcher) {
            self.leave(&participant.name, snapshot, false);
        }
    }

    fn evaluation(&self, record: &EvaluationRecord, snapshot: &Snapshot) {
        let by = &record.asked.by;
        let purpose = serde_json::to_value(record.asked.purpose).unwrap_or_default();
        // What the study itself asks for has no researcher above it.
        let researcher = snapshot.participant(by).filter(|participant| participant.role == Role::Researcher);
        let own = place(&self.life, by, &format!("evaluation {}", record.id));
        self.to.say(&Span {
            place: own,
            parent: researcher.map(|_| self.place(by).span),
            name: format!("evaluation {}", record.id),
            kind: Kind::Internal,
            began_ms: record.at_ms,
            ended_ms: record.ended_ms.unwrap_or(record.at_ms),
            attributes: vec![
                text("gen_ai.agent.name", by),
                count("aar.evaluation", record.id as u64),
                text("aar.purpose", purpose.as_str().unwrap_or_default()),
                text("aar.split", record.asked.split.name()),
                text("aar.bundle", &record.asked.bundle),
            ],
            error: failed(record.status),
        });
        snapshot.jobs_of(record).for_each(|job| self.job(job, by, own));
    }

    /// One seed at one worker; answers that were handed in were graded at once, by none.
    fn job(&self, job: &JobRecord, by: &str, evaluation: Place) {
        let (Some(worker), Some(began_ms)) = (&job.worker, job.claimed_ms) else { return };
        self.to.say(&Span {
            place: place(&self.life, by, &format!("job {}", job.id)),
            parent: Some(evaluation.span),
            name: format!("job {}", job.id),
            kind: Kind::Internal,
            began_ms,
            ended_ms: job.ended_ms.unwrap_or(began_ms),
            attributes: vec![
                text("aar.worker", worker),
                count("aar.claims", u64::from(job.claims)),
                count("aar.cpu_ms", job.usage.cpu_ms()),
                count("aar.operations", job.usage.train_operations),
            ],
            error: failed(job.status),
        });
    }
}

fn failed(status: Status) -> Option<String> {
    (status == Status::Failed).then(|| "failed".to_owned())
}
