//! `submit`

use super::evaluations::line;
use super::{Answer, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::heartbeat::Doing;
use aar_api::evaluation::EvaluationView;
use std::ffi::OsStr;
use std::time::Duration;

/// The families of ideas.
pub const FAMILY: Kind = Kind::Choice(&[
    "self-training",
    "ensemble",
    "distillation",
    "data-filtering",
    "confidence-weighting",
    "loss-function",
    "unsupervised-elicitation",
    "curriculum",
    "model-internal",
    "evolutionary",
    "other",
]);

/// Ask for an evaluation.
pub const SUBMIT: Tool = Tool {
    name: "submit",
    about: "Submit a bundle for evaluation: a folder with recipe.toml or an executable `train` (or both), a recipe file, or the name of \
            a recipe that ships. Answers at once with the evaluation's id; the server trains and scores it on several seeds while you \
            work on (evaluation_status tells how it stands). Each submission is charged, also one that fails; the same bundle again is the same \
            evaluation and costs nothing.",
    fields: &[
        needed("bundle", Kind::Text, "A folder, a recipe file, or the name of a recipe that ships."),
        optional("name", Kind::Text, "Name of the method; the recipe's by default."),
        optional("family", FAMILY, "Family of ideas; the recipe's by default."),
        optional("parent", Kind::Text, "The bundle it was built on, all 64 characters, where it was."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(run),
};

fn run(platform: &Platform, arguments: &Arguments) -> Outcome {
    let mut words = vec![OsStr::new("submit"), OsStr::new(arguments.text("bundle"))];
    for (field, flag) in [("name", "--name"), ("family", "--family"), ("parent", "--parent")] {
        if let Some(text) = arguments.given(field) {
            words.extend([OsStr::new(flag), OsStr::new(text)]);
        }
    }
    let answer = platform.lab(&words, Duration::from_secs(300))?;
    let view: EvaluationView = serde_json::from_value(answer.clone())
        .map_err(|error| Wrong(format!("The bench printed what is no evaluation ({error}): {answer}")))?;
    Ok(Answer::from(format!("Evaluation {}", line(&platform.fence, &view))).with(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aar_domain::family::Family;

    #[test]
    fn the_families_are_the_domains() {
        let field = SUBMIT.fields.iter().find(|field| field.name == "family").unwrap();
        let Kind::Choice(choices) = field.kind else { unreachable!("a choice") };
        assert_eq!(choices, Family::ALL.map(Family::name));
    }
}
