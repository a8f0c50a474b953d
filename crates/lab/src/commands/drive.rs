//! `lab drive`

use super::desk::{Desk, close, tell};
use crate::failure::{Failure, INPUT, IO};
use aar_agent::events::Event;
use aar_agent::outside::{Agent, Outside};
use aar_agent::relay::PORT;
use aar_agent::settings::Limits;
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
    #[command(flatten)]
    desk: Desk,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let files = serde_json::from_str(&options.files).map_err(|error| {
        Failure::new(INPUT, format!("AAR_AGENT_FILES: {error}; an object from path to text is needed"))
    })?;
    let model = options.llm_socket.clone().map(|socket| (socket, options.port));
    let agent = Agent { command: options.command.clone(), files, model };
    let settings = options.desk.settings("", Limits::default());
    let token = options.desk.server.token()?.to_owned();
    let hear = Box::new(move |event: &Event| tell(event, json));
    let outside = Outside::new(settings, options.desk.server.client()?, &token, agent, hear)
        .map_err(|error| Failure::new(IO, format!("prepare {}: {error}", options.desk.work.display())))?;
    close(outside.run())
}
