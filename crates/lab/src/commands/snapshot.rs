//! `lab snapshot`

use super::print_json;
use crate::cli::Server;
use crate::failure::{CREATE, Failure, INPUT};
use aar_api::bundle::Bundle;
use aar_api::paths;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
    if options.out.exists() {
        return Err(
            Failure::new(CREATE, format!("{} exists already", options.out.display())).hint("choose a new folder")
        );
    }
    let bundle: Bundle = options.server.client()?.get(&paths::BUNDLE.replace("{id}", &options.bundle))?;
    // The server checked it when it was stored; what comes over the wire is checked again before paths are made of it.
    bundle.check().map_err(|error| Failure::new(INPUT, format!("bundle {}: {error}", options.bundle)))?;
    for file in &bundle.files {
        write(&options.out.join(&file.path), &hex::decode(&file.hex).unwrap_or_default(), file.executable)?;
    }
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

fn write(path: &Path, bytes: &[u8], executable: bool) -> Result<(), Failure> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Failure::io("create", parent))?;
    }
    std::fs::write(path, bytes).map_err(Failure::io("write", path))?;
    let mode = if executable { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(Failure::io("set the mode of", path))
}
