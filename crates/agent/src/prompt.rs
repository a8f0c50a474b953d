//! What a model is told: a system prompt that stays the same for a whole session (and so is cached), and a message that opens the
//! session. Nothing that others wrote is in the system prompt; in the opening it is fenced.

use crate::forum::Forum;
use crate::memory::Memory;
use crate::operator;
use crate::settings::{Direction, Settings, spoken};
use crate::tools::{Bench, Platform, Wrong, board, budget, findings, predictions, problem};
use aar_api::evaluation::BoardRow;
use aar_api::forum::Finding;
use aar_api::paths;
use aar_api::study::{Me, StudyView};
use aar_domain::problem::Problem;

const SYSTEM: &str = include_str!("prompt/system.md");
/// What depends on the contract, in three parts: how it is scored, what more is cheating, how something is handed in.
const BUNDLES: &str = include_str!("prompt/bundles.md");
const PREDICTIONS: &str = include_str!("prompt/predictions.md");

/// What server and testbed say at the beginning of a session.
#[derive(Clone, Debug)]
pub struct Briefing {
    /// Who this is.
    pub me: Me,
    /// The study.
    pub study: StudyView,
    /// The problem.
    pub problem: Problem,
}

impl Briefing {
    /// Ask the server, read the testbed.
    pub fn fetch(platform: &Platform) -> Result<Self, Wrong> {
        let problem = problem::read(&platform.settings.data)?;
        Ok(Self { me: platform.me()?, study: platform.get(paths::STUDY)?, problem })
    }
}

/// The system prompt.
pub fn system(briefing: &Briefing, settings: &Settings) -> String {
    let Briefing { me, study, problem } = briefing;
    let contract = if study.contract == predictions::CONTRACT { PREDICTIONS } else { BUNDLES };
    let mut parts = contract.trim_end().split("\n\n---\n\n").map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let template = fill(SYSTEM.trim_end(), &[("{scored}", part()), ("{cheats}", part()), ("{handed_in}", part())]);
    let values = [
        ("{name}", me.name.clone()),
        ("{title}", problem.title.clone()),
        ("{seeds}", study.seeds.to_string()),
        ("{weak}", format!("{:.3}", study.weak)),
        ("{ceiling}", format!("{:.3}", study.ceiling)),
        ("{work}", settings.work.display().to_string()),
        ("{data}", settings.data.display().to_string()),
        ("{direction}", direction(me, settings)),
    ];
    fill(&template, &values)
}

/// Fill each placeholder once, from left to right: a value's own braces stay text.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let value = values.iter().find(|(name, _)| rest.starts_with(name));
        let (text, length) = value.map_or(("{", 1), |(name, value)| (value.as_str(), name.len()));
        out.push_str(text);
        rest = &rest[length..];
    }
    out + rest
}

fn direction(me: &Me, settings: &Settings) -> String {
    let said = match &settings.direction {
        Direction::OfStudy => me.direction.as_deref(),
        Direction::Undirected => None,
        Direction::Said(text) => Some(text.as_str()),
    };
    let mut text = match said {
        Some(direction) => format!(
            "{direction}\n\nThis is a direction, not a task, and the others have other ones. It is for you to find out what is in it; \
             leave it when the evidence points elsewhere."
        ),
        None => "Wherever you think it best.".to_owned(),
    };
    if settings.forum_from.is_some() {
        text.push_str(
            "\n\nThis study begins with a time of work on one's own: until the forum opens (the tool budget says when) you see \
             neither findings nor the board nor others' bundles. What you post before is read by the others when it opens.",
        );
    }
    text
}

/// The message that opens a session.
pub fn opening(session: u32, bench: &mut Bench, memory: &Memory, forum: &Forum) -> String {
    let jobs = bench.running_jobs();
    let platform = &bench.platform;
    let standing =
        budget::standing(platform).unwrap_or_else(|Wrong(why)| format!("(The server could not be asked: {why})"));
    let jobs = if jobs.is_empty() { "none".to_owned() } else { format!("{jobs:?}") };
    let mut parts = vec![format!("Session {session} begins. {standing} Background jobs that run: {jobs}.")];
    if let Some(note) = memory.note() {
        parts.push(format!("# Note from your last session\n\n{note}"));
    }
    let said = operator::messages(platform, 0);
    if let Some(last) = said.last() {
        bench.heard = last.id;
        parts.push(format!("# From the operator\n\n{}", operator::spoken(&said)));
    }
    parts.push(format!("# Your notebook (notebook.md)\n\n{}", memory.notebook()));
    match platform.settings.forum_shut_for() {
        Some(left) => parts.push(format!("# Others\n\nForum and board open in {}.", spoken(left))),
        None => parts.push(others(platform, forum)),
    }
    parts.join("\n\n")
}

/// The top of the board and the newest titles, fenced.
fn others(platform: &Platform, forum: &Forum) -> String {
    let rows: Vec<BoardRow> = platform.get(paths::LEADERBOARD).unwrap_or_default();
    let posts: Vec<Finding> = platform.get(paths::FINDINGS).unwrap_or_default();
    let board = if rows.is_empty() {
        "Nothing has been evaluated yet.".to_owned()
    } else {
        platform.fence.around("the board's first rows; names are their authors' own", &board::table(&rows, 8), 4000)
    };
    let titles: Vec<String> = posts.iter().rev().take(12).map(findings::line).collect();
    let titles = if titles.is_empty() {
        "Nobody has posted yet.".to_owned()
    } else {
        platform.fence.around("titles of the newest findings by several researchers", &titles.join("\n"), 4000)
    };
    format!("# Others\n\n{board}\n\n{} findings, {} of them in forum/ as files.\n{titles}", posts.len(), forum.posts())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_text() {
        let values = [("{a}", "{b}".to_owned()), ("{b}", "x".to_owned())];
        assert_eq!(fill("{a} {b} {c}", &values), "{b} x {c}");
    }
}
