//! What happened, one JSON line per event.

use crate::fence::one_line;
use crate::tools::Platform;
use serde::Serialize;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Something that happened. Texts of others are not in here, nor are tools' outputs: their sizes are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[allow(missing_docs)] // The names say it; `docs/researcher/README.md` explains each.
pub enum Event {
    SessionBegan {
        session: u32,
    },
    Answered {
        session: u32,
        calls: usize,
        text_chars: usize,
        input: u64,
        output: u64,
        cache_read: u64,
        cache_write: u64,
    },
    AnswerFailed {
        session: u32,
        attempt: u32,
        why: String,
        pause_ms: u64,
    },
    ToolCalled {
        session: u32,
        tool: String,
        arguments: String,
        ok: bool,
        result_chars: usize,
        ms: u64,
    },
    Refused {
        session: u32,
        tool: String,
        why: String,
    },
    Nudged {
        session: u32,
        why: String,
    },
    Compacted {
        session: u32,
        how: String,
        tokens_before: usize,
        tokens_after: usize,
    },
    ForumSynced {
        findings: usize,
    },
    SessionEnded {
        session: u32,
        why: String,
        answers: usize,
    },
    Paused {
        ms: u64,
        why: String,
    },
    Ended {
        code: i32,
        why: String,
    },
}

impl Event {
    /// A call of a tool, as the researcher made it, and what it got.
    pub fn tool_called(
        session: u32,
        platform: &Platform,
        tool: &str,
        arguments: &Value,
        answer: Result<&str, &str>,
        began: Instant,
    ) -> Self {
        let (Ok(text) | Err(text)) = answer;
        Self::ToolCalled {
            session,
            tool: one_line(tool, 64),
            arguments: platform.hush(one_line(&arguments.to_string(), 400)),
            ok: answer.is_ok(),
            result_chars: text.chars().count(),
            ms: began.elapsed().as_millis() as u64,
        }
    }
}

/// An event with its time.
#[derive(Serialize)]
struct Line<'a> {
    at_ms: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// Where events go.
pub struct Events {
    path: PathBuf,
    hear: Box<dyn FnMut(&Event)>,
}

impl Events {
    /// To a file, which grows, and to whoever else wants to hear of them.
    pub fn new(path: &Path, hear: Box<dyn FnMut(&Event)>) -> Self {
        Self { path: path.to_owned(), hear }
    }

    /// To the file alone.
    pub fn quiet(path: &Path) -> Self {
        Self::new(path, Box::new(|_| {}))
    }

    /// Say it. A researcher whose disk is full goes on: the file is for those who look, not for the work.
    pub fn say(&mut self, event: &Event) {
        (self.hear)(event);
        let line = serde_json::to_string(&Line { at_ms: now_ms(), event }).unwrap_or_default();
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.path) {
            let _ = writeln!(file, "{line}");
        }
    }
}

/// Milliseconds since the epoch.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_each() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut events = Events::quiet(&path);
        events.say(&Event::SessionBegan { session: 1 });
        events.say(&Event::Nudged { session: 1, why: "a\nb".into() });
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[1]["event"], &lines[1]["why"]), (&"nudged".into(), &"a\nb".into()));
        assert!(lines[0]["at_ms"].as_u64() > Some(0));
    }
}
