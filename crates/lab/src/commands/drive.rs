//! `lab drive`

use super::agent::{at, tell};
use crate::cli::Server;
use crate::failure::{Failure, INPUT, IO};
use aar_agent::events::Event;
use aar_agent::outside::{Agent, Outside};
use aar_agent::relay::PORT;
use aar_agent::settings::{Direction, Limits, Settings};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// The agent: a shell command that reads $AAR_BRIEF and works until it is done; it is run again and again
    #[arg(long, env = "AAR_AGENT_COMMAND")]
    command: String,
    /// Files it needs in the private folder, a JSON object from path to text
    #[arg(long, env = "AAR_AGENT_FILES", default_value = "{}")]
    files: String,
    /// The unix socket of a model's gateway; $AAR_LLM_URL then leads there
    #[arg(long, env = "AAR_LLM_SOCKET")]
    llm_socket: Option<PathBuf>,
    /// The loopback port of that address; 0 for any free one
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// A starting direction in place of the study's; `none` for no direction at all
    #[arg(long, env = "AAR_DIRECTION")]
    direction: Option<String>,
    /// When to stop, in milliseconds since the epoch
    #[arg(long, env = "AAR_ENDS_MS")]
    ends_ms: Option<u64>,
    /// Until then nothing of others is shown, in milliseconds since the epoch
    #[arg(long, env = "AAR_FORUM_FROM_MS")]
    forum_from_ms: Option<u64>,
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
    let files = serde_json::from_str(&options.files).map_err(|error| {
        Failure::new(INPUT, format!("AAR_AGENT_FILES: {error}; an object from path to text is needed"))
    })?;
    let model = options.llm_socket.clone().map(|socket| (socket, options.port));
    let agent = Agent { command: options.command.clone(), files, model };
    let settings = Settings {
        work: options.work.clone(),
        data: options.data.clone(),
        lab: super::own_program(),
        direction: Direction::said(options.direction.as_deref()),
        ends_at: options.ends_ms.map(at),
        forum_from: options.forum_from_ms.map(at),
        limits: Limits::default(),
        ..Settings::inside("")
    };
    let token = options.server.token()?.to_owned();
    let hear = Box::new(move |event: &Event| tell(event, json));
    let outside = Outside::new(settings, options.server.client()?, &token, agent, hear)
        .map_err(|error| Failure::new(IO, format!("prepare {}: {error}", options.work.display())))?;
    let ended = outside.run();
    if ended.code == 0 {
        crate::note!("the researcher's work is over: {}", ended.why);
        return Ok(());
    }
    Err(Failure::new(ended.code, ended.why).hint("what happened stands in .aar/events.jsonl of the private folder"))
}
