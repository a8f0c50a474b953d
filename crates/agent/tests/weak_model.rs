//! A model that does everything wrong: each is answered with what is right, shown in the events, and survived.

mod double;

use aar_agent::model::ModelError;
use aar_agent::researcher::{FORBIDDEN, NO_TOOLS, UNREACHABLE};
use aar_llm::conversation::{Block, Stop};
use double::{Place, Policy, Server, call, calls, count, last_text, reply, results, spent, text};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn unknown_tools_prose_and_missing_fields_get_an_answer_that_names_what_is_right() {
    let (server, place) = (Server::start(), Place::new());
    let mut heard = Vec::new();
    let mut step = 0;
    let mut model = Policy(|request: &aar_llm::conversation::Request| {
        heard.extend(results(request));
        step += 1;
        match step {
            1 => call("evaluate_model", json!({"model": "mine"})),
            2 => call("submit", Value::String("Please submit my best recipe.".into())),
            3 => call("share_finding", json!({"kind": "result", "title": "it works", "body": "0.9!"})),
            4 => call("read_finding", json!({})),
            5 => call("", json!({})),
            6 => call("evil name; rm -rf", json!([1])),
            7 => call("budget", json!(null)),
            _ => spent(),
        }
    });
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, 0, "{ended:?}");
    let expect = [
        "There is no tool \"evaluate_model\". Did you mean",
        "not a JSON object but text",
        "names the evaluation that backs it",
        "\"finding\" is missing",
        "There is no tool \"\"",
        "There is no tool \"evil name; rm -rf\"",
    ];
    for ((said, is_error), expect) in heard.iter().zip(expect) {
        assert!(*is_error && said.contains(expect), "{said}");
    }
    assert!(!heard[6].1 && heard[6].0.starts_with("Evaluations: 5 left"), "{:?}", heard[6]);
    assert_eq!(count(&events, "tool-called"), 7);
    assert!(!server.state.lock().unwrap().retired, "a budget may be extended");
}

#[test]
fn forty_identical_calls_are_refused_in_words_and_then_end_the_session() {
    let (server, mut place) = (Server::start(), Place::new());
    place.settings.limits.failing_sessions = 2;
    let mut model = Policy(|_: &_| calls(&vec![("read_problem", json!({})); 40]));
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, NO_TOOLS, "{ended:?}");
    assert!(
        ended.why.contains("2 sessions in a row failed") && ended.why.contains("read_problem again and again"),
        "{ended:?}"
    );
    assert_eq!(count(&events, "session-began"), 2);
    assert_eq!(count(&events, "tool-called"), 2 * 3, "three are run in each session");
    assert!(count(&events, "refused") >= 2 * 7);
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["code"]), (&json!("ended"), &json!(NO_TOOLS)));
    assert!(place.read(".aar/state.json").contains("\"ended\""));
}

#[test]
fn endless_text_is_nudged_and_ends_sessions() {
    let (server, mut place) = (Server::start(), Place::new());
    place.settings.limits.failing_sessions = 3;
    let mut nudges = Vec::new();
    let mut model = Policy(|request: &aar_llm::conversation::Request| {
        nudges.push(last_text(request));
        text("I shall now think about what a good method would be.")
    });
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, NO_TOOLS);
    assert!(ended.why.contains("without calling a tool"));
    assert_eq!(count(&events, "answered"), 9);
    assert!(nudges[1].contains("[platform] You called no tool"), "{}", nudges[1]);
    assert!(nudges[3].contains("The last session ended by itself"), "{}", nudges[3]);
}

#[test]
fn empty_cut_off_and_refused_answers() {
    let (server, place) = (Server::start(), Place::new());
    let mut heard = Vec::new();
    let mut step = 0;
    let mut model = Policy(|request: &aar_llm::conversation::Request| {
        heard.push(last_text(request));
        step += 1;
        let half =
            Block::ToolCall { id: "a".into(), name: "write_file".into(), arguments: json!("{\"path\": \"a\", \"cont") };
        match step {
            1 => reply(vec![], Stop::End),
            2 => reply(vec![Block::Text { text: " \n".into() }], Stop::End),
            3 => call("budget", json!({})),
            4 => reply(vec![Block::Text { text: "So long".into() }], Stop::Length),
            5 => reply(vec![half], Stop::Length),
            6 => reply(vec![Block::Text { text: "I can't help with that.".into() }], Stop::Refused),
            _ => spent(),
        }
    });
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, 0);
    assert!(heard[1].contains("Your answer was empty."), "{}", heard[1]);
    assert!(heard[4].contains("it was too long"), "{}", heard[4]);
    assert!(heard[5].contains("not a JSON object but text"), "{}", heard[5]);
    let ends: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "session-ended").map(|event| &event["why"]).collect();
    assert_eq!(ends[0], "the model refused to go on");
}

#[test]
fn a_subprocess_that_never_returns_is_ended_at_its_limit_and_a_background_job_is_not_waited_for() {
    let (server, place) = (Server::start(), Place::new());
    let mut heard = Vec::new();
    let mut step = 0;
    let mut model = Policy(|request: &aar_llm::conversation::Request| {
        heard.extend(results(request));
        step += 1;
        match step {
            1 => call("shell", json!({"command": "echo begun; sleep 600", "seconds": 1})),
            2 => call("shell", json!({"command": "echo job; sleep 600", "background": true})),
            3 => call("job_status", json!({})),
            4 => call("wait", json!({"job": 1, "seconds": 1})),
            5 => call("job_stop", json!({"job": 1})),
            6 => call("shell", json!({"command": "sleep 500 & exit 4"})),
            _ => spent(),
        }
    });
    let (ended, _) = place.run(&server, &mut model);
    assert_eq!(ended.code, 0);
    let check = |at: usize, is_error: bool, expect: &[&str]| {
        let (said, error) = &heard[at];
        assert!(*error == is_error && expect.iter().all(|part| said.contains(part)), "{at}: {said}");
    };
    check(0, true, &["begun", "ran longer than 1 s", "use background: true"]);
    check(1, false, &["Job 1 runs"]);
    check(2, false, &["job 1 (running", "sleep 600"]);
    check(3, false, &["nothing you waited for has ended"]);
    check(4, false, &["stopped, with everything it had started", "job"]);
    check(5, true, &["[exit code 4]", "left 1 processes running"]);
}

#[test]
fn misuse_without_end_ends_the_session() {
    let (server, mut place) = (Server::start(), Place::new());
    place.settings.limits.failing_sessions = 1;
    let mut n = 0;
    let mut model = Policy(|_: &_| {
        n += 1;
        call(&format!("invented_{n}"), json!({}))
    });
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, NO_TOOLS);
    assert_eq!(count(&events, "tool-called"), place.settings.limits.failing_calls);
}

#[test]
fn a_failing_provider_is_asked_again_with_pauses_and_then_given_up() {
    let (server, mut place) = (Server::start(), Place::new());
    place.settings.limits.failing_sessions = 2;
    place.settings.limits.attempts = 4;
    let busy =
        || ModelError::Busy { status: 529, message: "overloaded".into(), retry_after: Some(Duration::from_millis(3)) };
    let mut asked = 0;
    let mut model = Policy(|_: &_| {
        asked += 1;
        match asked {
            1 => Err(busy()),
            2 => Err(ModelError::Cut("reset".into())),
            3 => call("write_file", json!({"path": "notebook.md", "content": "kept"})),
            _ => Err(busy()),
        }
    });
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, UNREACHABLE);
    assert!(ended.why.contains("overloaded"), "{ended:?}");
    let pauses: Vec<u64> = events
        .iter()
        .filter(|event| event["event"] == "answer-failed")
        .map(|event| event["pause_ms"].as_u64().unwrap())
        .collect();
    assert_eq!(pauses, [3, 2, 3, 3, 4, 0, 3, 3, 4, 0], "asked for, doubled, capped");
    assert_eq!(count(&events, "paused"), 1);
    assert_eq!(place.read("notebook.md"), "kept");
}

#[test]
fn a_refused_token_is_not_tried_again() {
    let (server, place) = (Server::start(), Place::new());
    let mut model = Policy(|_: &_| Err(ModelError::Forbidden("unknown token".into())));
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.code, FORBIDDEN);
    assert_eq!(count(&events, "answer-failed"), 1);
}

#[test]
fn a_pause_of_the_operators_is_no_failure() {
    let (server, mut place) = (Server::start(), Place::new());
    place.settings.limits.attempts = 2;
    let mut asked = 0;
    let mut model = Policy(|_: &_| {
        asked += 1;
        if asked < 20 { Err(ModelError::Paused("by the operator".into())) } else { spent() }
    });
    let (ended, events) = place.run(&server, &mut model);
    assert_eq!(ended.why, "the budget is spent: 10.00 of 10.00 dollars");
    assert_eq!((count(&events, "paused"), count(&events, "session-began")), (1, 1));
}
