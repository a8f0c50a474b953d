//! `lab mcp`

use crate::cli::Server;
use crate::failure::{Failure, INTERNAL};
use aar_agent::settings::Settings;
use aar_agent::tools::Platform;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// Where snapshots are put and relative paths begin
    #[arg(long, env = "AAR_WORK", default_value = ".")]
    work: PathBuf,
    /// Folder with problem.json, pool.jsonl, weak.jsonl and student/
    #[arg(long, env = "AAR_DATA", default_value = "/data")]
    data: PathBuf,
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let settings = Settings {
        work: options.work.clone(),
        data: options.data.clone(),
        lab: super::own_program(),
        ..Settings::inside("")
    };
    let platform = Platform::new(settings, options.server.client()?, options.server.token()?);
    aar_agent::mcp::serve_stdio(platform).map_err(|error| Failure::new(INTERNAL, error.to_string()))
}
