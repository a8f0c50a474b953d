//! The researchers' processes: start, watch, start again, retire.

use crate::clock::now_ms;
use crate::error::StudyError;
use crate::watchdog::Watchdog;
use aar_evaluation::decoys::Decoys;
use aar_researcher::{Researcher, ResearcherSpec, State};
use aar_sandbox::Isolation;
use aar_server::Server;
use aar_server::event::Sight;
use aar_server::handle::Snapshot;
use aar_server::timeline::Doing;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Times a researcher is started again before it is retired.
const RESTARTS: u32 = 2;

/// Between two changes of what a researcher is at that are put on record.
const PAUSE: Duration = Duration::from_secs(2);
/// And of all its time so far one in so many.
const CHANGES: u32 = 400;
/// Characters of a reason that are put on record.
const WORDS: usize = 300;

/// One researcher of a study.
struct Member {
    spec: ResearcherSpec,
    running: Option<Researcher>,
    restarts: u32,
    started: Instant,
    wall_s: f64,
    held: bool,
    /// Of those that tell what they are doing.
    watchdog: Option<Watchdog>,
    /// What was last put on record of it, and when.
    seen: Option<(Doing, Instant)>,
    /// In its sandbox.
    decoys: Decoys,
}

/// What is needed to start one.
pub struct Starting {
    /// Its process.
    pub spec: ResearcherSpec,
    /// Whether it tells what it is doing and is to be watched.
    pub watched: bool,
    /// Laid for it.
    pub decoys: Decoys,
}

impl Member {
    /// Put on record what it is at, where that is new.
    fn see(&mut self, server: &Server, doing: Doing, since_ms: u64, why: &str) -> Result<(), StudyError> {
        self.seen = Some((doing, Instant::now()));
        let why = why.chars().take(WORDS).collect();
        Ok(server.saw(Sight { by: self.spec.name.clone(), doing, since_ms: since_ms as i64, why })?)
    }

    /// Its process has ended: it is started again or retired.
    fn leave(&mut self, ended: State, server: &Server, isolation: &Isolation) -> Result<TeamEvent, StudyError> {
        let name = self.spec.name.clone();
        if let State::GaveUp(why) | State::Crashed(why) = &ended {
            self.see(server, Doing::Gone, now_ms(), why)?;
        }
        let event = match ended {
            State::Crashed(why) if self.restarts < RESTARTS => {
                self.restarts += 1;
                self.running = Some(Researcher::spawn(&self.spec, isolation)?);
                if let Some(watchdog) = self.watchdog.as_mut() {
                    watchdog.reset();
                }
                self.see(server, Doing::Thinking, now_ms(), "")?;
                return Ok(TeamEvent::Restarted(name, why));
            }
            State::Crashed(why) => TeamEvent::Retired(name, why),
            State::GaveUp(why) => TeamEvent::GaveUp(name, why),
            State::Running | State::Done => TeamEvent::Done(name),
        };
        self.running = None;
        self.wall_s = self.started.elapsed().as_secs_f64();
        server.retire(&self.spec.name)?;
        Ok(event)
    }

    /// A change is put on record at most so often: as finely as a figure of all its time can show.
    fn is_due(&self, doing: Doing) -> bool {
        let pause = PAUSE.max(self.started.elapsed() / CHANGES);
        self.seen.is_none_or(|(last, at)| last != doing && at.elapsed() >= pause)
    }
}

/// All of them.
pub struct Team {
    members: Vec<Member>,
    isolation: Isolation,
}

/// What became of a researcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeamEvent {
    /// It used its budget.
    Done(String),
    /// It crashed and was started again.
    Restarted(String, String),
    /// It said that it can't go on, and would not after a new start.
    GaveUp(String, String),
    /// It crashed too often.
    Retired(String, String),
    /// The operator ended it.
    Stopped(String),
    /// The operator lets it stand still, or go on again.
    Held(String, bool),
}

impl Team {
    /// Start everybody.
    pub fn start(all: Vec<Starting>, isolation: &Isolation) -> Result<Self, StudyError> {
        let mut members = Vec::new();
        for Starting { spec, watched, decoys } in all {
            let running = Some(Researcher::spawn(&spec, isolation)?);
            let watchdog = watched.then(|| Watchdog::new(&spec.workspace));
            let started = Instant::now();
            members.push(Member {
                spec,
                running,
                restarts: 0,
                started,
                wall_s: 0.0,
                held: false,
                watchdog,
                seen: None,
                decoys,
            });
        }
        Ok(Self { members, isolation: isolation.clone() })
    }

    /// Do what the operator said meanwhile.
    fn obey(&mut self, snapshot: &Snapshot) -> Vec<TeamEvent> {
        let mut events = Vec::new();
        for member in &mut self.members {
            let Some(running) = member.running.as_mut() else {
                continue;
            };
            let name = member.spec.name.clone();
            let paused = snapshot.paused.contains(&name);
            if snapshot.stopped.contains(&name) || snapshot.closing {
                running.stop();
                member.running = None;
                member.wall_s = member.started.elapsed().as_secs_f64();
                events.push(TeamEvent::Stopped(name));
            } else if paused != member.held {
                running.hold(paused);
                member.held = paused;
                if let Some(watchdog) = member.watchdog.as_mut() {
                    watchdog.reset();
                }
                events.push(TeamEvent::Held(name, paused));
            }
        }
        events
    }

    /// Look after everybody once. `asking` are those whose calls to a language model the gateway has open.
    pub fn tend(
        &mut self,
        server: &Server,
        snapshot: &Snapshot,
        asking: &BTreeSet<&str>,
    ) -> Result<Vec<TeamEvent>, StudyError> {
        let mut events = self.obey(snapshot);
        for member in &mut self.members {
            let Some(running) = member.running.as_mut() else {
                continue;
            };
            let name = member.spec.name.clone();
            let mut state = running.poll()?;
            server.touch(&name, member.decoys.opened().iter().map(|path| format!("{path}, in its own sandbox")))?;
            let look = member.watchdog.as_ref().filter(|_| !member.held).map(Watchdog::look).unwrap_or_default();
            if let (State::Running, Some(why)) = (&state, look.hangs) {
                running.stop();
                let since = look.doing.map_or(now_ms(), |(_, since)| since);
                member.see(server, Doing::Hung, since, &why)?;
                state = State::Crashed(why);
            }
            match state {
                State::Running => {
                    // What a command of somebody else's is at, only the gateway knows.
                    let asks = asking.contains(name.as_str());
                    let doing = look.doing.map(|(said, since)| (if asks { Doing::Thinking } else { said }, since));
                    if let Some((doing, since)) = doing.filter(|(doing, _)| member.is_due(*doing)) {
                        member.see(server, doing, since, "")?;
                    }
                    continue;
                }
                ended => events.push(member.leave(ended, server, &self.isolation)?),
            }
        }
        Ok(events)
    }

    /// Whether anybody is still at work.
    pub fn working(&self) -> bool {
        self.members.iter().any(|member| member.running.is_some())
    }

    /// How many sessions they began, as those say that have any.
    pub fn sessions(&self) -> Vec<(String, u32)> {
        let of = |member: &Member| Some((member.spec.name.clone(), member.watchdog.as_ref()?.sessions()?));
        self.members.iter().filter_map(of).collect()
    }

    /// Seconds each has been at work in this run.
    pub fn wall_s(&self) -> Vec<(String, f64)> {
        let of = |member: &Member| {
            let wall = if member.running.is_some() { member.started.elapsed().as_secs_f64() } else { member.wall_s };
            (member.spec.name.clone(), wall)
        };
        self.members.iter().map(of).collect()
    }
}
