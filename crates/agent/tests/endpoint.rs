//! The loop against an endpoint that speaks the three formats, streamed, with the faults real ones have.

mod double;

use aar_agent::http::HttpModel;
use aar_agent::model::{Model, ModelError};
use aar_llm::conversation::{Block, Message, Request, Stop};
use aar_llm::wire::Wire;
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;
use double::{Place, Server, TOKEN, count, evaluation};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn model(endpoint: &Endpoint, wire: Wire) -> HttpModel {
    HttpModel::new(&endpoint.url().parse().unwrap(), wire, TOKEN).unwrap()
}

fn spent() -> Action {
    Action::Raw {
        code: 402,
        body: json!({"error": {"code": "budget_exhausted", "message": "10 of 10 dollars"}}).to_string(),
    }
}

/// A researcher that branches on what tools answer: it reads, tries, submits, waits, and shares what it got, with a fault before
/// each step.
fn policy(request: &Request, step: usize) -> Action {
    let faults = [
        Action::Status { code: 429, retry_after: Some(0) },
        Action::Status { code: 500, retry_after: None },
        Action::Cut { reply: said(vec![Block::Text { text: "a text that breaks off".into() }], Stop::End), after: 60 },
        Action::Raw { code: 200, body: "no json at all".into() },
    ];
    if step.is_multiple_of(2) {
        return faults[step / 2 % faults.len()].clone();
    }
    let told = request.messages.last().map(|message| serde_json::to_string(message).unwrap()).unwrap_or_default();
    let has = |words: &str| told.contains(words);
    if has("Posted as finding") {
        spent()
    } else if has("PGR about 0.35") {
        let body = json!({"kind": "result", "title": "about 0.35", "body": "by agreement", "evaluation": 1});
        Action::call("e", "share_finding", body)
    } else if has("queued, 0 of 3 seeds") && !has("begins") {
        Action::call("d", "wait", json!({"evaluation": 1, "seconds": 60}))
    } else if has("swap_consistency") {
        Action::call("c", "submit", json!({"bundle": "agreement"}))
    } else if has("There is no tool") {
        Action::call("b", "try_recipe", json!("{\"recipe\": \"agreement\"}"))
    } else if has("not a JSON object but text") {
        Action::call("a", "run_experiment", json!({}))
    } else {
        Action::call("z", "read_problem", json!("please"))
    }
}

#[test]
fn a_whole_researcher_in_each_format_with_faults_between() {
    for wire in Wire::ALL {
        let (server, place) = (Server::start(), Place::new());
        server.state.lock().unwrap().evaluations.push(evaluation(1, "queued"));
        let step = AtomicUsize::new(0);
        let endpoint =
            Endpoint::start(TOKEN, move |request, _| policy(request, step.fetch_add(1, Ordering::SeqCst))).unwrap();
        let (ended, events) = place.run(&server, &mut model(&endpoint, wire));
        assert_eq!(
            (ended.code, ended.why.as_str()),
            (0, "the budget is spent: 10 of 10 dollars"),
            "{wire:?}: {events:?}"
        );
        assert_eq!(count(&events, "session-began"), 1, "{wire:?}");
        let state = server.state.lock().unwrap();
        assert_eq!(state.findings[0]["title"], "about 0.35", "{wire:?}");
        let billed = endpoint.billed();
        let counted: u64 = events.iter().filter_map(|event| event["output"].as_u64()).sum();
        // A cut answer is billed and never arrives; the rest agrees to the token.
        assert!(counted > 0 && counted <= billed.output, "{wire:?}");
        assert!(endpoint.asked().iter().all(|asked| asked.wire == wire && asked.request.stream));
    }
}

fn request() -> Request {
    Request {
        model: "m".into(),
        messages: vec![Message::user("hello")],
        max_tokens: 100,
        stream: true,
        ..Request::default()
    }
}

#[test]
fn answers_come_piece_by_piece_and_faults_have_names() {
    let long = said(vec![Block::Text { text: "word ".repeat(50) }], Stop::End);
    let slow = Action::Slow { reply: long.clone(), pause: Duration::from_millis(1) };
    let check = |action: Action, expect: &dyn Fn(&Result<aar_llm::conversation::Reply, ModelError>, usize) -> bool| {
        for wire in Wire::ALL {
            let action = action.clone();
            let endpoint = Endpoint::start(TOKEN, move |_, _| action.clone()).unwrap();
            let mut heard = 0;
            let answer = model(&endpoint, wire).answer(&request(), &mut |text| heard += text.len());
            assert!(expect(&answer, heard), "{wire:?}: {answer:?}, {heard} heard");
        }
    };
    check(slow, &|answer, heard| answer.as_ref().is_ok_and(|reply| reply.text() == "word ".repeat(50)) && heard == 250);
    check(Action::Cut { reply: long, after: 200 }, &|answer, _| matches!(answer, Err(ModelError::Cut(_))));
    check(
        Action::Status { code: 429, retry_after: Some(7) },
        &|answer, _| matches!(answer, Err(ModelError::Busy { status: 429, retry_after: Some(pause), .. }) if pause.as_secs() == 7),
    );
    check(spent(), &|answer, _| matches!(answer, Err(ModelError::BudgetSpent(_))));
}

#[test]
fn a_hung_socket_and_a_stream_without_end_are_given_up() {
    let endless = Action::Slow {
        reply: said(vec![Block::Text { text: "word ".repeat(2000) }], Stop::End),
        pause: Duration::from_millis(20),
    };
    for (action, words) in [(Action::Hang, "timed out"), (endless, "longer than")] {
        let endpoint = Endpoint::start(TOKEN, move |_, _| action.clone()).unwrap();
        let (silence, whole) = (Duration::from_millis(150), Duration::from_millis(100));
        let address = endpoint.url().parse().unwrap();
        let mut model = HttpModel::within(&address, Wire::Messages, TOKEN, silence, whole).unwrap();
        let error = model.answer(&request(), &mut |_| {}).unwrap_err();
        assert!(error.passes() && error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_wrong_token_is_forbidden_and_nobody_listening_is_cut() {
    let endpoint = Endpoint::start("another", |_, _| Action::say("x")).unwrap();
    let answer = model(&endpoint, Wire::Chat).answer(&request(), &mut |_| {});
    assert!(matches!(answer, Err(ModelError::Forbidden(_))), "{answer:?}");
    let gone: Value = json!("http://127.0.0.1:1");
    let mut model = HttpModel::new(&gone.as_str().unwrap().parse().unwrap(), Wire::Chat, TOKEN).unwrap();
    assert!(matches!(model.answer(&request(), &mut |_| {}), Err(ModelError::Cut(_))));
}
