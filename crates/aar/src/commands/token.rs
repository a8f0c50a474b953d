//! `aar token`: let somebody's own agent, or a person, work on a running study.

use crate::commands::ctl::{client, door};
use crate::failure::{Failure, USAGE};
use aar_api::operator::{Joined, Member, NewParticipant};
use aar_api::paths;
use aar_domain::rung::Kind;
use aar_study::directory;
use aar_study::key::StudyKey;
use aar_study::operator::OperatorDoor;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a token; it is shown this once
    Add(Options),
    /// The token of a human whom the study file names
    Show(Shown),
}

#[derive(clap::Args)]
pub struct Options {
    /// Who it is for; letters, digits and dashes
    name: String,
    /// The running study's directory
    #[arg(long, default_value = "out/laptop")]
    out: PathBuf,
    /// `human` or `command` (an agent)
    #[arg(long, default_value = "human")]
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

#[derive(clap::Args)]
pub struct Shown {
    /// Whose
    name: String,
    /// The running study's directory
    #[arg(long, default_value = "out/laptop")]
    out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Add(options) => add(options),
        Command::Show(shown) => show(shown),
    }
}

/// Of a human whom the study file names: the study's key, which only its owner can read, gives it.
fn show(shown: &Shown) -> Result<(), Failure> {
    let door = door(&shown.out)?;
    let plan = directory::read(&shown.out)?.plan;
    let humans = plan.researchers.iter().filter(|researcher| researcher.kind == Kind::Human);
    let names: Vec<&str> = humans.map(|human| human.name.as_str()).collect();
    if !names.contains(&shown.name.as_str()) {
        let failure = Failure::new(USAGE, format!("the study file names no human {:?}", shown.name));
        return Err(match names.as_slice() {
            [] => failure.hint("it names none at all; `aar token add NAME` lets one in"),
            names => failure.hint(format!("it names {}", names.join(", "))),
        });
    }
    let members: Vec<Member> = client(&shown.out)?.get(paths::PARTICIPANTS)?;
    let left = members.iter().find(|member| member.name == shown.name).map_or(0, |member| member.evaluations_left);
    let key = StudyKey::read(&shown.out.join("key"))?;
    tell(&door, &Joined { name: shown.name.clone(), token: key.token(&shown.name) }, left, shown.json);
    Ok(())
}

fn add(options: &Options) -> Result<(), Failure> {
    let door = door(&options.out)?;
    let body = NewParticipant {
        name: options.name.clone(),
        kind: options.kind.clone(),
        evaluations: options.evaluations,
        direction: options.direction.clone(),
    };
    let joined: Joined = client(&options.out)?.post(paths::PARTICIPANTS, &body)?;
    tell(&door, &joined, options.evaluations, options.json);
    if !options.json {
        aar_lab::note!("The token is not shown again.");
    }
    Ok(())
}

fn tell(door: &OperatorDoor, joined: &Joined, evaluations: u32, json: bool) {
    let Joined { name, token } = joined;
    let api = door.http.as_deref().unwrap_or(&door.api);
    if json {
        let text = serde_json::json!({"name": name, "token": token, "api": api, "data": door.data});
        return aar_lab::say!("{}", serde_json::to_string_pretty(&text).unwrap_or_default());
    }
    // What a shell can take as it is.
    aar_lab::say!("export AAR_API={api}\nexport AAR_TOKEN={token}\nexport AAR_DATA={}", door.data.display());
    aar_lab::note!(
        "{name} has {evaluations} evaluations. With these set, `aar lab try RECIPE`, `aar lab submit RECIPE`, `aar lab status` and \
         `aar lab forum` work; an agent finds the same tools behind `aar lab mcp`."
    );
}
