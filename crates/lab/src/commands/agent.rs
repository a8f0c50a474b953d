//! `lab agent`

use super::desk::{Desk, after, close, tell};
use crate::failure::{Failure, IO, USAGE};
use aar_agent::events::Event;
use aar_agent::http::HttpModel;
use aar_agent::researcher::Researcher;
use aar_agent::settings::{Limits, Settings, Wire};
use aar_api::client::Address;
use std::time::Duration;

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
    /// Stop after so many hours
    #[arg(long, conflicts_with = "ends_ms", value_parser = hours)]
    hours: Option<Duration>,
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
    #[command(flatten)]
    desk: Desk,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let missing = |what: &str| {
        Failure::new(USAGE, format!("{what} is not set")).hint(
            "a study's file names provider and model; by hand, say --llm and --model. `lab search` needs no model",
        )
    };
    let address: Address = options.llm.as_deref().ok_or_else(|| missing("AAR_LLM"))?.parse()?;
    let settings = settings(options, options.model.as_deref().ok_or_else(|| missing("AAR_MODEL"))?);
    let client = options.desk.server.client()?;
    let token = options.desk.server.token()?;
    let model = HttpModel::new(&address, options.wire, token)
        .map_err(|error| Failure::new(USAGE, format!("AAR_LLM: {error}")))?;
    let mut model = model.traced(settings.trace);
    let hear = Box::new(move |event: &Event| tell(event, json));
    let researcher = Researcher::new(settings, client, token, &mut model, hear)
        .map_err(|error| Failure::new(IO, format!("write in {}: {error}", options.desk.work.display())))?;
    close(researcher.run())
}

fn settings(options: &Options, model: &str) -> Settings {
    let mut limits = Limits::for_context(options.context_tokens);
    limits.answer_tokens = options.answer_tokens.unwrap_or(limits.answer_tokens);
    (limits.session_answers, limits.session_time) = (options.session_answers, options.session_hours);
    let settings = options.desk.settings(model, limits);
    Settings { ends_at: settings.ends_at.or(options.hours.map(after)), ..settings }
}

fn wire(text: &str) -> Result<Wire, String> {
    serde_json::from_value(text.into()).map_err(|_| "one of messages, chat, responses".into())
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours: f64 = text.parse().map_err(|error| format!("{error}; a number of hours is needed"))?;
    Duration::try_from_secs_f64(3600.0 * hours).map_err(|error| error.to_string())
}
