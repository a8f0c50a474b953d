//! Session after session, until there is nothing left to work with.

use crate::events::{Event, Events};
use crate::forum::Forum;
use crate::heartbeat::{Doing, Heartbeat};
use crate::memory::Memory;
use crate::model::{Model, ModelError};
use crate::prompt::{Briefing, opening, system};
use crate::retry::pause;
use crate::session::{End, Outcome, Session};
use crate::settings::Settings;
use crate::tools::{Bench, Platform, Wrong, evaluations};
use aar_api::client::Client;
use aar_api::evaluation::EvaluationView;
use aar_api::paths;
use std::time::Duration;

/// How a researcher's work ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code: 0, [`UNREACHABLE`], [`NO_TOOLS`] or [`FORBIDDEN`].
    pub code: i32,
    /// Why, in a sentence.
    pub why: String,
}

/// The model or the server could not be reached, session after session.
pub const UNREACHABLE: i32 = 69;
/// The model does not use the tools: it repeats itself, talks, or calls what does not exist, session after session.
pub const NO_TOOLS: i32 = 76;
/// The token was refused.
pub const FORBIDDEN: i32 = 77;

/// A researcher at work.
pub struct Researcher<'a> {
    bench: Bench,
    memory: Memory,
    forum: Forum,
    model: &'a mut dyn Model,
    events: Events,
    failing: usize,
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
        let own = settings.own();
        std::fs::create_dir_all(&own)?;
        let memory = Memory::new(&settings);
        let bench = Bench::new(Platform::new(settings, client, token), Heartbeat::new(&own.join("state.json")));
        if bench.heartbeat.broken_off() {
            // A note that is older than the session that was lost would mislead.
            memory.leave(
                "Your last session was broken off from outside. Its background jobs are gone; files are as they were.",
            );
        }
        let events = Events::new(&own.join("events.jsonl"), hear);
        Ok(Self { bench, memory, forum: Forum::default(), model, events, failing: 0 })
    }

    /// Work until budget, clock, evaluations or study end, or until nothing works.
    pub fn run(mut self) -> Ended {
        let ended = loop {
            if let Some(ended) = self.step() {
                break ended;
            }
        };
        self.bench.heartbeat.now(Doing::Ended, "", Duration::ZERO);
        self.events.say(&Event::Ended { code: ended.code, why: ended.why.clone() });
        ended
    }

    /// One session, or the reason for none.
    fn step(&mut self) -> Option<Ended> {
        if self.bench.platform.settings.time_left().is_some_and(|left| left.is_zero()) {
            return Some(done("the time is over"));
        }
        let briefing = match self.brief() {
            Ok(briefing) => briefing,
            Err(Wrong(why)) => return self.failed(UNREACHABLE, format!("the study could not be read: {why}")),
        };
        if let Some(ended) = nothing_left(&self.bench.platform, &briefing) {
            return Some(ended);
        }
        let outcome = self.session(&briefing);
        self.remember(&outcome);
        self.after(outcome)
    }

    fn brief(&self) -> Result<Briefing, Wrong> {
        Briefing::fetch(&self.bench.platform)
    }

    fn session(&mut self, briefing: &Briefing) -> Outcome {
        let number = self.bench.heartbeat.session() + 1;
        self.bench.finished = None;
        // The opening says how things stand; only what ends from now on is news.
        let own = self.bench.platform.get::<Vec<EvaluationView>>(paths::EVALUATIONS).unwrap_or_default();
        self.bench.told.extend(own.iter().filter(|view| evaluations::ended(view)).map(|view| view.id));
        let every = self.bench.platform.settings.limits.forum_every;
        self.forum.sync(&self.bench.platform, every);
        let system = system(briefing, &self.bench.platform.settings);
        let opening = opening(number, &mut self.bench, &self.memory, &self.forum);
        let texts = (number, system, opening);
        Session::new(texts, self.model, &mut self.bench, &mut self.events, &mut self.forum).run()
    }

    fn remember(&self, outcome: &Outcome) {
        match &self.bench.finished {
            Some(note) => self.memory.leave(note),
            None => {
                self.memory.leave(&format!("The last session ended by itself: {}.\n{}", outcome.end, outcome.trace))
            }
        }
    }

    fn after(&mut self, outcome: Outcome) -> Option<Ended> {
        if outcome.productive {
            self.failing = 0;
        }
        let why = outcome.end.to_string();
        match outcome.end {
            End::BudgetSpent(_) => Some(done(&why)),
            End::Clock | End::StudyOver | End::Limit => None,
            // A session that was ended without anything done is the same loop in a larger circle.
            End::Finished if outcome.productive => None,
            End::Model(ModelError::Forbidden(_)) => Some(Ended { code: FORBIDDEN, why }),
            End::Model(_) => self.failed(UNREACHABLE, why),
            End::Finished | End::Repetition(_) | End::Misuse | End::Idle | End::Refused => self.failed(NO_TOOLS, why),
        }
    }

    /// A session that failed: a pause, or after too many in a row the end.
    fn failed(&mut self, code: i32, why: String) -> Option<Ended> {
        self.failing += 1;
        let settings = &self.bench.platform.settings;
        if self.failing >= settings.limits.failing_sessions {
            return Some(Ended { code, why: format!("{} sessions in a row failed; the last: {why}", self.failing) });
        }
        let attempt = u32::try_from(self.failing).unwrap_or(u32::MAX).saturating_add(2);
        let pause = pause(attempt, None, &settings.limits).min(settings.time_left().unwrap_or(Duration::MAX));
        self.events.say(&Event::Paused { ms: pause.as_millis() as u64, why });
        self.bench.heartbeat.now(Doing::Waiting, "after a failed session", pause + Duration::from_secs(60));
        std::thread::sleep(pause);
        None
    }
}

/// Why there is nothing to begin another session for.
pub(crate) fn nothing_left(platform: &Platform, briefing: &Briefing) -> Option<Ended> {
    if briefing.study.phase != "running" {
        return Some(done("the study takes no more submissions"));
    }
    if briefing.me.evaluations_left > 0 {
        return None;
    }
    let own: Vec<EvaluationView> = platform.get(paths::EVALUATIONS).ok()?;
    if !own.iter().all(evaluations::ended) {
        return None;
    }
    // Others who take turns need not wait for this one. After another end it stays in: a budget may be extended.
    let _ = platform.post::<_, serde_json::Value>(paths::RETIRE, &serde_json::json!({}));
    Some(done("all evaluations are used"))
}

fn done(why: &str) -> Ended {
    Ended { code: 0, why: why.to_owned() }
}
