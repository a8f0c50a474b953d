//! A file that tells a watchdog outside what the researcher is doing, so that thinking, training and hanging look different.

use crate::events::now_ms;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// The model is asked.
    Thinking,
    /// A tool runs, which should not take long.
    Tool,
    /// A trial or a command runs, which may take long.
    Training,
    /// It waits on purpose: for an evaluation, a job, a server that is busy.
    Waiting,
    /// It is over.
    Ended,
}

/// The file's contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What is being done.
    pub state: Doing,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: u64,
    /// The last sign of life within this state: a piece of an answer, a look at a running command.
    pub seen_ms: u64,
    /// Which session.
    pub session: u32,
    /// Which answer of the session.
    pub call: usize,
    /// What exactly, where it has a name: the tool.
    pub what: String,
    /// When it must be over, in milliseconds since the epoch: past that and without a change it hangs.
    pub until_ms: u64,
}

/// Writes the file.
pub struct Heartbeat {
    path: PathBuf,
    state: State,
    written: Option<Instant>,
    broken_off: bool,
}

/// Signs of life are written at most this often.
const EVERY: Duration = Duration::from_secs(5);

impl Heartbeat {
    /// To `path`; nothing is written yet.
    pub fn new(path: &Path) -> Self {
        let last = last(path);
        let state = State {
            state: Doing::Waiting,
            since_ms: now_ms(),
            seen_ms: now_ms(),
            session: last.as_ref().map_or(0, |state| state.session),
            call: 0,
            what: String::new(),
            until_ms: 0,
        };
        let broken_off = last.is_some_and(|state| state.state != Doing::Ended);
        Self { path: path.to_owned(), state, written: None, broken_off }
    }

    /// Did the process before this one end in the middle of its work?
    pub fn broken_off(&self) -> bool {
        self.broken_off
    }

    /// The last session that ever began in this workspace; 0 where none did.
    pub fn session(&self) -> u32 {
        self.state.session
    }

    /// A session begins.
    pub fn begin(&mut self, session: u32) {
        (self.state.session, self.state.call) = (session, 0);
        self.now(Doing::Waiting, "", Duration::from_secs(60));
    }

    /// The model is asked for its next answer, which takes at most `most`.
    pub fn thinking(&mut self, most: Duration) {
        self.state.call += 1;
        self.now(Doing::Thinking, "", most);
    }

    /// Something else begins, which takes at most `most`.
    pub fn now(&mut self, doing: Doing, what: &str, most: Duration) {
        let now = now_ms();
        let until_ms = now.saturating_add(u64::try_from(most.as_millis()).unwrap_or(u64::MAX));
        self.state =
            State { state: doing, since_ms: now, seen_ms: now, what: what.to_owned(), until_ms, ..self.state.clone() };
        self.write();
    }

    /// Still at it.
    pub fn alive(&mut self) {
        if self.written.is_none_or(|at| at.elapsed() >= EVERY) {
            self.state.seen_ms = now_ms();
            self.write();
        }
    }

    /// Written whole or not at all; a full disk shows by the file's age.
    fn write(&mut self) {
        self.written = Some(Instant::now());
        let text = serde_json::to_string(&self.state).unwrap_or_default();
        let next = self.path.with_extension("next");
        let _ = std::fs::write(&next, text + "\n").and_then(|()| std::fs::rename(&next, &self.path));
    }
}

/// The session that another process has at work here, by its file.
pub fn at_work(path: &Path) -> Option<u32> {
    last(path).filter(|state| state.state != Doing::Ended && state.session > 0).map(|state| state.session)
}

/// What the process before this one wrote last.
fn last(path: &Path) -> Option<State> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_done_and_counts_sessions_over_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let read = || serde_json::from_str::<State>(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut heartbeat = Heartbeat::new(&path);
        assert_eq!(heartbeat.session(), 0);
        heartbeat.begin(1);
        heartbeat.thinking(Duration::from_secs(600));
        let state = read();
        assert_eq!((state.state, state.session, state.call), (Doing::Thinking, 1, 1));
        assert!(state.until_ms >= state.since_ms + 600_000);
        assert_eq!(at_work(&path), Some(1));
        heartbeat.now(Doing::Training, "shell", Duration::from_secs(60));
        let state = read();
        assert_eq!((state.state, state.what.as_str(), state.call), (Doing::Training, "shell", 1));
        let mut next = Heartbeat::new(&path);
        assert_eq!((next.session(), next.broken_off()), (1, true));
        next.now(Doing::Ended, "", Duration::ZERO);
        assert!(!Heartbeat::new(&path).broken_off());
    }
}
