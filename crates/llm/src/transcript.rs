//! A transcript's lines: what was asked of a model, what it answered, what that cost.
//!
//! A conversation grows by a little with every call, and every call sends all of it. So a call's body is written as what is new
//! against an earlier one of the same caller (`after`): how many entries of its list of messages stay, which other fields
//! are the same. [`Written::whole`] puts a body together again; [`Written::news`] is what a reader has not seen before.

use crate::conversation::{Message, Reply, Speaker, Usage};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Tokens and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Tokens by kind.
    pub usage: Usage,
    /// Nano-dollars.
    pub nano: i64,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// With an answer, charged by what its provider said.
    Answered,
    /// Within an answer, charged by what was seen.
    Cut,
    /// With a failure that providers do not charge.
    Failed,
    /// Nobody knows what the provider did: charged its worst case.
    Unknown,
    /// The gateway ended before the call did: charged its worst case.
    Crashed,
}

impl Outcome {
    /// As it stands in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Cut => "cut",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Crashed => "crashed",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A call goes to its provider.
    Asked {
        /// The call's number in the ledger.
        call: i64,
        /// The format.
        wire: Wire,
        /// The model as the caller named it; the body has the pinned name.
        model: String,
        /// The body.
        body: Written,
        /// What was taken out of it on the way.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taken_out: Vec<String>,
    },
    /// It ended.
    Ended {
        /// The call's number.
        call: i64,
        /// How often the provider was asked.
        attempts: u32,
        /// The last HTTP status, if there was one.
        status: Option<u16>,
        /// The answer, if it was whole.
        reply: Option<Reply>,
        /// Why there is none.
        failure: Option<String>,
        /// How it ended.
        outcome: Outcome,
        /// What was charged.
        charge: Charge,
    },
    /// A call was refused before any provider was asked.
    Refused {
        /// Why.
        reason: String,
        /// What the caller was told.
        message: String,
    },
}

/// A body, as far as it is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// The call whose body this one goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// How many entries of its list of messages stay.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep: usize,
    /// Other fields that are the same there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<String>,
    /// Fields that are not; of the list of messages what follows.
    pub new: Map<String, Value>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Where the conversation stands in a body.
fn list_of(wire: Wire) -> &'static str {
    if wire == Wire::Responses { "input" } else { "messages" }
}

impl Written {
    /// What of `body` is new after the best of `earlier`.
    pub fn of(wire: Wire, body: &Map<String, Value>, earlier: &[(i64, Map<String, Value>)]) -> Self {
        let key = list_of(wire);
        let entries = |body: &Map<String, Value>| body.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let messages = entries(body);
        let shared = |old: &Map<String, Value>| {
            messages.iter().zip(entries(old).iter()).take_while(|(new, old)| new == old).count()
        };
        let best =
            earlier.iter().map(|(call, old)| (shared(old), *call, old)).max_by_key(|(keep, call, _)| (*keep, *call));
        let Some((keep, call, old)) = best.filter(|_| body.contains_key(key)) else {
            return Self { after: None, keep: 0, same: vec![], new: body.clone() };
        };
        let is_same = |(field, value): &(&String, &Value)| field.as_str() != key && old.get(*field) == Some(value);
        let (same, new): (Vec<_>, Vec<_>) = body.iter().partition(is_same);
        let mut new: Map<String, Value> =
            new.into_iter().map(|(field, value)| (field.clone(), value.clone())).collect();
        if body[key].is_array() {
            new.insert(key.to_owned(), messages[keep..].to_vec().into());
        }
        Self { after: Some(call), keep, same: same.into_iter().map(|(field, _)| field.clone()).collect(), new }
    }

    /// The body again.
    pub fn whole(&self, wire: Wire, earlier: &BTreeMap<i64, Map<String, Value>>) -> Option<Map<String, Value>> {
        let Some(after) = self.after else {
            return Some(self.new.clone());
        };
        let old = earlier.get(&after)?;
        let mut body = self.new.clone();
        for field in &self.same {
            body.insert(field.clone(), old.get(field)?.clone());
        }
        let key = list_of(wire);
        if let Some(new) = body.get_mut(key).and_then(Value::as_array_mut) {
            let kept = old.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            new.splice(0..0, kept.get(..self.keep)?.iter().cloned());
        }
        Some(body)
    }
}

/// What a body adds to what a reader of the lines before it knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Whether it goes on from nothing: a conversation begins, or begins again from a summary.
    pub begins: bool,
    /// What stands above the conversation; empty where it was said before.
    pub system: String,
    /// Messages, oldest first.
    pub messages: Vec<Message>,
}

impl Written {
    /// What is new in it. A provider's marks (what to cache) change messages that were sent before, so that they are written again:
    /// in a conversation that goes on, only what follows the model's last word is new.
    pub fn news(&self, wire: Wire) -> News {
        let mut body = self.new.clone();
        body.entry(list_of(wire)).or_insert_with(|| Value::Array(vec![]));
        let Ok(request) = wire.format().read_request(&body.into()) else { return News::default() };
        let mut messages = request.messages;
        let answered = messages.iter().rposition(|message| message.speaker == Speaker::Assistant);
        let begins = self.after.is_none() || (self.keep == 0 && (answered.is_none() || !request.system.is_empty()));
        if let Some(last) = answered.filter(|_| !begins) {
            messages.drain(..=last);
        }
        News { begins, system: request.system, messages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(role: &str, text: &str, marked: bool) -> Value {
        let mut block = json!({"type": "text", "text": text});
        if marked {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
        json!({"role": role, "content": [block]})
    }

    fn body(messages: Vec<Value>) -> Map<String, Value> {
        json!({"model": "m", "system": "rules", "messages": messages}).as_object().cloned().unwrap()
    }

    #[test]
    fn a_reader_is_told_what_is_new_once() {
        let texts = |news: &News| {
            let blocks = news.messages.iter().flat_map(|message| &message.blocks);
            blocks.map(|block| serde_json::to_value(block).unwrap()["text"].clone()).collect::<Vec<_>>()
        };
        let first = body(vec![said("user", "begin", true)]);
        let second =
            body(vec![said("user", "begin", false), said("assistant", "yes?", false), said("user", "go on", true)]);
        let begun = Written::of(Wire::Messages, &first, &[]).news(Wire::Messages);
        assert!(begun.begins && begun.system == "rules");
        assert_eq!(texts(&begun), ["begin"]);
        // The mark has moved, so the first message is written again.
        let written = Written::of(Wire::Messages, &second, &[(1, first)]);
        let gone_on = written.news(Wire::Messages);
        assert_eq!((written.keep, gone_on.begins, texts(&gone_on)), (0, false, vec![json!("go on")]));
        let third = body(
            [
                second["messages"].as_array().unwrap()[..2].to_vec(),
                vec![said("user", "go on", false), said("assistant", "done", false), said("user", "more", true)],
            ]
            .concat(),
        );
        let written = Written::of(Wire::Messages, &third, &[(2, second.clone())]);
        assert_eq!((written.after, written.keep), (Some(2), 2));
        let gone_on = written.news(Wire::Messages);
        assert!(!gone_on.begins && gone_on.system.is_empty());
        assert_eq!(texts(&gone_on), ["more"]);
        // The next session has the same rules and another first message.
        let session = Written::of(Wire::Messages, &body(vec![said("user", "again", true)]), &[(3, second)]);
        assert!(session.news(Wire::Messages).begins);
    }
}
