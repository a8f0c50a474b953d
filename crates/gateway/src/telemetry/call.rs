//! A call to a language model as a span.

use super::span::{Kind, Span, count, number, text};
use super::{Traces, Value};
use crate::ledger::book::{Charge, Outcome};
use crate::price::usd;
use aar_llm::conversation::Stop;
use aar_llm::trace::Place;
use serde_json::json;

/// A call that has ended.
pub struct Call {
    /// Its number in the ledger.
    pub call: i64,
    /// Who called.
    pub caller: String,
    /// The span that the caller says it belongs to.
    pub parent: Option<Place>,
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

impl Call {
    /// Its span.
    pub fn span(&self, traces: &Traces, ended_ms: i64) -> Span {
        let (place, parent) = traces.of(&self.caller, self.call, self.parent);
        let failed = self.outcome != Outcome::Answered;
        Span {
            place,
            parent,
            name: format!("chat {}", self.model),
            kind: Kind::Client,
            began_ms: self.began_ms,
            ended_ms,
            attributes: self.attributes(),
            error: failed.then(|| self.outcome.name().to_owned()),
        }
    }

    fn attributes(&self) -> Vec<Value> {
        let usage = &self.charge.usage;
        let mut attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", &self.provider),
            text("gen_ai.agent.name", &self.caller),
            text("gen_ai.request.model", &self.model),
            count("gen_ai.usage.input_tokens", usage.input + usage.cache_read + usage.cache_write),
            count("gen_ai.usage.output_tokens", usage.output),
            count("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
            count("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
            number("aar.cost_usd", usd(self.charge.nano)),
            count("aar.attempts", u64::from(self.attempts)),
        ];
        if let Some((model, stop)) = &self.answered {
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
        attributes
    }
}
