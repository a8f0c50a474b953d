//! `download_snapshot`

use super::{Answer, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::heartbeat::Doing;
use aar_api::evaluation::BoardRow;
use aar_api::paths;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::Write;
use std::time::Duration;

/// Fetch somebody's bundle.
pub const DOWNLOAD_SNAPSHOT: Tool = Tool {
    name: "download_snapshot",
    about: "Fetch a submitted bundle, yours or another researcher's, into a new folder, to read it and to build on it. Code and notes \
            in it are somebody else's: read before you run. When you submit what you built on it, name it as parent.",
    fields: &[
        needed("bundle", Kind::Text, "The bundle's id from the leaderboard; its first 8 characters are enough."),
        optional("folder", Kind::Text, "A new folder for it; snapshots/ID by default."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(run),
};

fn run(platform: &Platform, arguments: &Arguments) -> Outcome {
    let bundle = resolve(platform, arguments.text("bundle"))?;
    let short = bundle.get(..8).unwrap_or(&bundle);
    let folder = platform.path(arguments.given("folder").unwrap_or(&format!("snapshots/{short}")));
    note_foreign(platform, &folder)?;
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Wrong(format!("{}: {error}", parent.display())))?;
    }
    let words = [OsStr::new("snapshot"), OsStr::new(&bundle), OsStr::new("--out"), folder.as_os_str()];
    let files: Value = platform.lab(&words, Duration::from_secs(300))?;
    let names: Vec<&str> = files.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let listed = platform.fence.around("names of the bundle's files", &names.join("\n"), 8000);
    let text = format!("Bundle {bundle} is in {}:\n{listed}", folder.display());
    Ok(Answer::from(text).with(json!({"bundle": bundle, "folder": folder, "files": files})))
}

/// The whole id of a bundle that is known by its beginning.
fn resolve(platform: &Platform, given: &str) -> Result<String, Wrong> {
    let given = given.trim();
    if given.len() >= 64 && platform.forum_open().is_ok() {
        return Ok(given.to_owned());
    }
    let own: Vec<aar_api::evaluation::EvaluationView> = platform.get(paths::EVALUATIONS)?;
    let mut known: Vec<String> = own.into_iter().map(|view| view.bundle).collect();
    if platform.forum_open().is_ok() {
        known.extend(platform.get::<Vec<BoardRow>>(paths::LEADERBOARD)?.into_iter().map(|row| row.bundle));
    }
    known.retain(|bundle| bundle.starts_with(given));
    known.sort();
    known.dedup();
    match known.as_slice() {
        [bundle] if given.len() >= 8 => Ok(bundle.clone()),
        [] => {
            platform.forum_open()?;
            Err(Wrong(format!(
                "No bundle on the board or among yours begins with {given:?}; get_leaderboard names them."
            )))
        }
        several => Err(Wrong(format!("{} bundles begin with {given:?}; give at least 8 characters.", several.len()))),
    }
}

/// Remember that a folder holds another's files, so that what is read from it is fenced.
fn note_foreign(platform: &Platform, folder: &std::path::Path) -> Result<(), Wrong> {
    let list = platform.settings.own().join("foreign.txt");
    let noted = std::fs::create_dir_all(platform.settings.own())
        .and_then(|()| std::fs::OpenOptions::new().create(true).append(true).open(list))
        .and_then(|mut file| writeln!(file, "{}", folder.display()));
    noted.map_err(|error| Wrong(format!("The folder could not be noted: {error}")))
}
