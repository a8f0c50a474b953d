//! Somebody else's agent as a researcher: a shell command, run session after session in the same sandbox, with the briefing as a
//! file and the model's address on loopback.
//!
//! The command finds `AAR_BRIEF` (what a language-model researcher is told, as a file), `AAR_LLM_URL` (what stands before `/v1/…`),
//! `AAR_TOKEN` (its key there), `AAR_MODEL`, and `lab`, whose `lab mcp` offers the platform's tools.

use crate::desk::{Desk, Ended};
use crate::events::Event;
use crate::heartbeat::Doing;
use crate::process::{Ending, Process};
use crate::prompt::{Briefing, opening, system};
use crate::relay;
use crate::researcher::UNREACHABLE;
use crate::settings::Settings;
use crate::tools::Wrong;
use aar_api::client::Client;
use aar_llm::trace;
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
    desk: Desk,
    agent: Agent,
    address: Option<String>,
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
        let address = match &agent.model {
            Some((socket, port)) => Some(format!("http://127.0.0.1:{}", relay::open(*port, socket)?)),
            None => None,
        };
        for (path, text) in &agent.files {
            write(&settings.work, path, text)?;
        }
        Ok(Self { desk: Desk::new(settings, client, token, hear)?, agent, address })
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

    fn step(&mut self) -> Option<Ended> {
        let briefing = match self.desk.brief() {
            Ok(Ok(briefing)) => briefing,
            Ok(Err(ended)) => return Some(ended),
            Err(Wrong(why)) => return self.failed(format!("the study could not be read: {why}")),
        };
        if briefing.me.evaluations_left == 0 {
            // The last ones are still being worked on; a command that can't submit has nothing to do.
            self.desk.bench.heartbeat.now(Doing::Waiting, "for the last evaluations", Duration::from_secs(3600));
            std::thread::sleep(WAIT);
            return None;
        }
        let used = briefing.me.evaluations_used;
        let began = Instant::now();
        let ended = match self.session(&briefing) {
            Ok(ending) => ending.to_string(),
            Err(error) => format!("the command could not be run: {error}"),
        };
        let submitted = self.desk.bench.platform.me().is_ok_and(|me| me.evaluations_used > used);
        let productive = submitted || began.elapsed() >= LONG;
        self.desk.memory.leave(&format!("The last session ended by itself: {ended}."));
        if productive {
            self.desk.failing = 0;
            return None;
        }
        self.failed(format!("a short session without a submission ({ended})"))
    }

    fn failed(&mut self, why: String) -> Option<Ended> {
        let say = |times, why: &str| format!("{times} times in a row; what it printed is in .aar/sessions: {why}");
        self.desk.failed(0, UNREACHABLE, why, say)
    }

    /// Run the command once.
    fn session(&mut self, briefing: &Briefing) -> io::Result<Ending> {
        let Desk { bench, memory, forum, events, .. } = &mut self.desk;
        let settings = bench.platform.settings.clone();
        let number = bench.heartbeat.session() + 1;
        forum.sync(&bench.platform, settings.limits.forum_every);
        let text = format!("{}\n\n{}\n", system(briefing, &settings), opening(number, bench, memory, forum));
        let brief = settings.own().join("brief.md");
        std::fs::write(&brief, text)?;
        bench.heartbeat.begin(number);
        events.say(&Event::SessionBegan { session: number });
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&self.agent.command).current_dir(&settings.work).env("AAR_BRIEF", &brief);
        if let Some(address) = &self.address {
            command.env("AAR_LLM_URL", address);
        }
        if let Some(place) = settings.trace {
            command.env(trace::VARIABLE, place.session(number).to_string());
        }
        let output = settings.own().join(format!("sessions/{number}.log"));
        let limit = settings.time_left().unwrap_or(Duration::MAX).min(settings.limits.session_time);
        let mut process = Process::start(command, &output, None, &format!("agent-{number}"))?;
        bench.heartbeat.now(Doing::Training, "the agent's command", limit.saturating_add(Duration::from_secs(60)));
        let ending = loop {
            if let Some(ending) = process.look(limit, settings.limits.output_bytes)? {
                break ending;
            }
            bench.heartbeat.alive();
            std::thread::sleep(LOOK);
        };
        process.sweep();
        events.say(&Event::SessionEnded { session: number, why: ending.to_string(), answers: 0 });
        Ok(ending)
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
