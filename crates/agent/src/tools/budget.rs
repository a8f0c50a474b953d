//! `budget`

use super::evaluations::{ended, line};
use super::{Answer, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::Arguments;
use crate::heartbeat::Doing;
use crate::settings::spoken;
use aar_api::evaluation::EvaluationView;
use aar_api::paths;
use serde_json::json;

/// What is left.
pub const BUDGET: Tool = Tool {
    name: "budget",
    about: "What is left: your evaluations, the time on the clock, and which of your evaluations are still being worked on. Tokens and \
            dollars are metered for the whole team outside; when they are spent, the study ends for all.",
    fields: &[],
    doing: Doing::Tool,
    run: Run::Platform(run),
};

fn run(platform: &Platform, _: &Arguments) -> Outcome {
    let me = platform.me()?;
    let left = platform.settings.time_left();
    let data = json!({
        "evaluations_left": me.evaluations_left,
        "evaluations_used": me.evaluations_used,
        "seconds_left": left.map(|left| left.as_secs()),
    });
    Ok(Answer::from(standing(platform)?).with(data))
}

/// What is left, in words.
pub fn standing(platform: &Platform) -> Result<String, Wrong> {
    let me = platform.me()?;
    let own: Vec<EvaluationView> = platform.get(paths::EVALUATIONS)?;
    let clock =
        platform.settings.time_left().map_or("no clock".to_owned(), |left| format!("{} on the clock", spoken(left)));
    let pending: Vec<String> = own.iter().filter(|view| !ended(view)).map(|view| line(&platform.fence, view)).collect();
    let pending = if pending.is_empty() { "none".to_owned() } else { pending.join("; ") };
    let shut = platform.settings.forum_shut_for();
    let forum = shut.map_or(String::new(), |left| format!(" The forum opens in {}.", spoken(left)));
    Ok(format!(
        "Evaluations: {} left, {} used. Time: {clock}. Being evaluated: {pending}.{forum}",
        me.evaluations_left, me.evaluations_used
    ))
}
