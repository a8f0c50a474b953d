//! Five weak models in one study, each with a vice that never ends. Nobody hangs, all is shown and charged, the study ends in order.

use crate::accounts::usage;
use crate::{KEY, confined, run};
use aar_llm::conversation::{Block, Request, Stop};
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Each vice is somebody's name, with what the events show of it.
const VICES: [(&str, &str); 5] = [
    ("unknown-tools", r#""tool":"evaluate_model""#),
    ("prose", r#""arguments":"\"Please submit my best recipe.\"""#),
    ("repetition", r#""event":"nudged""#),
    ("identical-calls", r#""event":"refused""#),
    ("never-returns", r#""tool":"shell""#),
];
/// The whole team's time; what never ends is ended by it.
const HOURS: f64 = 0.008;

fn study_file(url: &str) -> String {
    let one = |(name, _): (&str, &str)| {
        format!("[[researchers]]\nname = \"{name}\"\nkind = \"language-model\"\nevaluations = 1\n")
    };
    format!(
        "name = \"weak\"\ntestbed = \"harbour\"\n[team]\nhours = {HOURS}\nusd = 20.0\n[evaluation]\nseeds = 1\n[close]\nfinalists = 1\n\
         seeds = 2\nintegrity = \"none\"\n[models.m]\nprovider = \"{url}\"\nmodel = \"scripted\"\nwire = \"chat\"\nkey_env = \"AAR_TEST_KEY\"\n\
         price = {{ input = 3.0, output = 15.0 }}\n{}",
        VICES.map(one).concat()
    )
}

fn policy(request: &Request, caller: &str) -> Action {
    // A small model is slow.
    std::thread::sleep(Duration::from_millis(100));
    let at = request.messages.len();
    match caller {
        "unknown-tools" => Action::call(&format!("c{at}"), "evaluate_model", json!({"model": format!("mine-{at}")})),
        "prose" => Action::call(&format!("c{at}"), "submit", Value::String("Please submit my best recipe.".into())),
        "repetition" => {
            let text = "I shall think about a method. ".repeat(400);
            Action::Reply(said(vec![Block::Text { text }], Stop::Length))
        }
        "identical-calls" => {
            let call = |at| Block::ToolCall { id: format!("c{at}"), name: "read_problem".into(), arguments: json!({}) };
            Action::Reply(said((0..40).map(call).collect(), Stop::ToolCalls))
        }
        "never-returns" => Action::call(&format!("c{at}"), "shell", json!({"command": "echo begun; sleep 100000"})),
        other => panic!("{other}"),
    }
}

#[test]
fn five_weak_models_hang_nothing_and_are_charged() {
    if !confined() {
        return;
    }
    let endpoint = Endpoint::start(KEY, policy).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let (said, out) = run(dir.path(), &study_file(&endpoint.url()));
    println!("five weak models took {:.0} s", began.elapsed().as_secs_f64());
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let result: Value = serde_json::from_slice(&said.stdout).unwrap();
    let billed = endpoint.billed_by_caller();
    for (name, shown) in VICES {
        let events = events(&out, name);
        assert!(events.contains(shown), "{name}: {events}");
        assert!(events.lines().last().unwrap_or_default().contains(r#""event":"ended""#), "{name}: {events}");
        let rows = result["researchers"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        assert_eq!(usage(&row["spending"]["tokens"]), billed[name], "{row}");
        assert!(row["spending"]["usd"].as_f64().unwrap() > 0.0 && row["sessions"].as_u64().unwrap() >= 1, "{row}");
        assert_eq!(row["evaluations"], 0, "{row}");
    }
    let identical = events(&out, "identical-calls");
    let run = identical.lines().filter(|line| line.contains(r#""event":"tool-called""#)).count();
    assert!(
        run <= 3 * identical.matches("session-began").count(),
        "of forty identical calls three are run: {identical}"
    );
}

fn events(out: &Path, name: &str) -> String {
    std::fs::read_to_string(out.join(format!("researchers/{name}/.aar/events.jsonl"))).unwrap_or_default()
}
