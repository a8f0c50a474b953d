//! `lab snapshot`

use super::print_json;
use crate::cli::Server;
use crate::failure::Failure;
use aar_api::bundle::Bundle;
use aar_api::paths;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// The bundle, as `lab leaderboard --json` or `lab status --json` gives it
    bundle: String,
    /// A new folder for it
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let bundle: Bundle = options.server.client()?.get(&paths::BUNDLE.replace("{id}", &options.bundle))?;
    bundle.unpack(&options.out)?;
    let names: Vec<&str> = bundle.files.iter().map(|file| file.path.as_str()).collect();
    if json {
        print_json(&names);
    } else {
        crate::say!(
            "{} in {}\nnext: change it, then lab submit {} --parent {}",
            names.join(", "),
            options.out.display(),
            options.out.display(),
            options.bundle
        );
    }
    Ok(())
}
