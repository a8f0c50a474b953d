//! `lab leaderboard`

use super::{print_json, table};
use crate::cli::Server;
use crate::failure::Failure;
use aar_api::evaluation::BoardRow;
use aar_api::paths;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let rows: Vec<BoardRow> = options.server.client()?.get(paths::LEADERBOARD)?;
    if json {
        print_json(&rows);
        return Ok(());
    }
    let lines = rows.iter().map(|row| {
        let pgr = row.feedback.pgr.map_or("undefined".into(), |pgr| format!("{pgr:.2}"));
        let bundle = row.bundle.get(..8).unwrap_or(&row.bundle).to_owned();
        let name = match &row.mark {
            Some(mark) => format!("{} (not ranked: {mark})", row.name),
            None => row.name.clone(),
        };
        vec![pgr, name, row.by.clone(), row.family.clone(), format!("#{}", row.evaluation), bundle]
    });
    crate::say!("{}", table(&["PGR, about", "method", "by", "family", "evaluation", "bundle"], lines.collect()));
    if let Some(row) = rows.first() {
        crate::say!(
            "\nsteps of {:.2}, not measurements; a difference of less than a few steps says nothing",
            row.feedback.step
        );
        crate::say!("build on one: lab snapshot {} --out DIR", row.bundle);
    }
    Ok(())
}
