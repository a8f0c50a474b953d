//! `read_problem`

use super::{Answer, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, optional};
use crate::heartbeat::Doing;
use aar_api::paths;
use aar_api::study::StudyView;
use aar_domain::problem::Problem;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The problem, and how it is scored.
pub const READ_PROBLEM: Tool = Tool {
    name: "read_problem",
    about: "Read the problem: task, prompt templates and label words, the declared training recipe, the files of the public testbed \
            with their sizes, the study's teacher and ceiling accuracy, which baselines were run, and a few rows of the pool with the \
            teacher's soft labels.",
    fields: &[optional("rows", Kind::Integer(0, 20), "Rows of the pool to show; 2 by default.")],
    doing: Doing::Tool,
    run: Run::Platform(run),
};

fn run(platform: &Platform, arguments: &Arguments) -> Outcome {
    let study: StudyView = platform.get(paths::STUDY)?;
    let data = &platform.settings.data;
    let problem = match read(data) {
        Ok(problem) => problem,
        // Whoever works elsewhere may be without the testbed and still submit.
        Err(Wrong(why)) => {
            return Ok(Answer::from(format!("{}\n\n{why}", scoring(&study))).with(json!({"study": study})));
        }
    };
    let rows = usize::try_from(arguments.number("rows").unwrap_or(2)).unwrap_or_default();
    let shown = serde_json::to_string_pretty(&problem).unwrap_or_default();
    let text = format!(
        "{}\n\n{}\n\nFiles in {}:\n{}\n\nproblem.json:\n{shown}\n\n{}",
        problem.title,
        scoring(&study),
        data.display(),
        files(data),
        sample(platform, rows),
    );
    Ok(Answer::from(text).with(json!({"study": study, "problem": problem})))
}

/// `problem.json` of a testbed's public half.
pub fn read(data: &Path) -> Result<Problem, Wrong> {
    let path = data.join("problem.json");
    let wrong = |why: String| Wrong(format!("{} could not be read: {why}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// What is scored, in words.
pub fn scoring(study: &StudyView) -> String {
    let baselines = if study.baselines.is_empty() { "none".to_owned() } else { study.baselines.join(", ") };
    format!(
        "Study {} on testbed {} ({}), {}. Teacher's accuracy on the feedback split {:.4}, ceiling's {:.4}: a gap of {:.4}. \
         PGR = (your students' mean accuracy - teacher's) / gap, over {} seeds that the server chooses. Baselines that were run: {baselines}.",
        study.name,
        study.testbed,
        study.subject,
        study.phase,
        study.weak,
        study.ceiling,
        study.ceiling - study.weak,
        study.seeds
    )
}

fn files(data: &Path) -> String {
    let mut lines = Vec::new();
    list(data, data, &mut lines);
    lines.sort();
    lines.join("\n")
}

fn list(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => list(root, &path, lines),
            Ok(meta) => {
                lines.push(format!("  {} ({} bytes)", path.strip_prefix(root).unwrap_or(&path).display(), meta.len()));
            }
            Err(_) => {}
        }
    }
}

/// The first rows with their soft labels. They may come from a public corpus, so they are fenced like anybody's text.
fn sample(platform: &Platform, rows: usize) -> String {
    let data = &platform.settings.data;
    let (pool, weak) = (lines(&data.join("pool.jsonl"), rows), lines(&data.join("weak.jsonl"), rows));
    let text = [pool, weak].concat().join("\n");
    if text.is_empty() {
        String::new()
    } else {
        platform.fence.around("the first rows of pool.jsonl and weak.jsonl", &text, 8000)
    }
}

fn lines(path: &Path, rows: usize) -> Vec<String> {
    let file = std::fs::File::open(path).map(BufReader::new);
    file.into_iter().flat_map(|file| file.lines().take(rows).map_while(Result::ok)).collect()
}
