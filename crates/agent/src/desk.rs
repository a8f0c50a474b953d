//! What every researcher of this room works at, whoever does the thinking: its bench, memory, forum and events, and what happens
//! between two sessions.

use crate::events::{Event, Events};
use crate::forum::Forum;
use crate::heartbeat::{Doing, Heartbeat};
use crate::memory::Memory;
use crate::prompt::Briefing;
use crate::retry::pause;
use crate::settings::Settings;
use crate::tools::{Bench, Platform, Wrong, evaluations};
use aar_api::client::Client;
use aar_api::evaluation::EvaluationView;
use aar_api::paths;
use std::io;
use std::time::Duration;

/// How a researcher's work ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code: 0 or what [`crate::researcher`] names.
    pub code: i32,
    /// Why, in a sentence.
    pub why: String,
}

impl Ended {
    /// In order.
    pub fn done(why: &str) -> Self {
        Self { code: 0, why: why.to_owned() }
    }
}

/// A researcher's place of work.
pub struct Desk {
    /// Tools and their server.
    pub bench: Bench,
    /// What outlives a session.
    pub memory: Memory,
    /// Others' posts as files.
    pub forum: Forum,
    /// What is going on, for the outside.
    pub events: Events,
    /// Sessions in a row that came to nothing.
    pub failing: usize,
}

impl Desk {
    /// In the workspace that the settings name, which survives it. `hear` is told every event.
    pub fn new(settings: Settings, client: Client, token: &str, hear: Box<dyn FnMut(&Event)>) -> io::Result<Self> {
        std::fs::create_dir_all(settings.own())?;
        let (state, events) = (settings.state_file(), Events::new(&settings.events_file(), hear));
        let memory = Memory::new(&settings);
        let bench = Bench::new(Platform::new(settings, client, token), Heartbeat::new(&state));
        Ok(Self { bench, memory, forum: Forum::default(), events, failing: 0 })
    }

    /// What the next session begins from, or why there is none; a study that can't be read is `Err`.
    pub fn brief(&self) -> Result<Result<Briefing, Ended>, Wrong> {
        let platform = &self.bench.platform;
        if platform.settings.time_left().is_some_and(|left| left.is_zero()) {
            return Ok(Err(Ended::done("the time is over")));
        }
        let briefing = Briefing::fetch(platform)?;
        Ok(nothing_left(platform, &briefing).map_or(Ok(briefing), Err))
    }

    /// The work is over.
    pub fn end(&mut self, ended: Ended) -> Ended {
        self.bench.heartbeat.now(Doing::Ended, "", Duration::ZERO);
        self.events.say(&Event::Ended { code: ended.code, why: ended.why.clone() });
        ended
    }

    /// A session that failed: a pause of the `first`th kind and longer, or after too many in a row the end, which `say` words.
    pub fn failed(&mut self, first: u32, code: i32, why: String, say: impl Fn(usize, &str) -> String) -> Option<Ended> {
        self.failing += 1;
        let settings = &self.bench.platform.settings;
        if self.failing >= settings.limits.failing_sessions {
            return Some(Ended { code, why: say(self.failing, &why) });
        }
        let attempt = u32::try_from(self.failing).unwrap_or(u32::MAX).saturating_add(first);
        let pause = pause(attempt, None, &settings.limits).min(settings.time_left().unwrap_or(Duration::MAX));
        self.events.say(&Event::Paused { ms: pause.as_millis() as u64, why });
        self.bench.heartbeat.now(Doing::Waiting, "after a failed session", pause + Duration::from_secs(60));
        std::thread::sleep(pause);
        None
    }
}

/// Why there is nothing to begin another session for.
fn nothing_left(platform: &Platform, briefing: &Briefing) -> Option<Ended> {
    if briefing.study.phase != "running" {
        return Some(Ended::done("the study takes no more submissions"));
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
    Some(Ended::done("all evaluations are used"))
}
