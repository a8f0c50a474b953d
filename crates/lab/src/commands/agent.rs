//! `lab agent`

use crate::cli::Server;
use crate::failure::{Failure, IO, USAGE};
use aar_agent::events::Event;
use aar_agent::http::HttpModel;
use aar_agent::researcher::Researcher;
use aar_agent::settings::{Direction, Limits, Settings, Wire};
use aar_api::client::Address;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(clap::Args)]
pub struct Options {
    /// Where the model is: `unix:PATH` or `http://HOST:PORT`, without `/v1`
    #[arg(long, env = "AAR_LLM", hide_env_values = true)]
    llm: Option<String>,
    /// The model's name at its provider
    #[arg(long, env = "AAR_MODEL")]
    model: Option<String>,
    /// How the model is spoken to
    #[arg(long, env = "AAR_WIRE", default_value = "messages", value_parser = wire)]
    wire: Wire,
    /// A starting direction in place of the study's; `none` for no direction at all
    #[arg(long, env = "AAR_DIRECTION")]
    direction: Option<String>,
    /// When to stop, in milliseconds since the epoch
    #[arg(long, env = "AAR_ENDS_MS")]
    ends_ms: Option<u64>,
    /// Stop after so many hours
    #[arg(long, conflicts_with = "ends_ms", value_parser = hours)]
    hours: Option<Duration>,
    /// Until then nothing of others is shown, in milliseconds since the epoch
    #[arg(long, env = "AAR_FORUM_FROM_MS")]
    forum_from_ms: Option<u64>,
    /// A conversation is compacted when it has more tokens
    #[arg(long, env = "AAR_CONTEXT_TOKENS", default_value_t = Limits::default().context_tokens)]
    context_tokens: usize,
    /// The longest answer in tokens; by the context's length where it is not said
    #[arg(long, env = "AAR_ANSWER_TOKENS")]
    answer_tokens: Option<u32>,
    /// The most answers of one session
    #[arg(long, default_value_t = Limits::default().session_answers)]
    session_answers: usize,
    /// The longest session in hours
    #[arg(long, default_value = "6", value_parser = hours)]
    session_hours: Duration,
    /// The private folder
    #[arg(long, env = "AAR_WORK", default_value = "/work")]
    work: PathBuf,
    /// Folder with problem.json, pool.jsonl, weak.jsonl and student/
    #[arg(long, env = "AAR_DATA", default_value = "/data")]
    data: PathBuf,
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let missing = |what: &str| {
        Failure::new(USAGE, format!("{what} is not set")).hint(
            "a study's file names provider and model; by hand, say --llm and --model. `lab search` needs no model",
        )
    };
    let address: Address = options.llm.as_deref().ok_or_else(|| missing("AAR_LLM"))?.parse()?;
    let settings = settings(options, options.model.as_deref().ok_or_else(|| missing("AAR_MODEL"))?);
    let client = options.server.client()?;
    let token = options.server.token()?;
    let mut model = HttpModel::new(&address, options.wire, token)
        .map_err(|error| Failure::new(USAGE, format!("AAR_LLM: {error}")))?;
    let hear = Box::new(move |event: &Event| tell(event, json));
    let researcher = Researcher::new(settings, client, token, &mut model, hear)
        .map_err(|error| Failure::new(IO, format!("write in {}: {error}", options.work.display())))?;
    let ended = researcher.run();
    if ended.code == 0 {
        crate::note!("the researcher's work is over: {}", ended.why);
        return Ok(());
    }
    Err(Failure::new(ended.code, ended.why).hint("what happened stands in .aar/events.jsonl of the private folder"))
}

fn settings(options: &Options, model: &str) -> Settings {
    let mut limits = Limits::for_context(options.context_tokens);
    limits.answer_tokens = options.answer_tokens.unwrap_or(limits.answer_tokens);
    (limits.session_answers, limits.session_time) = (options.session_answers, options.session_hours);
    Settings {
        work: options.work.clone(),
        data: options.data.clone(),
        lab: super::own_program(),
        direction: Direction::said(options.direction.as_deref()),
        ends_at: options.ends_ms.map(at).or(options.hours.map(|hours| SystemTime::now() + hours)),
        forum_from: options.forum_from_ms.map(at),
        limits,
        ..Settings::inside(model)
    }
}

/// A moment in milliseconds since the epoch.
pub fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
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

fn wire(text: &str) -> Result<Wire, String> {
    serde_json::from_value(text.into()).map_err(|_| "one of messages, chat, responses".into())
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours: f64 = text.parse().map_err(|error| format!("{error}; a number of hours is needed"))?;
    Duration::try_from_secs_f64(3600.0 * hours).map_err(|error| error.to_string())
}
