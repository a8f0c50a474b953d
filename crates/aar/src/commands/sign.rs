//! `aar sign`: an operator's word on finalists and verdicts, of a study that runs or is over. It is on the study's record.

use crate::commands::ctl::client;
use crate::commands::report::{Reopened, reopen, write_again};
use crate::failure::Failure;
use aar_api::integrity::{Decision, Integrity, Ruling};
use aar_api::paths;
use aar_study::operator::OperatorDoor;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Verdicts and words on record, with their numbers
    List(Study),
    /// Sign a finalist off: its method is what it says it is
    Off(Of),
    /// Refuse one: its rows are shown and not ranked
    Refuse(Of),
    /// Let a verdict fall
    Overturn(Of),
    /// Hear an appeal, and let the verdict stand
    Uphold(Of),
}

#[derive(clap::Args)]
pub struct Study {
    /// The study's directory, running or over
    #[arg(long, default_value = "out/laptop")]
    out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Of {
    /// Number of the evaluation; of the verdict for `overturn` and `uphold`
    number: i64,
    /// Why; everybody can read it
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    study: Study,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let (study, ruling) = match command {
        Command::List(study) => (study, None),
        Command::Off(of) => (&of.study, Some((Decision::SignOff { evaluation: of.number }, of))),
        Command::Refuse(of) => (&of.study, Some((Decision::Refuse { evaluation: of.number }, of))),
        Command::Overturn(of) => (&of.study, Some((Decision::Overturn { verdict: of.number }, of))),
        Command::Uphold(of) => (&of.study, Some((Decision::Uphold { verdict: of.number }, of))),
    };
    let ruling = ruling.map(|(decision, of)| Ruling { decision, reason: of.reason.clone() });
    let found = if OperatorDoor::find(&study.out).is_some() { running(study, ruling)? } else { over(study, ruling)? };
    show(study, &found);
    Ok(())
}

fn running(study: &Study, ruling: Option<Ruling>) -> Result<Integrity, Failure> {
    let client = client(&study.out)?;
    Ok(match ruling {
        Some(ruling) => client.post(paths::INTEGRITY, &ruling)?,
        None => client.get(paths::INTEGRITY)?,
    })
}

/// Of a study that is over: result and report are written again with what was said.
fn over(study: &Study, ruling: Option<Ruling>) -> Result<Integrity, Failure> {
    let opened: Reopened = reopen(&study.out)?;
    if let Some(ruling) = ruling {
        opened.server.rule(ruling).map_err(|error| {
            let next = format!("`aar sign list --out {}` shows what there is", study.out.display());
            Failure::from(aar_study::StudyError::from(error)).hint(next)
        })?;
        write_again(&opened)?;
    }
    Ok(opened.server.snapshot().integrity)
}

fn show(study: &Study, found: &Integrity) {
    if study.json {
        return aar_lab::say!("{}", serde_json::to_string_pretty(found).unwrap_or_default());
    }
    let mut table = crate::show::table(["verdict", "evaluation", "check", "kind", "evidence", "appeal"]);
    for view in &found.verdicts {
        let word = |overturned| if overturned { "overturned" } else { "upheld" };
        table.add_row([
            view.id.to_string(),
            format!("#{}", view.verdict.evaluation),
            view.verdict
                .of
                .map_or(view.verdict.check.name().to_owned(), |of| format!("{} of #{of}", view.verdict.check.name())),
            view.verdict.kind.name().to_owned(),
            view.verdict.evidence.clone(),
            view.appeal
                .as_ref()
                .map_or("–".into(), |appeal| format!("{}: {}", word(appeal.overturned), appeal.reason)),
        ]);
    }
    if found.verdicts.is_empty() {
        aar_lab::say!("no check has found anything");
    } else {
        aar_lab::say!("{table}");
    }
    for word in &found.signatures {
        let said = if word.signed_off { "signed off" } else { "refused" };
        aar_lab::say!("#{} {said}: {}", word.evaluation, word.reason);
    }
    for touch in &found.touches {
        aar_lab::say!("{} looked for labels at {} ({} times)", touch.by, touch.what, touch.times);
    }
}
