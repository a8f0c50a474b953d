//! `aar audit verify`: whether a study's event log is what it was.

use crate::failure::{Failure, NOT_HELD};
use aar_server::audit::{self, Audit};
use aar_study::{StudyError, directory};
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Recompute the hash chain; compare stored bundles and margins, kept heads and receipts with it
    Verify(Options),
}

#[derive(clap::Args)]
pub struct Options {
    /// A study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// A file with receipts kept elsewhere: what `lab submit --json` or `lab status --json` printed
    #[arg(long, value_name = "FILE")]
    receipt: Vec<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let Command::Verify(options) = command;
    // Says what is wrong with a directory that is none, or of a newer version.
    directory::read(&options.directory)?;
    let log = options.directory.join("study.db");
    let audit = audit::verify(&log, &options.receipt).map_err(StudyError::from)?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&audit).unwrap_or_default());
    } else {
        print(&audit);
    }
    match audit.faults.len() {
        0 => Ok(()),
        faults => Err(Failure::new(NOT_HELD, format!("{}: the log does not hold ({faults} found)", log.display()))
            .hint("a score that rests on a changed log is worth nothing; ask whoever holds receipts")),
    }
}

fn print(audit: &Audit) {
    let Audit { events, head, blobs, heads, receipts, faults } = audit;
    aar_lab::say!("{events} events, {blobs} bundles and margins; {heads} kept heads and {receipts} receipts compared");
    aar_lab::say!("the chain holds up to event {}: {}", head.height, head.head);
    for fault in faults {
        let place = fault.event.map_or(String::new(), |event| format!("event {event} "));
        aar_lab::say!("{place}{}", fault.what);
    }
    if faults.is_empty() && *receipts == 0 {
        aar_lab::say!(
            "whoever could change the log could change the heads beside it: --receipt compares with what others kept"
        );
    }
}
