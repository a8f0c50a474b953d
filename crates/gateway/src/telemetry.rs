//! Spans of calls for a collector of the operator's: OpenTelemetry's GenAI conventions, OTLP over HTTP in its JSON encoding.
//!
//! One trace per caller, one span per call, without a word of what was said. The JSON is written by hand: it is one shape, and the
//! crates for it bring a runtime, an exporter and a second HTTP client. A collector that is not there costs spans, never a call.

use crate::clock::now_ms;
use crate::error::GatewayError;
use crate::ledger::book::{Charge, Outcome};
use crate::price::usd;
use aar_llm::conversation::Stop;
use axum::body::Bytes;
use axum::http::{Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::mpsc;

/// Spans that wait for the collector; more are dropped.
const WAITING: usize = 4096;
/// Spans that are sent together at most.
const TOGETHER: usize = 256;
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans go: the table `[telemetry]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What stands before `/v1/traces` of an OTLP collector: `http://127.0.0.1:4318`.
    pub otlp: String,
}

impl TelemetrySettings {
    /// What is impossible.
    pub fn check(&self) -> Result<(), String> {
        let fits = self.otlp.starts_with("http://") && self.otlp.parse::<axum::http::Uri>().is_ok();
        let wrong =
            || format!("telemetry.otlp = {:?}: an address such as http://127.0.0.1:4318 is possible", self.otlp);
        fits.then_some(()).ok_or_else(wrong)
    }
}

/// A call that has ended.
pub struct Span {
    /// Its number in the ledger.
    pub call: i64,
    /// Who called.
    pub caller: String,
    /// The provider's name in the settings.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// The model that answered, and why it stopped, where it did.
    pub answered: Option<(String, Stop)>,
    /// When it began, in milliseconds since the epoch.
    pub began_ms: i64,
    /// How often the provider was asked.
    pub attempts: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What was charged.
    pub charge: Charge,
}

/// A way to the collector.
pub struct Telemetry {
    spans: mpsc::Sender<Value>,
    /// Of this gateway's life: the same caller in another is another trace.
    life: String,
}

impl Telemetry {
    /// Begin to send. Nothing is sent yet, and nobody is asked whether the collector is there.
    pub fn open(settings: &TelemetrySettings) -> Result<Self, GatewayError> {
        settings.check().map_err(|wrong| GatewayError::settings("telemetry.otlp", wrong))?;
        let (spans, inbox) = mpsc::channel(WAITING);
        tokio::spawn(deliver(format!("{}/v1/traces", settings.otlp.trim_end_matches('/')), inbox));
        Ok(Self { spans, life: now_ms().to_string() })
    }

    /// Send a span, if there is room.
    pub fn say(&self, span: &Span) {
        let _ = self.spans.try_send(written(span, &self.life, now_ms()));
    }
}

/// Until the gateway ends.
async fn deliver(url: String, mut inbox: mpsc::Receiver<Value>) {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(PATIENCE));
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let mut spans = Vec::new();
    let mut lost = false;
    while inbox.recv_many(&mut spans, TOGETHER).await > 0 {
        let body = envelope(std::mem::take(&mut spans)).to_string();
        let request = Request::post(&url).header(header::CONTENT_TYPE, "application/json").body(Full::new(body.into()));
        let Ok(request) = request else { return };
        let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
        let arrived = matches!(&answer, Ok(Ok(answer)) if answer.status().is_success());
        if !arrived && !lost {
            tracing::warn!(%url, "the collector takes no spans; they are dropped until it does");
        }
        lost = !arrived;
    }
}

fn envelope(spans: Vec<Value>) -> Value {
    let service = [text("service.name", "aar-gateway"), text("service.version", env!("CARGO_PKG_VERSION"))];
    let scope = json!({"name": "aar-gateway", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": {"attributes": service},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// Whole numbers travel as texts in this encoding.
fn count(key: &str, value: u64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn written(span: &Span, life: &str, now_ms: i64) -> Value {
    let hash = |parts: &[&str], bytes: usize| hex::encode(&Sha256::digest(parts.join("\n"))[..bytes]);
    let usage = &span.charge.usage;
    let mut attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", &span.provider),
        text("gen_ai.agent.name", &span.caller),
        text("gen_ai.request.model", &span.model),
        count("gen_ai.usage.input_tokens", usage.input + usage.cache_read + usage.cache_write),
        count("gen_ai.usage.output_tokens", usage.output),
        count("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
        count("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
        json!({"key": "aar.cost_usd", "value": {"doubleValue": usd(span.charge.nano)}}),
        count("aar.attempts", u64::from(span.attempts)),
    ];
    if let Some((model, stop)) = &span.answered {
        let reason = match stop {
            Stop::End => "stop",
            Stop::ToolCalls => "tool_calls",
            Stop::Length => "length",
            Stop::Refused => "content_filter",
        };
        attributes.push(text("gen_ai.response.model", model));
        let reasons = json!({"arrayValue": {"values": [{"stringValue": reason}]}});
        attributes.push(json!({"key": "gen_ai.response.finish_reasons", "value": reasons}));
    }
    let failed = span.outcome != Outcome::Answered;
    if failed {
        attributes.push(text("error.type", span.outcome.name()));
    }
    json!({
        "traceId": hash(&[life, &span.caller], 16),
        "spanId": hash(&[life, &span.caller, &span.call.to_string()], 8),
        "name": format!("chat {}", span.model),
        "kind": 3,
        "startTimeUnixNano": (span.began_ms * 1_000_000).to_string(),
        "endTimeUnixNano": (now_ms.max(span.began_ms) * 1_000_000).to_string(),
        "attributes": attributes,
        "status": if failed { json!({"code": 2, "message": span.outcome.name()}) } else { json!({}) },
    })
}
