//! Tells thinking, training and hanging apart, by the state that a researcher writes into its own folder.
//!
//! The file is the researcher's, so it is an allegation: the worst that a false one does is that the researcher is ended by
//! the study's clock instead of by the watchdog.

use crate::clock::now_ms;
use aar_server::foreign;
use aar_server::timeline::Doing;
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long past its own limit a state may last before it counts as hanging.
const GRACE: Duration = Duration::from_secs(120);
/// How long the first sign of life may take.
const FIRST: Duration = Duration::from_secs(300);
/// Longer files are not read.
const LONGEST: u64 = 64 << 10;

/// One researcher's watchdog.
#[derive(Clone, Debug)]
pub struct Watchdog {
    file: PathBuf,
    /// Nothing before this counts: a start, or the end of a pause.
    from_ms: u64,
}

/// What a look at it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// What it says it is at, and since when, in milliseconds since the epoch; nothing of before it was started.
    pub doing: Option<(Doing, u64)>,
    /// Why it counts as hanging, where it does.
    pub hangs: Option<String>,
}

/// What the file says; other fields are for people.
#[derive(Deserialize)]
struct Said {
    state: String,
    #[serde(default)]
    since_ms: u64,
    seen_ms: u64,
    until_ms: u64,
    #[serde(default)]
    session: u32,
    #[serde(default)]
    what: String,
}

impl Watchdog {
    /// Watch the state in this workspace, from now on.
    pub fn new(workspace: &Path) -> Self {
        Self { file: workspace.join(".aar/state.json"), from_ms: now_ms() }
    }

    /// Begin anew: it was started again, or goes on after a pause.
    pub fn reset(&mut self) {
        self.from_ms = now_ms();
    }

    /// Look at what it says now.
    pub fn look(&self) -> Look {
        let said = self.read();
        let hangs = judge(said.as_ref(), self.from_ms, now_ms());
        let since = |said: &Said| if hangs.is_some() { said.seen_ms } else { said.since_ms };
        let now = said.as_ref().filter(|said| said.seen_ms >= self.from_ms);
        let doing = now.and_then(|said| Some((doing(&said.state)?, since(said).max(self.from_ms))));
        Look { doing, hangs }
    }

    fn read(&self) -> Option<Said> {
        let file = foreign::open(&self.file)?;
        serde_json::from_reader(file.take(LONGEST)).ok()
    }

    /// How many sessions it says it began.
    pub fn sessions(&self) -> Option<u32> {
        self.read().map(|said| said.session)
    }
}

/// A tool that is quick is part of thinking.
fn doing(state: &str) -> Option<Doing> {
    match state {
        "thinking" | "tool" => Some(Doing::Thinking),
        "training" => Some(Doing::Training),
        "waiting" => Some(Doing::Waiting),
        _ => None,
    }
}

fn judge(said: Option<&Said>, from_ms: u64, now_ms: u64) -> Option<String> {
    let since = |ms: u64| Duration::from_millis(now_ms.saturating_sub(ms.max(from_ms)));
    match said.filter(|said| said.seen_ms >= from_ms) {
        None if since(from_ms) > FIRST => Some("no sign of life since it was started".into()),
        Some(said) if since(said.until_ms) > GRACE && since(said.seen_ms) > GRACE => {
            let what =
                if said.what.is_empty() { said.state.clone() } else { format!("{} ({})", said.state, said.what) };
            Some(format!("hanging while {what}: nothing was heard for {} s", since(said.seen_ms).as_secs()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seen_s: u64, until_s: u64) -> Said {
        Said {
            state: "tool".into(),
            seen_ms: seen_s * 1000,
            until_ms: until_s * 1000,
            session: 1,
            since_ms: 0,
            what: "shell".into(),
        }
    }

    #[test]
    fn long_work_is_not_hanging_and_silence_past_its_limit_is() {
        let check = |said: Option<Said>, now_s: u64, hangs: bool| {
            assert_eq!(judge(said.as_ref(), 1_000_000, now_s * 1000).is_some(), hangs);
        };
        // An hour's training with a sign of life a minute ago, or inside its limit.
        check(Some(said(4540, 2000)), 4600, false);
        check(Some(said(1100, 5000)), 4600, false);
        // Past its limit and silent.
        check(Some(said(1100, 2000)), 2100, false);
        check(Some(said(1100, 2000)), 2130, true);
        // What was said before it was started again is not of this process.
        check(Some(said(900, 950)), 1100, false);
        check(Some(said(900, 950)), 1400, true);
        check(None, 1200, false);
        check(None, 1301, true);
    }

    #[test]
    fn what_is_not_a_state_is_no_sign_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join(".aar");
        std::fs::create_dir(&own).unwrap();
        let mut dog = Watchdog::new(dir.path());
        dog.from_ms -= 400_000;
        for text in ["", "{}", "not json", &"x".repeat(100_000)] {
            std::fs::write(own.join("state.json"), text).unwrap();
            assert_eq!(dog.look().hangs.as_deref(), Some("no sign of life since it was started"));
        }
        std::fs::remove_file(own.join("state.json")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", own.join("state.json")).unwrap();
        assert!(dog.look().hangs.is_some());
        dog.reset();
        assert_eq!(dog.look(), Look::default());
    }

    #[test]
    fn it_says_what_is_done_and_since_when_but_nothing_of_a_process_before() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join(".aar");
        std::fs::create_dir(&own).unwrap();
        let mut dog = Watchdog::new(dir.path());
        dog.from_ms = 5_000;
        let check = |dog: &Watchdog, state: &str, since: u64, seen: u64, wanted: Option<(Doing, u64)>| {
            let text = serde_json::json!({"state": state, "since_ms": since, "seen_ms": seen, "until_ms": u64::MAX});
            std::fs::write(own.join("state.json"), text.to_string()).unwrap();
            assert_eq!(dog.look(), Look { doing: wanted, hangs: None }, "{state} {since} {seen}");
        };
        check(&dog, "tool", 6_000, now_ms(), Some((Doing::Thinking, 6_000)));
        check(&dog, "training", 4_000, now_ms(), Some((Doing::Training, 5_000)));
        check(&dog, "ended", 6_000, now_ms(), None);
        dog.from_ms = now_ms();
        check(&dog, "waiting", 6_000, 7_000, None);
    }
}
