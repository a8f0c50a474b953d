//! `docs/researcher` says what a model is told, so that it is reviewed like code.

mod double;

use aar_agent::arguments::{Field, Kind};
use aar_agent::prompt::{Briefing, system};
use aar_agent::settings::{Direction, Settings};
use aar_agent::tools::{Run, TOOLS};
use aar_api::study::{Me, StudyView};
use aar_domain::directions::DIRECTIONS;
use std::path::Path;

const AGAIN: &str = "AAR_WRITE_DOCS=1 cargo test -p aar-agent --test docs";

fn briefing(contract: &str) -> Briefing {
    let me = serde_json::json!({"name": "ada", "role": "researcher", "kind": "agent", "direction": DIRECTIONS[4], "evaluations_left": 20,
        "evaluations_used": 0, "seed": 7, "turns": false, "receipt": {"height": 1, "head": "00"}});
    let me: Me = serde_json::from_value(me).unwrap();
    let study = StudyView {
        name: "team".into(),
        testbed: "harbour".into(),
        subject: "chat".into(),
        contract: contract.into(),
        phase: "running".into(),
        seeds: 3,
        weak: 0.561,
        ceiling: 0.842,
        baselines: vec!["plain".into()],
    };
    Briefing { me, study, problem: serde_json::from_str(double::PROBLEM).unwrap() }
}

fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/researcher").join(name);
    if std::env::var_os("AAR_WRITE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/researcher/{name} is not what the code says; write it again with {AGAIN} and read the difference"
    );
}

#[test]
fn the_system_prompt() {
    let shown = |file: &str, contract: &str, about: &str| {
        let prompt = system(&briefing(contract), &Settings::inside("a-model"));
        check(file, &format!("<!-- Made by {AGAIN} -->\n\n{about}\n\n~~~text\n{prompt}\n~~~\n"));
        assert!(prompt.len() < 10_000, "short: {}", prompt.len());
        assert!(!prompt.contains("{"), "no placeholder is left");
        prompt
    };
    let bundles = shown(
        "prompt.md",
        "bundles",
        "The system prompt of a researcher named ada with three seeds on the world that ships; the fifth direction.\n\
         Its text is `crates/agent/src/prompt/system.md`, with the parts of `bundles.md`.",
    );
    let predictions = shown(
        "prompt-predictions.md",
        "predictions",
        "The same where the study file says `contract = \"predictions\"`: test items are handed out, and answers to them come in. The parts\n\
         that differ are `crates/agent/src/prompt/predictions.md`.",
    );
    assert!(bundles.contains("# A bundle") && !bundles.contains("test_items.jsonl"));
    // What does not hold there is not said there.
    assert!(predictions.contains("evaluate_predictions") && predictions.contains("test_items.jsonl"));
    for elsewhere in ["You submit a bundle", "AAR_IN", "hidden test items"] {
        assert!(bundles.contains(elsewhere) && !predictions.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn the_directions_and_modes() {
    let last = |settings: &Settings, briefing: &Briefing| {
        let prompt = system(briefing, settings);
        prompt.rsplit_once("# Where to start\n\n").unwrap().1.to_owned()
    };
    let mut text = format!(
        "<!-- Made by {AGAIN} -->\n\nHow the system prompt ends. The nine directions are `aar_domain::directions`; kind `search` reads the same.\n"
    );
    for (number, direction) in DIRECTIONS.iter().enumerate() {
        let settings = Settings { direction: Direction::Said((*direction).into()), ..Settings::inside("m") };
        let shown = last(&settings, &briefing("bundles"));
        assert!(shown.starts_with(direction));
        text.push_str(&format!("\n## Direction {}\n\n{}\n", number + 1, shown.trim_end()));
    }
    let undirected = Settings { direction: Direction::Undirected, ..Settings::inside("m") };
    text.push_str(&format!("\n## Undirected\n\n{}\n", last(&undirected, &briefing("bundles")).trim_end()));
    let cold = Settings { forum_from: Some(std::time::SystemTime::UNIX_EPOCH), ..Settings::inside("m") };
    text.push_str(&format!(
        "\n## Cold start (with the study's direction)\n\n{}\n",
        last(&cold, &briefing("bundles")).trim_end()
    ));
    check("directions.md", &text);
}

#[test]
fn the_tools() {
    let mut text = format!(
        "<!-- Made by {AGAIN} -->\n\nEvery tool as a model gets to read it. Those marked *platform* are offered over MCP too (`lab mcp`); an outside\n\
         agent brings its own in place of the others. Where a study hands out its test items, `evaluate_predictions` is offered in place of `submit`.\n"
    );
    for tool in TOOLS {
        let place = if matches!(tool.run, Run::Platform(_)) { " (platform)" } else { "" };
        text.push_str(&format!("\n## {}{place}\n\n{}\n", tool.name, tool.about));
        if !tool.fields.is_empty() {
            text.push_str("\n| argument | | is |\n|---|---|---|\n");
        }
        for Field { name, kind, required, about } in tool.fields {
            let needed = if *required { "needed" } else { "" };
            text.push_str(&format!("| `{name}` ({}) | {needed} | {about} |\n", kind_name(kind)));
        }
    }
    check("tools.md", &text);
}

fn kind_name(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Integer(..) => "integer".into(),
        Kind::Flag => "true or false".into(),
        Kind::Choice(choices) => choices.join(", "),
        Kind::Bits => "list of 0 and 1".into(),
    }
}
