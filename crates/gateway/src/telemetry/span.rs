//! One span as OTLP writes it.

use aar_llm::trace::Place;
use serde_json::{Value, json};

/// On which side of a call it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Work of this side's own.
    Internal = 1,
    /// A call of somebody else.
    Client = 3,
}

/// Something that has ended.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its own place.
    pub place: Place,
    /// The span that it is a part of, in the same trace.
    pub parent: Option<u64>,
    /// Its name.
    pub name: String,
    /// On which side it was seen.
    pub kind: Kind,
    /// When it began, in milliseconds since the epoch.
    pub began_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// What [`text`], [`count`] and [`number`] make.
    pub attributes: Vec<Value>,
    /// The kind of failure, where it failed.
    pub error: Option<String>,
}

impl Span {
    /// In the JSON encoding.
    pub(super) fn written(&self) -> Value {
        let nano = |ms: i64| ms.saturating_mul(1_000_000).to_string();
        let mut attributes = self.attributes.clone();
        attributes.extend(self.error.iter().map(|error| text("error.type", error)));
        let mut span = json!({
            "traceId": format!("{:032x}", self.place.trace),
            "spanId": format!("{:016x}", self.place.span),
            "name": self.name,
            "kind": self.kind as u8,
            "startTimeUnixNano": nano(self.began_ms),
            "endTimeUnixNano": nano(self.ended_ms.max(self.began_ms)),
            "attributes": attributes,
            "status": self.error.as_ref().map_or(json!({}), |error| json!({"code": 2, "message": error})),
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    }
}

/// An attribute that is a text.
pub fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// A whole number, which travels as a text in this encoding.
pub fn count(key: &str, value: u64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

/// A number.
pub fn number(key: &str, value: f64) -> Value {
    json!({"key": key, "value": {"doubleValue": value}})
}
