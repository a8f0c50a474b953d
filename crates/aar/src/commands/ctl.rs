//! `aar ctl`: change the course of a running study. Everything is on the study's record before it happens.

use crate::failure::{Failure, USAGE};
use aar_api::client::Client;
use aar_api::operator::{Instruct, Instruction, Member};
use aar_api::paths;
use aar_study::operator::OperatorDoor;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Who works on the study, and how far everybody is
    List(Study),
    /// Let a researcher stand still; its processes are frozen
    Pause(Whom),
    /// Let it go on
    Resume(Whom),
    /// End a researcher; what it submitted counts
    Stop(Whom),
    /// Send a message
    Say {
        #[command(flatten)]
        whom: Whom,
        /// The message
        #[arg(long)]
        text: String,
    },
    /// Grant more evaluations; the study then no longer compares equal budgets, and says so
    Budget {
        #[command(flatten)]
        whom: Whom,
        /// How many more
        #[arg(long)]
        evaluations: u32,
    },
    /// Take no more submissions and begin the close
    Close(Study),
}

#[derive(clap::Args)]
pub struct Study {
    /// The running study's directory
    #[arg(long, default_value = "out/laptop")]
    out: PathBuf,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Whom {
    /// The researcher
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// All researchers
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    study: Study,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let (study, whom, instruction) = match command {
        Command::List(study) => return list(study),
        Command::Close(study) => (study, None, Instruction::Close),
        Command::Pause(whom) => (&whom.study, whom.name.clone(), Instruction::Pause),
        Command::Resume(whom) => (&whom.study, whom.name.clone(), Instruction::Resume),
        Command::Stop(whom) => (&whom.study, whom.name.clone(), Instruction::Stop),
        Command::Say { whom, text } => (&whom.study, whom.name.clone(), Instruction::Say { text: text.clone() }),
        Command::Budget { whom, evaluations } => {
            (&whom.study, whom.name.clone(), Instruction::Budget { evaluations: *evaluations })
        }
    };
    let body = Instruct { researcher: whom, instruction };
    let members: Vec<Member> = client(&study.out)?.post(paths::INSTRUCTIONS, &body)?;
    show(study, &members);
    Ok(())
}

fn list(study: &Study) -> Result<(), Failure> {
    let members: Vec<Member> = client(&study.out)?.get(paths::PARTICIPANTS)?;
    show(study, &members);
    Ok(())
}

/// A client of the study that runs in this directory.
pub fn client(out: &Path) -> Result<Client, Failure> {
    let door = door(out)?;
    Ok(Client::new(&door.api.parse()?, &door.token)?)
}

/// The way to the study that runs in this directory.
pub fn door(out: &Path) -> Result<OperatorDoor, Failure> {
    OperatorDoor::find(out).ok_or_else(|| {
        Failure::new(USAGE, format!("no study is running in {}", out.display()))
            .hint("--out names the directory of a study that `aar run` or `aar serve` is at work on")
    })
}

fn show(study: &Study, members: &[Member]) {
    if study.json {
        return aar_lab::say!("{}", serde_json::to_string_pretty(members).unwrap_or_default());
    }
    let mut table = crate::show::table([
        "researcher",
        "kind",
        "state",
        "evaluations",
        "under way",
        "findings",
        "decoys touched",
        "not ranked",
    ]);
    for member in members {
        table.add_row([
            member.name.clone(),
            member.kind.clone(),
            member.state.clone(),
            format!("{} of {}", member.evaluations_used, member.evaluations_used + member.evaluations_left),
            member.open.to_string(),
            member.findings.to_string(),
            member.cheating.decoys.to_string(),
            member.cheating.marked.to_string(),
        ]);
    }
    aar_lab::say!("{table}");
}
