//! A language model in a study that hands out its test items: it does what its prompt tells it, to the letter.

use crate::{KEY, confined, model, run};
use aar_llm::conversation::{Block, Request};
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use serde_json::{Value, json};

const STUDY: &str = r#"
name = "answers"
testbed = "harbour"
contract = "predictions"
[team]
hours = 0.5
[evaluation]
seeds = 1
[close]
finalists = 1
seeds = 2
integrity = "none"
[[researchers]]
name = "ada"
kind = "language-model"
evaluations = 1
"#;

/// The commands that the system prompt shows in its section on handing in.
fn commands(system: &str) -> String {
    let section = system.split("# Handing in").nth(1).unwrap().split("\n# ").next().unwrap();
    let lines: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(lines.len() >= 3, "{section}");
    lines.join(" &&\n")
}

/// Take the items, train and answer as the prompt says, hand in, end the session.
fn policy(request: &Request, _: &str) -> Action {
    let blocks: Vec<&Block> = request.messages.iter().flat_map(|message| &message.blocks).collect();
    let results: Vec<&String> = blocks
        .iter()
        .filter_map(|block| if let Block::ToolResult { text, .. } = block { Some(text) } else { None })
        .collect();
    let call = |name: &str, arguments: Value| Action::call(&format!("call-{}", results.len()), name, arguments);
    match results.as_slice() {
        [] => call("evaluate_predictions", json!({})),
        [items] => {
            assert!(items.contains("test items are in"), "{items}");
            call("shell", json!({"command": commands(&request.system), "seconds": 600}))
        }
        [_, said] => {
            assert!(said.contains("operations"), "{said}");
            call("evaluate_predictions", json!({"file": "answers.f32", "name": "plain, by hand"}))
        }
        [.., said] => {
            assert!(said.contains("Evaluation #"), "{said}");
            call("finish_session", json!({"note": "handed in"}))
        }
    }
}

#[test]
fn a_language_model_answers_test_items_as_its_prompt_says() {
    if !confined() {
        return;
    }
    let endpoint = Endpoint::start(KEY, policy).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (said, out) = run(dir.path(), &format!("{STUDY}{}", model(&endpoint.url())));
    let events = std::fs::read_to_string(out.join("researchers/ada/.aar/events.jsonl")).unwrap_or_default();
    assert!(said.status.success(), "{}\n{events}", String::from_utf8_lossy(&said.stderr));
    let result: Value = serde_json::from_slice(&said.stdout).unwrap();
    let rows = result["leaderboard"].as_array().unwrap();
    let row = |rung: &str| rows.iter().find(|row| row["by"] == "ada" && row["rung"] == rung).cloned();
    let graded = row("graded").unwrap_or_else(|| panic!("{events}"));
    assert_eq!((&graded["method"], &graded["kind"]), (&json!("plain, by hand"), &json!("language-model")));
    assert!(
        row("replicated").is_some_and(|row| row["pgr"].is_number()),
        "the other split's answers are scored: {rows:#?}"
    );
    let tools = |request: &Request| request.tools.iter().map(|tool| tool.name.clone()).collect::<Vec<_>>();
    let offered = tools(&endpoint.asked()[0].request);
    assert!(offered.iter().all(|tool| tool != "submit") && offered.iter().any(|tool| tool == "evaluate_predictions"));
}
