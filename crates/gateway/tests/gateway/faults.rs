//! What goes wrong at a provider, and what a caller and the ledger see of it.

use crate::team::{PRICE, Team, error, request};
use aar_gateway::ledger::book::Charge;
use aar_llm::conversation::{Block, Stop, Usage};
use aar_llm::stream::Stream;
use aar_llm::wire::Wire;
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const KEY: &str = crate::team::KEY;

/// An endpoint that fails so often before it answers.
fn failing(times: u32, code: u16, retry_after: Option<u32>) -> Endpoint {
    let left = AtomicU32::new(times);
    Endpoint::start(KEY, move |_, _| {
        let failed = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if failed.is_ok() { Action::Status { code, retry_after } } else { Action::say("at last") }
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_endpoint_is_asked_again() {
    for (code, retry_after) in [(429, Some(0)), (429, None), (500, None), (503, None), (529, None)] {
        let endpoint = failing(3, code, retry_after);
        let team = Team::new(&endpoint).started();
        let reply = team.client("ada").reply(Wire::Messages, &request("hello", true)).await;
        assert_eq!(reply.text(), "at last");
        let (attempts, answered, charge) = team.last_end("ada");
        assert_eq!((attempts, answered, charge.usage), (4, true, endpoint.billed()));
        assert_eq!(team.totals().await.team.calls, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_passed_on_and_costs_nothing() {
    // Tried as often as settings say; not at all where the wait would be too long, or where it can't help.
    for (code, retry_after, attempts) in [(529, None, 4), (429, Some(500), 1), (400, None, 1)] {
        let endpoint = failing(u32::MAX, code, retry_after);
        let team = Team::new(&endpoint).started();
        let body = Wire::Chat.format().request(&request("hello", true));
        let response = team.client("ada").send(Wire::Chat, &body).await.unwrap();
        assert_eq!(response.status().as_u16(), code);
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(wait, retry_after.map(|seconds| seconds.to_string()));
        assert!(error(&response.bytes().await.unwrap()).1.contains("scripted"));
        assert_eq!(team.last_end("ada"), (attempts, false, Charge::default()));
        let totals = team.totals().await;
        assert_eq!((totals.team.nano, totals.team.open_nano, totals.team.failures), (0, 0, 1));
        assert_eq!(endpoint.asked().len(), attempts as usize);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_endpoint_times_out_and_is_charged_its_worst_case() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::Hang).unwrap();
    let mut team = Team::new(&endpoint);
    team.http().answer_timeout_s = 0.2;
    team.start();
    for wire in Wire::ALL {
        let before = team.totals().await.team;
        let (status, body) = team.client("ada").post(wire, &request("hello", true)).await;
        assert_eq!((status, error(&body).0.as_str()), (504, "upstream_timed_out"));
        let (attempts, _, charge) = team.last_end("ada");
        // Asked once: it may be at work, and be paid for.
        assert_eq!((attempts, charge.usage.output), (1, 200));
        assert_eq!(charge.nano, PRICE.worst(charge.usage.input, 200));
        let after = team.totals().await.team;
        assert_eq!((after.nano - before.nano, after.open_nano), (charge.nano, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stream_is_passed_on_as_cut_and_charged_by_what_was_seen() {
    let reply = || said(vec![Block::Text { text: "a long answer ".repeat(40) }], Stop::End);
    let endpoint = Endpoint::start(KEY, move |_, _| Action::Cut { reply: reply(), after: 2000 }).unwrap();
    let team = Team::new(&endpoint).started();
    for wire in Wire::ALL {
        let before = endpoint.billed();
        let body = wire.format().request(&request("hello", true));
        let mut response = team.client("ada").send(wire, &body).await.unwrap();
        let mut stream = Stream::new(wire);
        let broken = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => drop(stream.push(&bytes)),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "a cut answer does not look like a whole one");
        let written = stream.written();
        assert!(written > 50 && stream.finish().is_err());
        let (attempts, answered, charge) = team.last_end("ada");
        assert_eq!((attempts, answered), (1, false), "what had begun is not asked again");
        let after = endpoint.billed();
        assert_eq!(charge.usage.output, written.min(200), "a token per byte");
        assert!(charge.usage.output >= after.output - before.output);
        if wire == Wire::Messages {
            // This format says at its beginning what was read.
            let read = |usage: Usage| (usage.input, usage.cache_read, usage.cache_write);
            assert_eq!(read(charge.usage), read(after), "{:?}", charge.usage);
        } else {
            assert!(charge.usage.input > 2048, "nobody said what was read: its bound");
        }
    }
    assert!(PRICE.cost(&endpoint.billed()) <= team.totals().await.team.nano);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_charged_its_worst_case() {
    let reply = || said(vec![Block::Text { text: "whole".into() }], Stop::End);
    for action in [
        Action::Cut { reply: reply(), after: 100 },
        Action::Raw { code: 200, body: "<html>".into() },
        Action::Raw { code: 200, body: "{\"no\": 1}".into() },
    ] {
        let endpoint = Endpoint::start(KEY, move |_, _| action.clone()).unwrap();
        let team = Team::new(&endpoint).started();
        let (status, body) = team.client("ada").post(Wire::Chat, &request("hello", false)).await;
        assert_eq!((status, error(&body).0.as_str()), (502, "upstream_failed"));
        let (_, _, charge) = team.last_end("ada");
        assert_eq!(charge.usage.output, 200);
        assert!(PRICE.cost(&endpoint.billed()) <= charge.nano);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_usage_is_charged_at_its_bound() {
    let body =
        json!({"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}).to_string();
    let length = body.len() as u64;
    let endpoint = Endpoint::start(KEY, move |_, _| Action::Raw { code: 200, body: body.clone() }).unwrap();
    let team = Team::new(&endpoint).started();
    team.client("ada").reply(Wire::Chat, &request("hello", false)).await;
    let (_, answered, charge) = team.last_end("ada");
    assert!(answered && charge.usage.output == length.min(200) && charge.usage.input > 2048, "{charge:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_stream_is_charged_all_the_same() {
    let whole = json!({
        "model": "model-1", "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 30, "completion_tokens": u64::MAX},
    });
    let endpoint = Endpoint::start(KEY, move |_, _| Action::Raw { code: 200, body: whole.to_string() }).unwrap();
    let team = Team::new(&endpoint).started();
    for _ in 0..3 {
        let (status, _) = team.client("ada").post(Wire::Chat, &request("hello", true)).await;
        assert_eq!(status, 200);
        let (_, answered, charge) = team.last_end("ada");
        assert!(answered && charge.usage.input == 30, "{charge:?}");
    }
    assert_eq!(team.totals().await.team.usage.output, 3 << 40, "nonsense is charged, and breaks nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_told_and_costs_nothing() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("yes")).unwrap();
    let mut team = Team::new(&endpoint);
    drop(endpoint);
    // A port on which nobody listens.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    team.http().base_url = format!("http://{free}/v1/");
    team.start();
    let (status, body) = team.client("ada").post(Wire::Responses, &request("hello", false)).await;
    assert_eq!((status, error(&body).0.as_str()), (502, "upstream_failed"));
    assert_eq!(team.last_end("ada"), (4, false, Charge::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_models_calls_pass_as_they_are() {
    let endpoint = Endpoint::start(KEY, |request, _| match request.stream {
        true => Action::call("c", "shell", Value::String("list the files please".into())),
        false => Action::call("c", "no_such_tool", json!({"a": 1})),
    })
    .unwrap();
    let team = Team::new(&endpoint).started();
    for wire in Wire::ALL {
        let reply = team.client("ada").reply(wire, &request("hello", true)).await;
        assert_eq!(reply.calls().next(), Some(("c", "shell", &Value::String("list the files please".into()))));
        let reply = team.client("ada").reply(wire, &request("hello", false)).await;
        assert_eq!(reply.calls().next(), Some(("c", "no_such_tool", &json!({"a": 1}))));
    }
    assert_eq!(team.totals().await.team.usage, endpoint.billed());
}
