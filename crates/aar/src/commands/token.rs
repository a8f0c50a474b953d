//! `aar token`: let somebody's own agent, or a person, work on a running study.

use crate::commands::ctl::{client, door};
use crate::failure::Failure;
use aar_api::operator::{Joined, NewParticipant};
use aar_api::paths;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a token; it is shown this once
    Add(Options),
}

#[derive(clap::Args)]
pub struct Options {
    /// Who it is for; letters, digits and dashes
    name: String,
    /// The running study's directory
    #[arg(long, default_value = "out/laptop")]
    out: PathBuf,
    /// `person` or `command` (an agent)
    #[arg(long, default_value = "person")]
    kind: String,
    /// Evaluations it may use; the team's ledger grows by as many
    #[arg(long, default_value_t = 10)]
    evaluations: u32,
    /// A starting direction
    #[arg(long)]
    direction: Option<String>,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let Command::Add(options) = command;
    let door = door(&options.out)?;
    let body = NewParticipant {
        name: options.name.clone(),
        kind: options.kind.clone(),
        evaluations: options.evaluations,
        direction: options.direction.clone(),
    };
    let joined: Joined = client(&options.out)?.post(paths::PARTICIPANTS, &body)?;
    let api = door.http.as_deref().unwrap_or(&door.api);
    if options.json {
        let text = serde_json::json!({"name": joined.name, "token": joined.token, "api": api, "data": door.data});
        aar_lab::say!("{}", serde_json::to_string_pretty(&text).unwrap_or_default());
        return Ok(());
    }
    // What a shell can take as it is.
    aar_lab::say!("export AAR_API={api}\nexport AAR_TOKEN={}\nexport AAR_DATA={}", joined.token, door.data.display());
    aar_lab::note!(
        "{} has {} evaluations; with these set, `aar lab try RECIPE` and `aar lab submit RECIPE` work. The token is not shown again",
        joined.name,
        options.evaluations
    );
    Ok(())
}
