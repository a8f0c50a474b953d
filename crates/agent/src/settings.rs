//! What a researcher is told from outside.

pub use aar_llm::trace::Place;
pub use aar_llm::wire::Wire;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Where things are inside the sandbox, and what is allowed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The private folder: notebook, forum, own code. Survives restarts.
    pub work: PathBuf,
    /// The testbed's public half.
    pub data: PathBuf,
    /// The bench: run as a child for trials, submissions and snapshots.
    pub lab: PathBuf,
    /// The model's name at its provider.
    pub model: String,
    /// A starting direction in place of the study's.
    pub direction: Direction,
    /// When the researcher stops.
    pub ends_at: Option<SystemTime>,
    /// Until then nothing of others is read (a cold start).
    pub forum_from: Option<SystemTime>,
    /// Its span, where the study is traced.
    pub trace: Option<Place>,
    /// Limits of sessions, answers and outputs.
    pub limits: Limits,
}

/// Where a researcher starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Where the study says.
    #[default]
    OfStudy,
    /// Nowhere in particular.
    Undirected,
    /// Here.
    Said(String),
}

impl Direction {
    /// As a study says it: nothing for its own, `none` for none at all, or the direction.
    pub fn said(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::OfStudy,
            Some("none") => Self::Undirected,
            Some(text) => Self::Said(text.to_owned()),
        }
    }
}

/// Limits. The defaults suit a strong model with a context of 200,000 tokens.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Tokens of one answer.
    pub answer_tokens: u32,
    /// Tokens of a conversation at which it is compacted.
    pub context_tokens: usize,
    /// Answers of one session.
    pub session_answers: usize,
    /// Length of one session.
    pub session_time: Duration,
    /// Characters of one tool result that the model gets to see.
    pub result_chars: usize,
    /// Characters of the notebook that open a session.
    pub notebook_chars: usize,
    /// Tool calls of one answer; more are not run.
    pub calls_per_answer: usize,
    /// How often the same call may give the same result before it is refused.
    pub same_call_refused: usize,
    /// How often before the session ends.
    pub same_call_ends: usize,
    /// Failing calls in a row before the session ends.
    pub failing_calls: usize,
    /// Answers without a call, or without anything, before the session ends.
    pub idle_answers: usize,
    /// Attempts at one answer.
    pub attempts: u32,
    /// First pause between attempts; it doubles.
    pub pause: Duration,
    /// Longest pause between attempts, and between failing sessions.
    pub longest_pause: Duration,
    /// Failing sessions in a row before the researcher gives up.
    pub failing_sessions: usize,
    /// How often findings are fetched.
    pub forum_every: Duration,
    /// Longest foreground command.
    pub command_time: Duration,
    /// Bytes of one command's output on disk; a command that writes more is ended.
    pub output_bytes: u64,
    /// Background jobs at once.
    pub jobs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_tokens: 16_000,
            context_tokens: 150_000,
            session_answers: 300,
            session_time: Duration::from_secs(6 * 3600),
            result_chars: 16_000,
            notebook_chars: 24_000,
            calls_per_answer: 16,
            same_call_refused: 3,
            same_call_ends: 10,
            failing_calls: 15,
            idle_answers: 3,
            attempts: 6,
            pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(300),
            failing_sessions: 5,
            forum_every: Duration::from_secs(60),
            command_time: Duration::from_secs(1800),
            output_bytes: 64 << 20,
            jobs: 8,
        }
    }
}

impl Limits {
    /// For a model that reads so many tokens: what is shown at once shrinks with it.
    pub fn for_context(context_tokens: usize) -> Self {
        let defaults = Self::default();
        Self {
            context_tokens,
            result_chars: (context_tokens / 4).clamp(2000, defaults.result_chars),
            notebook_chars: (context_tokens / 3).clamp(2000, defaults.notebook_chars),
            answer_tokens: u32::try_from(context_tokens / 4).unwrap_or(u32::MAX).clamp(500, defaults.answer_tokens),
            ..defaults
        }
    }
}

impl Settings {
    /// The inside of a sandbox as `ARCHITECTURE.md` describes it.
    pub fn inside(model: impl Into<String>) -> Self {
        Self {
            work: "/work".into(),
            data: "/data".into(),
            lab: "lab".into(),
            model: model.into(),
            direction: Direction::default(),
            ends_at: None,
            forum_from: None,
            trace: None,
            limits: Limits::default(),
        }
    }

    /// The agent's own folder: state, events, outputs.
    pub fn own(&self) -> PathBuf {
        self.work.join(".aar")
    }

    /// What a watchdog reads.
    pub fn state_file(&self) -> PathBuf {
        self.own().join("state.json")
    }

    /// What happened, for those who look.
    pub fn events_file(&self) -> PathBuf {
        self.own().join("events.jsonl")
    }

    /// What is left on the clock; absent where there is none, zero when it is over.
    pub fn time_left(&self) -> Option<Duration> {
        self.ends_at.map(|end| end.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// How long the forum stays shut; absent once it is open.
    pub fn forum_shut_for(&self) -> Option<Duration> {
        self.forum_from.and_then(|from| from.duration_since(SystemTime::now()).ok()).filter(|left| !left.is_zero())
    }
}

/// A duration for people: `2 h 05 min`, `12 min`, `40 s`.
pub fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let check = |seconds, expect: &str| assert_eq!(spoken(Duration::from_secs(seconds)), expect);
        check(0, "0 s");
        check(59, "59 s");
        check(60, "1 min");
        check(7500, "2 h 05 min");
    }

    #[test]
    fn a_small_model_is_shown_less_at_once() {
        let small = Limits::for_context(16_000);
        assert_eq!((small.result_chars, small.notebook_chars, small.answer_tokens), (4000, 5333, 4000));
        let (large, defaults) = (Limits::for_context(1_000_000), Limits::default());
        assert_eq!((large.result_chars, large.answer_tokens), (defaults.result_chars, defaults.answer_tokens));
    }

    #[test]
    fn a_cold_start_ends() {
        let mut settings = Settings::inside("m");
        assert_eq!(settings.forum_shut_for(), None);
        settings.forum_from = Some(SystemTime::now() + Duration::from_secs(3600));
        assert!(settings.forum_shut_for().is_some());
        settings.forum_from = Some(SystemTime::now() - Duration::from_secs(1));
        assert_eq!(settings.forum_shut_for(), None);
        settings.ends_at = Some(SystemTime::now() - Duration::from_secs(1));
        assert_eq!(settings.time_left(), Some(Duration::ZERO));
    }
}
