//! Spans of calls at a collector.

use crate::team::{KEY, Team, request};
use aar_gateway::telemetry::TelemetrySettings;
use aar_llm::wire::Wire;
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A collector: its address, and the spans that come.
async fn collector() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (heard, spans) = mpsc::unbounded_channel();
    let take = move |Json(body): Json<Value>| async move {
        let resource = &body["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "aar-gateway");
        for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
            heard.send(span.clone()).unwrap();
        }
        Json(json!({}))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
    (address, spans)
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let found = span["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == key);
    found.map_or(&Value::Null, |attribute| &attribute["value"])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_a_span_and_nothing_that_was_said_is_in_it() {
    let endpoint = Endpoint::start(KEY, |request, _| match request.stream {
        true => Action::say("a secret answer"),
        false => Action::Status { code: 400, retry_after: None },
    })
    .unwrap();
    let (address, mut spans) = collector().await;
    let mut team = Team::new(&endpoint);
    team.settings.telemetry = Some(TelemetrySettings { otlp: address });
    let team = team.started();
    let client = team.client("ada");
    assert_eq!(client.post(Wire::Messages, &request("a secret question", true)).await.0, 200);
    let good = spans.recv().await.unwrap();
    assert_eq!(client.post(Wire::Messages, &request("a secret question", false)).await.0, 400);
    let bad = spans.recv().await.unwrap();

    let billed = endpoint.billed();
    assert_eq!(good["name"], "chat model-1");
    for (key, expect) in [
        ("gen_ai.operation.name", json!({"stringValue": "chat"})),
        ("gen_ai.provider.name", json!({"stringValue": "scripted"})),
        ("gen_ai.agent.name", json!({"stringValue": "ada"})),
        ("gen_ai.request.model", json!({"stringValue": "model-1"})),
        ("gen_ai.usage.output_tokens", json!({"intValue": billed.output.to_string()})),
        ("gen_ai.usage.cache_read.input_tokens", json!({"intValue": billed.cache_read.to_string()})),
        ("gen_ai.response.finish_reasons", json!({"arrayValue": {"values": [{"stringValue": "stop"}]}})),
    ] {
        assert_eq!(attribute(&good, key), &expect, "{key}: {good}");
    }
    assert!(attribute(&good, "aar.cost_usd")["doubleValue"].as_f64().unwrap() > 0.0);
    assert!(attribute(&good, "error.type").is_null() && attribute(&bad, "error.type")["stringValue"] == "failed");
    assert_eq!((&bad["status"]["code"], &bad["traceId"]), (&json!(2), &good["traceId"]), "one trace a caller");
    assert_ne!(bad["spanId"], good["spanId"]);
    assert_eq!((good["traceId"].as_str().unwrap().len(), good["spanId"].as_str().unwrap().len()), (32, 16));
    let time = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time(&good, "startTimeUnixNano") <= time(&good, "endTimeUnixNano"));
    assert!(!format!("{good}{bad}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_costs_no_call() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("hello")).unwrap();
    let mut team = Team::new(&endpoint);
    team.settings.telemetry = Some(TelemetrySettings { otlp: "http://127.0.0.1:1".into() });
    let team = team.started();
    for _ in 0..3 {
        assert_eq!(team.client("ada").post(Wire::Chat, &request("hello", false)).await.0, 200);
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    for otlp in ["", "127.0.0.1:4318", "https://far.example", "http://a b"] {
        let wrong = TelemetrySettings { otlp: otlp.into() }.check().unwrap_err();
        assert!(wrong.contains("http://127.0.0.1:4318"), "{wrong}");
    }
}
