//! `evaluation_status`, `evaluations`

use super::{Answer, Outcome, Platform, Run, Tool};
use crate::arguments::{Arguments, Kind, needed};
use crate::fence::{Fence, one_line};
use crate::heartbeat::Doing;
use aar_api::evaluation::{EvaluationView, Feedback};
use aar_api::paths;
use serde_json::json;

/// One evaluation.
pub const EVALUATION_STATUS: Tool = Tool {
    name: "evaluation_status",
    about: "How one of your evaluations stands: queued, running (how many seeds are done), done with the ledger's answer, or failed \
            with the reason and the last lines of your code's output. Where you have `wait`, it waits for the end.",
    fields: &[needed("evaluation", Kind::Integer(1, i64::MAX), "The id that handing in gave.")],
    doing: Doing::Tool,
    run: Run::Platform(status),
};

/// All of them.
pub const EVALUATIONS: Tool = Tool {
    name: "evaluations",
    about: "All your evaluations so far, oldest first, each with its bundle and answer.",
    fields: &[],
    doing: Doing::Tool,
    run: Run::Platform(all),
};

fn status(platform: &Platform, arguments: &Arguments) -> Outcome {
    let view = fetch(platform, arguments.number("evaluation").unwrap_or_default())?;
    Ok(Answer::from(line(&platform.fence, &view)).with(json!(view)))
}

fn all(platform: &Platform, _: &Arguments) -> Outcome {
    let own: Vec<EvaluationView> = platform.get(paths::EVALUATIONS)?;
    let lines: Vec<String> = own.iter().map(|view| line(&platform.fence, view)).collect();
    let text = if lines.is_empty() { "You have submitted nothing yet.".to_owned() } else { lines.join("\n") };
    Ok(Answer::from(text).with(json!({"evaluations": own})))
}

/// One evaluation from the server.
pub fn fetch(platform: &Platform, id: i64) -> Result<EvaluationView, super::Wrong> {
    platform.get(&paths::EVALUATION.replace("{id}", &id.to_string()))
}

/// Has it ended?
pub fn ended(view: &EvaluationView) -> bool {
    ["done", "failed"].contains(&view.status.as_str())
}

/// An evaluation in words. The reason of a failure holds output of code that others may have written, so it is fenced.
pub fn line(fence: &Fence, view: &EvaluationView) -> String {
    let state = match (&view.feedback, &view.reason) {
        (Some(feedback), _) => spoken(feedback),
        (None, Some(reason)) => format!("failed:\n{}", fence.around("output of the bundle's code", reason, 4000)),
        (None, None) if ended(view) => "done; the ledger of released bits is spent, so there is no answer".to_owned(),
        (None, None) => format!("{}, {} of {} seeds", view.status, view.seeds_done, view.seeds),
    };
    format!("#{} {} (bundle {}, {}): {state}", view.id, one_line(&view.name, 200), view.bundle, view.family)
}

/// What the ledger answered.
pub fn spoken(feedback: &Feedback) -> String {
    match feedback.pgr {
        Some(pgr) => format!("PGR about {pgr:.2} (a step of {:.2}, not a measurement)", feedback.step),
        None => "PGR undefined: the gap is not clearly positive".to_owned(),
    }
}
