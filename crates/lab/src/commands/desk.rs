//! What `lab agent` and `lab drive` have in common: where the researcher works and until when, and what is said of it.

use crate::cli::Server;
use crate::failure::Failure;
use aar_agent::desk::Ended;
use aar_agent::events::Event;
use aar_agent::settings::{Direction, Limits, Place, Settings};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(clap::Args)]
pub struct Desk {
    /// A starting direction in place of the study's; `none` for no direction at all
    #[arg(long, env = "AAR_DIRECTION")]
    direction: Option<String>,
    /// When to stop, in milliseconds since the epoch
    #[arg(long, env = "AAR_ENDS_MS")]
    ends_ms: Option<u64>,
    /// Until then nothing of others is shown, in milliseconds since the epoch
    #[arg(long, env = "AAR_FORUM_FROM_MS")]
    forum_from_ms: Option<u64>,
    /// Its span where it is traced, as W3C Trace Context writes it
    #[arg(long, env = "TRACEPARENT", hide = true)]
    trace: Option<Place>,
    /// The private folder
    #[arg(long, env = "AAR_WORK", default_value = "/work")]
    pub work: PathBuf,
    /// Folder with problem.json, pool.jsonl, weak.jsonl and student/
    #[arg(long, env = "AAR_DATA", default_value = "/data")]
    data: PathBuf,
    #[command(flatten)]
    pub server: Server,
}

impl Desk {
    /// As the researcher wants them.
    pub fn settings(&self, model: &str, limits: Limits) -> Settings {
        let at = |ms: u64| UNIX_EPOCH + Duration::from_millis(ms);
        Settings {
            work: self.work.clone(),
            data: self.data.clone(),
            lab: super::own_program(),
            direction: Direction::said(self.direction.as_deref()),
            ends_at: self.ends_ms.map(at),
            forum_from: self.forum_from_ms.map(at),
            trace: self.trace,
            limits,
            ..Settings::inside(model)
        }
    }
}

/// After so many hours from now.
pub fn after(hours: Duration) -> SystemTime {
    SystemTime::now() + hours
}

/// Say how it ended.
pub fn close(ended: Ended) -> Result<(), Failure> {
    if ended.code == 0 {
        crate::note!("the researcher's work is over: {}", ended.why);
        return Ok(());
    }
    Err(Failure::new(ended.code, ended.why).hint("what happened stands in .aar/events.jsonl of the private folder"))
}

/// Progress for people; with `--json` every event for programs.
pub fn tell(event: &Event, json: bool) {
    if json {
        crate::note!("{}", serde_json::to_string(event).unwrap_or_default());
        return;
    }
    match event {
        Event::SessionBegan { session } => crate::note!("session {session}"),
        Event::ToolCalled { tool, ok, ms, .. } => {
            crate::note!("  {tool}{} ({:.1} s)", if *ok { "" } else { ": failed" }, *ms as f64 / 1000.0);
        }
        Event::AnswerFailed { why, pause_ms, .. } => crate::note!("  no answer: {why}; again in {pause_ms} ms"),
        Event::Compacted { how, tokens_before, tokens_after, .. } => {
            crate::note!("  conversation shortened ({how}): {tokens_before} to {tokens_after} tokens");
        }
        Event::Refused { why, .. } | Event::Nudged { why, .. } | Event::Paused { why, .. } => crate::note!("  {why}"),
        Event::SessionEnded { session, why, answers } => {
            crate::note!("session {session} ended after {answers} answers: {why}");
        }
        Event::Answered { .. } | Event::ForumSynced { .. } | Event::Ended { .. } => {}
    }
}
