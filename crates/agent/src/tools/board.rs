//! `get_leaderboard`

use super::{Answer, Outcome, Platform, Run, Tool};
use crate::arguments::{Arguments, Kind, optional};
use crate::fence::one_line;
use crate::heartbeat::Doing;
use aar_api::evaluation::BoardRow;
use aar_api::paths;
use serde_json::json;

/// The board.
pub const GET_LEADERBOARD: Tool = Tool {
    name: "get_leaderboard",
    about: "The board of all evaluations in this study, best first, as the ledger allows it to be seen: PGR in steps, not \
            measurements, so a difference of less than a few steps says nothing. Each row names its bundle; download_snapshot fetches \
            it, so that you can build on it.",
    fields: &[optional("rows", Kind::Integer(1, 200), "How many rows; 20 by default.")],
    doing: Doing::Tool,
    run: Run::Platform(run),
};

fn run(platform: &Platform, arguments: &Arguments) -> Outcome {
    platform.forum_open()?;
    let rows: Vec<BoardRow> = platform.get(paths::LEADERBOARD)?;
    let most = usize::try_from(arguments.number("rows").unwrap_or(20)).unwrap_or_default();
    let Some(first) = rows.first() else {
        return Ok(Answer::from("Nothing has been evaluated yet.".to_owned()).with(json!({"rows": rows})));
    };
    let table = table(&rows, most);
    let fenced = platform.fence.around("the board; names are their authors' own", &table, 40_000);
    let text = format!("{} rows, steps of {:.2}.\n{fenced}", rows.len(), first.feedback.step);
    // Names are free text and stand in the fence alone.
    let data = rows.iter().take(most).map(|row| {
        json!({"evaluation": row.evaluation, "bundle": row.bundle, "pgr": row.feedback.pgr, "step": row.feedback.step})
    });
    Ok(Answer::from(text).with(json!({"rows": data.collect::<Vec<_>>()})))
}

/// The first rows as lines.
pub fn table(rows: &[BoardRow], most: usize) -> String {
    let lines = rows.iter().take(most).map(|row| {
        let pgr = row.feedback.pgr.map_or("undefined".to_owned(), |pgr| format!("{pgr:.2}"));
        let (name, by) = (one_line(&row.name, 100), one_line(&row.by, 60));
        let mark = row.mark.as_ref().map_or(String::new(), |mark| format!(", not ranked: {mark}"));
        format!("PGR about {pgr}  #{} {name} by {by} ({}{mark}), bundle {}", row.evaluation, row.family, row.bundle)
    });
    lines.collect::<Vec<_>>().join("\n")
}
