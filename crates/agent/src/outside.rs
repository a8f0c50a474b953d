//! Somebody else's agent as a researcher: a shell command, run session after session in the same sandbox, with the briefing as a
//! file and the model's address on loopback.
//!
//! The command finds `AAR_BRIEF` (what a language-model researcher is told, as a file), `AAR_LLM_URL` (what stands before `/v1/…`),
//! `AAR_TOKEN` (its key there), `AAR_MODEL`, and `lab`, whose `lab mcp` offers the platform's tools.

use crate::events::{Event, Events};
use crate::forum::Forum;
use crate::heartbeat::{Doing, Heartbeat};
use crate::memory::Memory;
use crate::process::{Ending, Process};
use crate::prompt::{Briefing, opening, system};
use crate::relay;
use crate::researcher::{Ended, UNREACHABLE, nothing_left};
use crate::retry::pause;
use crate::settings::Settings;
use crate::tools::{Bench, Platform, Wrong};
use aar_api::client::Client;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How often the command is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How often it is asked whether the last evaluations are done.
const WAIT: Duration = Duration::from_secs(2);
/// A session of this length was work, whatever came of it.
const LONG: Duration = Duration::from_secs(600);

/// What is run.
#[derive(Clone, Debug)]
pub struct Agent {
    /// For `sh -c`, in the private folder.
    pub command: String,
    /// Files that are written there before, by their relative paths.
    pub files: BTreeMap<String, String>,
    /// The model's socket, where there is one, and the loopback port that leads to it.
    pub model: Option<(PathBuf, u16)>,
}

/// An agent at work.
pub struct Outside {
    bench: Bench,
    memory: Memory,
    forum: Forum,
    events: Events,
    agent: Agent,
    address: Option<String>,
    failing: usize,
}

impl Outside {
    /// In the workspace that the settings name. `hear` is told every event.
    pub fn new(
        settings: Settings,
        client: Client,
        token: &str,
        agent: Agent,
        hear: Box<dyn FnMut(&Event)>,
    ) -> io::Result<Self> {
        let own = settings.own();
        std::fs::create_dir_all(&own)?;
        let address = match &agent.model {
            Some((socket, port)) => Some(format!("http://127.0.0.1:{}", relay::open(*port, socket)?)),
            None => None,
        };
        for (path, text) in &agent.files {
            write(&settings.work, path, text)?;
        }
        let memory = Memory::new(&settings);
        let bench = Bench::new(Platform::new(settings, client, token), Heartbeat::new(&own.join("state.json")));
        let events = Events::new(&own.join("events.jsonl"), hear);
        Ok(Self { bench, memory, forum: Forum::default(), events, agent, address, failing: 0 })
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

    fn step(&mut self) -> Option<Ended> {
        let left = self.bench.platform.settings.time_left();
        if left.is_some_and(|left| left.is_zero()) {
            return Some(Ended { code: 0, why: "the time is over".into() });
        }
        let briefing = match Briefing::fetch(&self.bench.platform) {
            Ok(briefing) => briefing,
            Err(Wrong(why)) => return self.failed(format!("the study could not be read: {why}")),
        };
        if let Some(ended) = nothing_left(&self.bench.platform, &briefing) {
            return Some(ended);
        }
        if briefing.me.evaluations_left == 0 {
            // The last ones are still being worked on; a command that can't submit has nothing to do.
            self.bench.heartbeat.now(Doing::Waiting, "for the last evaluations", Duration::from_secs(3600));
            std::thread::sleep(WAIT);
            return None;
        }
        let used = briefing.me.evaluations_used;
        let began = Instant::now();
        let ended = match self.session(&briefing) {
            Ok(ending) => ending.to_string(),
            Err(error) => format!("the command could not be run: {error}"),
        };
        let submitted = self.bench.platform.me().is_ok_and(|me| me.evaluations_used > used);
        let productive = submitted || began.elapsed() >= LONG;
        self.memory.leave(&format!("The last session ended by itself: {ended}."));
        if productive {
            self.failing = 0;
            return None;
        }
        self.failed(format!("a short session without a submission ({ended})"))
    }

    /// Run the command once.
    fn session(&mut self, briefing: &Briefing) -> io::Result<Ending> {
        let settings = self.bench.platform.settings.clone();
        let number = self.bench.heartbeat.session() + 1;
        self.forum.sync(&self.bench.platform, settings.limits.forum_every);
        let text = format!(
            "{}\n\n{}\n",
            system(briefing, &settings),
            opening(number, &mut self.bench, &self.memory, &self.forum)
        );
        let brief = settings.own().join("brief.md");
        std::fs::write(&brief, text)?;
        self.bench.heartbeat.begin(number);
        self.events.say(&Event::SessionBegan { session: number });
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&self.agent.command).current_dir(&settings.work).env("AAR_BRIEF", &brief);
        if let Some(address) = &self.address {
            command.env("AAR_LLM_URL", address);
        }
        let output = settings.own().join(format!("sessions/{number}.log"));
        let limit = settings.time_left().unwrap_or(Duration::MAX).min(settings.limits.session_time);
        let mut process = Process::start(command, &output, None, &format!("agent-{number}"))?;
        self.bench.heartbeat.now(Doing::Training, "the agent's command", limit.saturating_add(Duration::from_secs(60)));
        let ending = loop {
            if let Some(ending) = process.look(limit, settings.limits.output_bytes)? {
                break ending;
            }
            self.bench.heartbeat.alive();
            std::thread::sleep(LOOK);
        };
        process.sweep();
        self.events.say(&Event::SessionEnded { session: number, why: ending.to_string(), answers: 0 });
        Ok(ending)
    }

    /// A session that came to nothing: a pause, or after too many in a row the end.
    fn failed(&mut self, why: String) -> Option<Ended> {
        self.failing += 1;
        let settings = &self.bench.platform.settings;
        if self.failing >= settings.limits.failing_sessions {
            let why = format!("{} times in a row; what it printed is in .aar/sessions: {why}", self.failing);
            return Some(Ended { code: UNREACHABLE, why });
        }
        let attempt = u32::try_from(self.failing).unwrap_or(u32::MAX);
        let pause = pause(attempt, None, &settings.limits).min(settings.time_left().unwrap_or(Duration::MAX));
        self.events.say(&Event::Paused { ms: pause.as_millis() as u64, why });
        self.bench.heartbeat.now(Doing::Waiting, "after a failed session", pause + Duration::from_secs(60));
        std::thread::sleep(pause);
        None
    }
}

/// A file below the private folder, with its folders.
fn write(work: &Path, path: &str, text: &str) -> io::Result<()> {
    let inside = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return Err(io::Error::other(format!("{path}: a path inside the private folder is needed")));
    }
    let path = work.join(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}
