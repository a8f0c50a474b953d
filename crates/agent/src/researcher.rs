//! Session after session, until there is nothing left to work with.

pub use crate::desk::Ended;

use crate::desk::Desk;
use crate::events::Event;
use crate::model::{Model, ModelError};
use crate::prompt::{Briefing, opening, system};
use crate::session::{End, Outcome, Session};
use crate::settings::Settings;
use crate::tools::{Wrong, evaluations};
use aar_api::client::Client;
use aar_api::evaluation::EvaluationView;
use aar_api::paths;

/// The model or the server could not be reached, session after session.
pub const UNREACHABLE: i32 = 69;
/// The model does not use the tools: it repeats itself, talks, or calls what does not exist, session after session.
pub const NO_TOOLS: i32 = 76;
/// The token was refused.
pub const FORBIDDEN: i32 = 77;

/// A researcher at work.
pub struct Researcher<'a> {
    desk: Desk,
    model: &'a mut dyn Model,
}

impl<'a> Researcher<'a> {
    /// A researcher in the workspace that the settings name, which survives it. `hear` is told every event.
    pub fn new(
        settings: Settings,
        client: Client,
        token: &str,
        model: &'a mut dyn Model,
        hear: Box<dyn FnMut(&Event)>,
    ) -> std::io::Result<Self> {
        let desk = Desk::new(settings, client, token, hear)?;
        if desk.bench.heartbeat.broken_off() {
            // A note that is older than the session that was lost would mislead.
            desk.memory.leave(
                "Your last session was broken off from outside. Its background jobs are gone; files are as they were.",
            );
        }
        Ok(Self { desk, model })
    }

    /// Work until budget, clock, evaluations or study end, or until nothing works.
    pub fn run(mut self) -> Ended {
        let ended = loop {
            if let Some(ended) = self.step() {
                break ended;
            }
        };
        self.desk.end(ended)
    }

    /// One session, or the reason for none.
    fn step(&mut self) -> Option<Ended> {
        let briefing = match self.desk.brief() {
            Ok(Ok(briefing)) => briefing,
            Ok(Err(ended)) => return Some(ended),
            Err(Wrong(why)) => return self.failed(UNREACHABLE, format!("the study could not be read: {why}")),
        };
        let outcome = self.session(&briefing);
        self.remember(&outcome);
        self.after(outcome)
    }

    fn session(&mut self, briefing: &Briefing) -> Outcome {
        let Desk { bench, memory, forum, events, .. } = &mut self.desk;
        let number = bench.heartbeat.session() + 1;
        bench.finished = None;
        // The opening says how things stand; only what ends from now on is news.
        let own = bench.platform.get::<Vec<EvaluationView>>(paths::EVALUATIONS).unwrap_or_default();
        bench.told.extend(own.iter().filter(|view| evaluations::ended(view)).map(|view| view.id));
        forum.sync(&bench.platform, bench.platform.settings.limits.forum_every);
        let system = system(briefing, &bench.platform.settings);
        let opening = opening(number, bench, memory, forum);
        Session::new((number, system, opening), &briefing.study.contract, self.model, bench, events, forum).run()
    }

    fn remember(&self, outcome: &Outcome) {
        match &self.desk.bench.finished {
            Some(note) => self.desk.memory.leave(note),
            None => self
                .desk
                .memory
                .leave(&format!("The last session ended by itself: {}.\n{}", outcome.end, outcome.trace)),
        }
    }

    fn after(&mut self, outcome: Outcome) -> Option<Ended> {
        if outcome.productive {
            self.desk.failing = 0;
        }
        let why = outcome.end.to_string();
        match outcome.end {
            End::BudgetSpent(_) => Some(Ended::done(&why)),
            End::Clock | End::StudyOver | End::Limit => None,
            // A session that was ended without anything done is the same loop in a larger circle.
            End::Finished if outcome.productive => None,
            End::Model(ModelError::Forbidden(_)) => Some(Ended { code: FORBIDDEN, why }),
            End::Model(_) => self.failed(UNREACHABLE, why),
            End::Finished | End::Repetition(_) | End::Misuse | End::Idle | End::Refused => self.failed(NO_TOOLS, why),
        }
    }

    fn failed(&mut self, code: i32, why: String) -> Option<Ended> {
        self.desk.failed(2, code, why, |times, why| format!("{times} sessions in a row failed; the last: {why}"))
    }
}
