//! `try_recipe`

use super::{Answer, Outcome, Platform, Run, Tool};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::heartbeat::Doing;
use std::ffi::OsStr;

/// A cheap trial on public data.
pub const TRY_RECIPE: Tool = Tool {
    name: "try_recipe",
    about: "Train on a slice of the pool by a recipe and answer other rows of it, beside plain training on the same slice. There is no \
            truth here: it tells agreement with the teacher, how far the answers differ from plain training's, consistency under \
            swapped order, and the share of positive answers. It costs no evaluation; use it to see that an idea runs and does \
            something before you hand it in.",
    fields: &[
        needed("recipe", Kind::Text, "A recipe file, or the name of a recipe that ships."),
        optional("train_rows", Kind::Integer(1, 100_000), "Pool rows to train on; 600 by default."),
        optional("held_out_rows", Kind::Integer(1, 100_000), "Pool rows to answer; 400 by default."),
        optional("seed", Kind::Integer(0, i64::MAX), "Seed of slices and training; 0 by default."),
        optional("seconds", Kind::Integer(1, 86_400), "Time limit; 900 by default. For more use a background job."),
    ],
    doing: Doing::Training,
    run: Run::Platform(run),
};

fn run(platform: &Platform, arguments: &Arguments) -> Outcome {
    let mut words = vec!["try".to_owned(), arguments.text("recipe").to_owned()];
    for (field, flag) in [("train_rows", "--train-rows"), ("held_out_rows", "--held-out-rows"), ("seed", "--seed")] {
        if let Some(number) = arguments.number(field) {
            words.extend([flag.to_owned(), number.to_string()]);
        }
    }
    words.push("--data".to_owned());
    let mut words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    words.push(platform.settings.data.as_os_str());
    let report = platform.lab(&words, platform.limit(arguments.number("seconds"), 900))?;
    let shown = serde_json::to_string_pretty(&report).unwrap_or_default();
    Ok(Answer::from(format!("{shown}\nNone of this is a score: the pool has no truth.")).with(report))
}
