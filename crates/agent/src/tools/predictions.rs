//! `evaluate_predictions`: for studies that hand out their test items and take answers to them.

use super::evaluations::line;
use super::{Answer, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, optional};
use crate::heartbeat::Doing;
use aar_api::evaluation::{EvaluationView, Predictions};
use aar_api::paths;
use aar_api::study::StudyView;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The contract under which it is offered.
pub const CONTRACT: &str = "predictions";
/// Where the items are put.
const ITEMS: &str = "test_items.jsonl";

/// Hand in answers to the test items.
pub const EVALUATE_PREDICTIONS: Tool = Tool {
    name: "evaluate_predictions",
    about: "Hand in one answer, 0 or 1, for every test item, and get the ledger's answer at once. Called without answers it puts the items into \
            test_items.jsonl in your folder, in the order in which answers are wanted, and says how many there are; that costs nothing. Some \
            of the items are scored now, the others at the study's close, and nobody is told which. Each set of answers is charged like a \
            submission; the same set again is the same evaluation.",
    fields: &[
        optional(
            "predictions",
            Kind::Bits,
            "One per item, in order: 1 = the positive label (the first is better, true), 0 = the other.",
        ),
        optional(
            "file",
            Kind::Text,
            "A file with the same, for long lists: a JSON list, one 0 or 1 a line, or, where its name ends in .f32, the margins that `lab predict` wrote.",
        ),
        optional("name", Kind::Text, "Name of the method; `predictions` by default."),
        optional("family", super::submit::FAMILY, "Family of ideas; `other` by default."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(run),
};

fn run(platform: &Platform, arguments: &Arguments) -> Outcome {
    let study: StudyView = platform.get(paths::STUDY)?;
    if study.contract != CONTRACT {
        return Err(Wrong(format!("This study takes {}, not predictions: use submit.", study.contract)));
    }
    let answers = match (arguments.bits("predictions"), arguments.given("file")) {
        (Some(bits), None) => bits,
        (None, Some(file)) => read(platform, file)?,
        (None, None) => return hand_out(platform),
        (Some(_), Some(_)) => return Err(Wrong("Give `predictions` or `file`, not both.".into())),
    };
    let predictions = Predictions {
        key: hex::encode(Sha256::digest(&answers)),
        answers,
        name: arguments.given("name").unwrap_or("predictions").to_owned(),
        family: arguments.given("family").unwrap_or("other").to_owned(),
    };
    let view: EvaluationView = platform.post(paths::PREDICTIONS, &predictions)?;
    let data = serde_json::to_value(&view).unwrap_or_default();
    Ok(Answer::from(format!("Evaluation {}", line(&platform.fence, &view))).with(data))
}

fn hand_out(platform: &Platform) -> Outcome {
    let items: Vec<Value> = platform.get(paths::ITEMS)?;
    let path = platform.path(ITEMS);
    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    std::fs::write(&path, lines).map_err(|error| Wrong(format!("{}: {error}", path.display())))?;
    let count = items.len();
    Ok(Answer::from(format!("{count} test items are in {}: answer them in this order.", path.display()))
        .with(serde_json::json!({"items": count, "file": path})))
}

fn read(platform: &Platform, file: &str) -> Result<Vec<u8>, Wrong> {
    let path = platform.path(file);
    if path.extension().is_some_and(|ending| ending == "f32") {
        return read_margins(&path);
    }
    let text = std::fs::read_to_string(&path).map_err(|error| Wrong(format!("{}: {error}", path.display())))?;
    let listed = serde_json::from_str::<Vec<u8>>(&text).ok();
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).enumerate();
    let number = |(at, line): (usize, &str)| {
        line.trim().parse::<u8>().map_err(|_| Wrong(format!("{}: line {}: 0 or 1 is needed", path.display(), at + 1)))
    };
    listed.map_or_else(|| lines().map(number).collect(), Ok)
}

/// Little-endian float32: the positive label where it is above zero.
fn read_margins(path: &Path) -> Result<Vec<u8>, Wrong> {
    let bytes = std::fs::read(path).map_err(|error| Wrong(format!("{}: {error}", path.display())))?;
    let (margins, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Wrong(format!("{}: {} bytes are no float32 numbers", path.display(), bytes.len())));
    }
    Ok(margins.iter().map(|margin| u8::from(f32::from_le_bytes(*margin) > 0.0)).collect())
}
