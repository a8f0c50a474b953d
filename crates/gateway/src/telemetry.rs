//! Spans for a collector of the operator's: OpenTelemetry's GenAI conventions, OTLP over HTTP in its JSON encoding.
//!
//! One trace per researcher, without a word of what was said: the gateway tells of calls ([`call`]), a study of the rest. The JSON is
//! written by hand: it is one shape, and the crates for it bring a runtime, an exporter and a second HTTP client. A collector that is
//! not there costs spans, never a call.

pub mod call;
mod span;

pub use span::{Kind, Span, count, number, text};

use crate::clock::now_ms;
use crate::error::GatewayError;
use aar_llm::trace::Place;
use axum::body::Bytes;
use axum::http::{Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Spans that wait for the collector; more are dropped.
const WAITING: usize = 4096;
/// Spans that are sent together at most.
const TOGETHER: usize = 256;
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the last spans may take.
const FAREWELL: Duration = Duration::from_secs(2);

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

/// A place in a trace that follows from words: a span's own, in the trace that the first two of them make.
pub fn place(life: &str, name: &str, of: &str) -> Place {
    let hash = |parts: &[&str]| Sha256::digest(parts.join("\n"));
    let (trace, span) = (hash(&[life, name]), hash(&[life, name, of]));
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
    Place { trace: number(&trace[..16]).max(1), span: (number(&span[..8]) as u64).max(1) }
}

/// Where callers' calls belong.
pub struct Traces {
    /// Of this gateway's life: the same caller in another is another trace.
    life: String,
    /// As whoever started the gateway says.
    told: BTreeMap<String, Place>,
}

impl Traces {
    /// Of callers whose place is known.
    pub fn new(told: impl Iterator<Item = (String, Place)>) -> Self {
        Self { life: now_ms().to_string(), told: told.collect() }
    }

    /// A call's own place, and its parent: what the caller says where that lies in the caller's own trace, else the caller.
    fn of(&self, caller: &str, call: i64, said: Option<Place>) -> (Place, Option<u64>) {
        let own = place(&self.life, caller, &call.to_string());
        let Some(root) = self.told.get(caller) else { return (own, None) };
        let parent = said.filter(|said| said.trace == root.trace).unwrap_or(*root);
        (Place { trace: root.trace, ..own }, Some(parent.span))
    }
}

/// A way to the collector, with a thread of its own: any room can use it. Waits a moment for the last spans when it is dropped.
pub struct Telemetry {
    spans: Option<mpsc::Sender<Value>>,
    sent: Mutex<Receiver<()>>,
}

impl Telemetry {
    /// Begin to send, in the name of a service. Nothing is sent yet, and nobody is asked whether the collector is there.
    pub fn open(settings: &TelemetrySettings, service: &'static str) -> Result<Self, GatewayError> {
        settings.check().map_err(|wrong| GatewayError::settings("telemetry.otlp", wrong))?;
        let url = format!("{}/v1/traces", settings.otlp.trim_end_matches('/'));
        let failed = |error: std::io::Error| GatewayError::settings("telemetry.otlp", error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (spans, inbox) = mpsc::channel(WAITING);
        let (done, sent) = std::sync::mpsc::channel();
        let work = move || {
            runtime.block_on(deliver(&url, service, inbox));
            let _ = done.send(());
        };
        std::thread::Builder::new().name("spans".into()).spawn(work).map_err(failed)?;
        Ok(Self { spans: Some(spans), sent: Mutex::new(sent) })
    }

    /// Send a span, if there is room.
    pub fn say(&self, span: &Span) {
        if let Some(spans) = &self.spans {
            let _ = spans.try_send(span.written());
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.spans = None;
        let _ = self.sent.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(FAREWELL);
    }
}

/// Until nobody has anything to say.
async fn deliver(url: &str, service: &str, mut inbox: mpsc::Receiver<Value>) {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(PATIENCE));
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let mut spans = Vec::new();
    let mut lost = false;
    while inbox.recv_many(&mut spans, TOGETHER).await > 0 {
        let body = envelope(service, std::mem::take(&mut spans)).to_string();
        let request = Request::post(url).header(header::CONTENT_TYPE, "application/json").body(Full::new(body.into()));
        let Ok(request) = request else { return };
        let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
        let arrived = matches!(&answer, Ok(Ok(answer)) if answer.status().is_success());
        if !arrived && !lost {
            tracing::warn!(%url, "the collector takes no spans; they are dropped until it does");
        }
        lost = !arrived;
    }
}

fn envelope(service: &str, spans: Vec<Value>) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let scope = json!({"name": service, "version": version});
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", service), text("service.version", version)]},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}
