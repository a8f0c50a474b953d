//! Spans of calls at a collector.

use crate::team::{Client, KEY, Team, request};
use aar_gateway::telemetry::TelemetrySettings;
use aar_llm::trace::Place;
use aar_llm::wire::Wire;
use aar_scripted::action::Action;
use aar_scripted::collector::{Collector, Told};
use aar_scripted::endpoint::Endpoint;
use reqwest::header::HeaderName;
use serde_json::json;
use std::time::Duration;

/// The spans of so many calls, once they have come.
async fn spans(collector: &Collector, count: usize) -> Vec<Told> {
    for _ in 0..2000 {
        let told = collector.told();
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} spans did not come: {:?}", collector.told())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_a_span_and_nothing_that_was_said_is_in_it() {
    let endpoint = Endpoint::start(KEY, |request, _| match request.stream {
        true => Action::say("a secret answer"),
        false => Action::Status { code: 400, retry_after: None },
    })
    .unwrap();
    let collector = Collector::start().unwrap();
    let mut team = Team::new(&endpoint);
    team.settings.telemetry = Some(TelemetrySettings { otlp: collector.url() });
    let team = team.started();
    let client = team.client("ada");
    assert_eq!(client.post(Wire::Messages, &request("a secret question", true)).await.0, 200);
    assert_eq!(client.post(Wire::Messages, &request("a secret question", false)).await.0, 400);
    let told = spans(&collector, 2).await;
    let [good, bad] = told.as_slice() else { panic!("{told:?}") };

    let billed = endpoint.billed();
    assert_eq!((good.text("name"), good.service.as_str()), ("chat model-1", "aar-gateway"));
    for (key, expect) in [
        ("gen_ai.operation.name", json!({"stringValue": "chat"})),
        ("gen_ai.provider.name", json!({"stringValue": "scripted"})),
        ("gen_ai.agent.name", json!({"stringValue": "ada"})),
        ("gen_ai.request.model", json!({"stringValue": "model-1"})),
        ("gen_ai.usage.output_tokens", json!({"intValue": billed.output.to_string()})),
        ("gen_ai.usage.cache_read.input_tokens", json!({"intValue": billed.cache_read.to_string()})),
        ("gen_ai.response.finish_reasons", json!({"arrayValue": {"values": [{"stringValue": "stop"}]}})),
    ] {
        assert_eq!(good.attribute(key), &expect, "{key}: {good:?}");
    }
    assert!(good.attribute("aar.cost_usd")["doubleValue"].as_f64().unwrap() > 0.0);
    assert!(good.attribute("error.type").is_null() && bad.attribute("error.type")["stringValue"] == "failed");
    assert_eq!((&bad.span["status"]["code"], bad.text("traceId")), (&json!(2), good.text("traceId")));
    assert_ne!(bad.text("spanId"), good.text("spanId"));
    assert_eq!((good.text("traceId").len(), good.text("spanId").len()), (32, 16));
    assert!(good.span.get("parentSpanId").is_none(), "whoever runs a gateway by hand has told no parent");
    let time = |key: &str| good.text(key).parse::<u64>().unwrap();
    assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    assert!(!format!("{good:?}{bad:?}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_belongs_to_its_caller_s_trace_whatever_the_caller_says() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("hello")).unwrap();
    let collector = Collector::start().unwrap();
    let mut team = Team::new(&endpoint);
    let (own, foreign) = (Place { trace: 0xada, span: 0x10 }, Place { trace: 0xbad, span: 0x66 });
    team.settings.telemetry = Some(TelemetrySettings { otlp: collector.url() });
    let caller = team.settings.callers.iter_mut().find(|caller| caller.name == "ada").unwrap();
    caller.trace = Some(own);
    let team = team.started();
    let said = [None, Some(own.session(3).to_string()), Some(foreign.to_string()), Some("00-x".into())];
    for said in said {
        let said = said.iter().map(|said| (HeaderName::from_static("traceparent"), said.parse().unwrap()));
        let http = reqwest::Client::builder().unix_socket(team.settings.socket.clone()).default_headers(said.collect());
        let client = Client { http: http.build().unwrap(), ..team.client("ada") };
        assert_eq!(client.post(Wire::Chat, &request("hello", false)).await.0, 200);
    }
    let told = spans(&collector, 4).await;
    let parents: Vec<&str> = told.iter().map(|told| told.text("parentSpanId")).collect();
    let hex = |span: u64| format!("{span:016x}");
    assert_eq!(parents, [hex(0x10), hex(0x13), hex(0x10), hex(0x10)]);
    assert!(told.iter().all(|told| told.text("traceId") == format!("{:032x}", 0xada)));
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
