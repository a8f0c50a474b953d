//! `aar regrade`: the leaderboard again from the stored margins and the truth, compared with what was published.

use crate::commands::report::{Reopened, reopen};
use crate::failure::{Failure, INPUT, NOT_HELD};
use aar_study::{StudyError, regrade, result};
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
    let Reopened { plan, locked, testbed, server } = reopen(&options.directory)?;
    let path = locked.path("result.json");
    let wrong = |detail: String| Failure::new(INPUT, format!("{}: {detail}", path.display()));
    let text = std::fs::read_to_string(&path)
        .map_err(|source| StudyError::File { step: "read", path: path.clone(), source })
        .map_err(Failure::from)?;
    let published: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    // Through text, as the published one went.
    let regraded = serde_json::to_string(&result::of(&server, &plan, &testbed.record)).unwrap_or_default();
    let regraded: serde_json::Value = serde_json::from_str(&regraded).map_err(|error| wrong(error.to_string()))?;
    let found = regrade::differences(&published, &regraded);
    let rows = regraded["leaderboard"].as_array().map_or(0, Vec::len);
    if options.json {
        let report = serde_json::json!({"rows": rows, "same": found.is_empty(), "differences": found});
        aar_lab::say!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        let show = |value: &Option<serde_json::Value>| value.as_ref().map_or("absent".into(), ToString::to_string);
        for difference in &found {
            let (published, regraded) = (show(&difference.published), show(&difference.regraded));
            aar_lab::say!("{}: published {published}, the stored margins give {regraded}", difference.place);
        }
        if found.is_empty() {
            aar_lab::say!(
                "{rows} rows of the leaderboard and all that is said of them follow exactly from the stored margins"
            );
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let values = if found.len() == 1 { "1 value differs".into() } else { format!("{} values differ", found.len()) };
    Err(Failure::new(NOT_HELD, format!("{}: {values}", path.display()))
        .hint("`aar audit verify` says whether the log was changed; `aar report` writes the result again from it"))
}
