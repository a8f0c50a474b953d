//! `aar export`: a study's evaluations, seeds, findings and comments as tables for other tools.

use crate::commands::report::{Reopened, reopen};
use crate::failure::{CREATE, Failure, USAGE};
use aar_server::pages::TABLES;
use aar_study::directory::write_whole;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// A study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// Tables of comma-separated values
    #[arg(long)]
    csv: bool,
    /// Where to; DIR/export by default
    #[arg(long)]
    out: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    if !options.csv {
        return Err(Failure::new(USAGE, "no form to export in was named").hint("aar export DIR --csv"));
    }
    let Reopened { locked, server, .. } = reopen(&options.directory)?;
    let out = options.out.clone().unwrap_or_else(|| locked.path("export"));
    std::fs::create_dir_all(&out)
        .map_err(|error| Failure::new(CREATE, format!("create {}: {error}", out.display())))?;
    for name in TABLES {
        let text = server.table(name).unwrap_or_default();
        let place = out.join(name);
        write_whole(&place, &text)?;
        // The header is a line too.
        aar_lab::say!("{:18} {:6} rows", place.display(), records(&text).saturating_sub(1));
    }
    Ok(())
}

/// Lines that are not inside quotes.
fn records(text: &str) -> usize {
    let mut quoted = false;
    let ends = |byte: u8| {
        quoted ^= byte == b'"';
        !quoted && byte == b'\n'
    };
    text.bytes().map(ends).filter(|end| *end).count()
}
