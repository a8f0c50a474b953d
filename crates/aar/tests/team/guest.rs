//! Somebody else's agent in a team: a script that asks a model by an ordinary address.

use crate::accounts::{the_key_is_nowhere, usage};
use crate::{KEY, confined, model, run};
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use serde_json::Value;
use std::path::Path;

/// Asks a model by an ordinary address which recipe to submit, and submits it.
const GUEST: &str = r#"
name = "guests"
testbed = "harbour"
[team]
hours = 0.5
[evaluation]
seeds = 1
baselines = ["plain"]
[close]
finalists = 1
seeds = 2
integrity = "none"
[agents.guest]
wire = "messages"
files = { "question.txt" = "Which recipe?" }
command = """
exec python3 -c '
import json, os, subprocess, urllib.request
asked = open(os.environ["AAR_BRIEF"]).read() + open("question.txt").read()
body = {"model": "some-helper-model", "max_tokens": 500, "messages": [{"role": "user", "content": asked}]}
head = {"x-api-key": os.environ["AAR_TOKEN"], "content-type": "application/json", "anthropic-version": "2023-06-01"}
request = urllib.request.Request(os.environ["AAR_LLM_URL"] + "/v1/messages", json.dumps(body).encode(), head)
answer = json.load(urllib.request.urlopen(request, timeout=60))
subprocess.run(["lab", "submit", answer["content"][0]["text"]], check=True)
open("/srv/testbed/labels/feedback.jsonl").read(20)
'
"""
[[researchers]]
name = "guest"
kind = "command"
agent = "guest"
evaluations = 1
[[researchers]]
name = "script"
kind = "command"
agent = "script"
evaluations = 1
"#;

#[test]
fn somebody_else_s_agent_works_in_the_same_sandbox() {
    if !confined() {
        return;
    }
    if !Path::new("/usr/bin/python3").exists() {
        return println!("skipped: no Python on this host, and the agent of this test is written in it");
    }
    let endpoint = Endpoint::start(KEY, |request, _| {
        let told = serde_json::to_string(&request.messages).unwrap();
        assert!(told.contains("Which recipe?") && told.contains("Session 1 begins"), "{told}");
        Action::say("confident")
    })
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (said, out) = run(dir.path(), &format!("{GUEST}{}", model(&endpoint.url())));
    let log = std::fs::read_to_string(out.join("researchers/guest/.aar/sessions/1.log")).unwrap_or_default();
    assert!(said.status.success(), "{}\n{log}", String::from_utf8_lossy(&said.stderr));
    let result: Value = serde_json::from_slice(&said.stdout).unwrap();
    let by = |name: &str| result["leaderboard"].as_array().unwrap().iter().find(|row| row["by"] == name).cloned();
    let guest = by("guest").unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&guest["kind"], guest["pgr"].is_number()), (&"command".into(), true), "{guest}");
    assert_eq!(by("script").unwrap()["kind"], "command");
    let spending = |name: &str| {
        let researchers = result["researchers"].as_array().unwrap();
        researchers.iter().find(|researcher| researcher["name"] == name).unwrap()["spending"].clone()
    };
    assert_eq!(usage(&spending("guest")["tokens"]), endpoint.billed());
    assert_eq!(endpoint.asked().len(), 1, "a session whose evaluations are used is not begun again");
    assert!(spending("script").is_null(), "it speaks to no model");
    let touches = result["integrity"]["touches"].as_array().unwrap();
    let touch = |touch: &Value| (touch["by"].as_str().unwrap().to_owned(), touch["what"].as_str().unwrap().to_owned());
    let seen = ("guest".to_owned(), "/srv/testbed/labels/feedback.jsonl, in its own sandbox".to_owned());
    assert_eq!(touches.iter().map(touch).collect::<Vec<_>>(), [seen]);
    the_key_is_nowhere(&out);
}
