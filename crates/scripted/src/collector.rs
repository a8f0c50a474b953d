//! An OpenTelemetry collector that keeps what comes: OTLP over HTTP in its JSON encoding.

use crate::endpoint::lock;
use crate::serving::Serving;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A span and the service that told of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// `service.name`.
    pub service: String,
    /// As it came.
    pub span: Value,
}

impl Told {
    /// The value of an attribute, null where it has none.
    pub fn attribute(&self, key: &str) -> &Value {
        let all = self.span["attributes"].as_array();
        let found = all.and_then(|all| all.iter().find(|attribute| attribute["key"] == key));
        found.map_or(&Value::Null, |attribute| &attribute["value"])
    }

    /// A text of the span itself: `traceId`, `spanId`, `parentSpanId`, `name`; empty where it has none.
    pub fn text(&self, field: &str) -> &str {
        self.span[field].as_str().unwrap_or_default()
    }
}

/// A running collector. Ended when dropped.
pub struct Collector {
    serving: Serving,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Collector {
    /// Listen on a free loopback port.
    pub fn start() -> std::io::Result<Self> {
        let told = Arc::new(Mutex::default());
        let app = Router::new().route("/v1/traces", post(take)).with_state(told.clone());
        Ok(Self { serving: Serving::start(app)?, told })
    }

    /// What stands before `/v1/traces`.
    pub fn url(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    /// What came so far.
    pub fn told(&self) -> Vec<Told> {
        lock(&self.told).clone()
    }
}

async fn take(State(told): State<Arc<Mutex<Vec<Told>>>>, Json(body): Json<Value>) -> Json<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for resource in list(&body["resourceSpans"]) {
        let service = resource["resource"]["attributes"][0]["value"]["stringValue"].as_str().unwrap_or_default();
        let spans = list(&resource["scopeSpans"]).into_iter().flat_map(|scope| list(&scope["spans"]));
        lock(&told).extend(spans.map(|span| Told { service: service.to_owned(), span }));
    }
    Json(json!({}))
}
