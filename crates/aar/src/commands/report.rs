//! `aar report`: a study's result and page, computed again from its event log.

use crate::commands::run::print_result;
use crate::failure::Failure;
use aar_server::{Server, ServerConfig};
use aar_study::{directory, report, result, testbed};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// A study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let file = directory::read(&options.directory)?;
    let (locked, _) = directory::StudyDirectory::open(&options.directory, &file.plan)?;
    let own = locked.path("testbed");
    let path = if own.exists() { own } else { crate::commands::run::shipped_testbed(&file.plan)? };
    let testbed = testbed::open(&path)?;
    let server = Server::start(&ServerConfig {
        log: locked.path("study.db"),
        testbed: testbed.path.clone(),
        socket: None,
        http: None,
    })
    .map_err(aar_study::StudyError::from)?;
    let result = result::of(&server, &file.plan, &testbed.record);
    let page = report::page(&result, &file.plan, &testbed.record, &server);
    let place = locked.path("report.html");
    directory::write_whole(&place, &page)?;
    directory::write_whole(
        &locked.path("result.json"),
        &(serde_json::to_string_pretty(&result).unwrap_or_default() + "\n"),
    )?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&result).unwrap_or_default());
    } else {
        print_result(&result, &place);
    }
    Ok(())
}
