//! A line of a transcript as a reader sees it: what is new in it, piece by piece.

use aar_llm::conversation::{Block, Message, Speaker};
use aar_llm::transcript::{Charge, Event, Line, Outcome};
use serde_json::Value;

/// One line.
pub struct Entry {
    /// When.
    pub at_ms: i64,
    /// The call's number in the gateway's ledger; a refusal has none.
    pub call: Option<i64>,
    /// What happened.
    pub what: What,
    /// What was said, in order.
    pub pieces: Vec<Piece>,
}

/// What happened.
pub enum What {
    /// A model is asked; whether a conversation begins with it.
    Asked {
        /// As the researcher named it.
        model: String,
        /// Whether a conversation begins.
        begins: bool,
    },
    /// A call ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// What it cost.
        charge: Charge,
    },
    /// The gateway refused.
    Refused,
}

/// A part of what was said.
pub struct Piece {
    /// Who or what it comes from.
    pub from: From,
    /// The text.
    pub text: String,
}

/// Who or what a piece comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// What stands above the conversation.
    System,
    /// What the model is told.
    Told,
    /// The model.
    Model,
    /// The model, thinking.
    Reasoning,
    /// The model calls this tool.
    Call(String),
    /// A tool; whether it failed.
    Result(bool),
    /// The gateway.
    Gateway,
}

impl Entry {
    /// `None` where it is no line of ours.
    pub fn read(line: &[u8]) -> Option<Self> {
        let Line { at_ms, event } = serde_json::from_slice(line).ok()?;
        Some(match event {
            Event::Asked { call, wire, model, body, .. } => {
                let news = body.news(wire);
                let mut pieces = vec![];
                if !news.system.is_empty() {
                    pieces.push(Piece { from: From::System, text: news.system });
                }
                pieces.extend(news.messages.iter().flat_map(said));
                Self { at_ms, call: Some(call), what: What::Asked { model, begins: news.begins }, pieces }
            }
            Event::Ended { call, reply, failure, outcome, charge, .. } => {
                let blocks = reply.map(|reply| reply.blocks).unwrap_or_default();
                let mut pieces = said(&Message { speaker: Speaker::Assistant, blocks });
                pieces.extend(failure.map(|text| Piece { from: From::Gateway, text }));
                Self { at_ms, call: Some(call), what: What::Ended { outcome, charge }, pieces }
            }
            Event::Refused { message, .. } => {
                let pieces = vec![Piece { from: From::Gateway, text: message }];
                Self { at_ms, call: None, what: What::Refused, pieces }
            }
        })
    }

    /// A piece that holds one of `words` (lower case), if each of them is in some piece.
    pub fn holds(&self, words: &[String]) -> Option<&Piece> {
        let texts: Vec<String> = self.pieces.iter().map(Piece::lower).collect();
        let all = words.iter().all(|word| texts.iter().any(|text| text.contains(word.as_str())));
        let first = texts.iter().position(|text| words.first().is_some_and(|word| text.contains(word.as_str())))?;
        all.then(|| &self.pieces[first])
    }
}

impl Piece {
    /// Its text with small letters, byte for byte where it was; a tool's name is part of it.
    pub fn lower(&self) -> String {
        let name = if let From::Call(name) = &self.from { name.as_str() } else { "" };
        format!("{}\n{name}", self.text).to_ascii_lowercase()
    }
}

fn said(message: &Message) -> Vec<Piece> {
    let piece = |block: &Block| {
        let (from, text) = match block {
            Block::Text { text } if message.speaker == Speaker::User => (From::Told, text.clone()),
            Block::Text { text } => (From::Model, text.clone()),
            Block::Reasoning { raw } => (From::Reasoning, thought(raw)),
            Block::ToolCall { name, arguments, .. } => (From::Call(name.clone()), plain(arguments)),
            Block::ToolResult { text, is_error, .. } => (From::Result(*is_error), text.clone()),
        };
        Piece { from, text }
    };
    message.blocks.iter().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// What a provider shows of a model's thinking; the rest is its own.
fn thought(raw: &Value) -> String {
    let summaries = raw["summary"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    match raw["thinking"].as_str().or(raw["text"].as_str()).or(raw["reasoning_content"].as_str()) {
        Some(text) => text.to_owned(),
        None => summaries.collect::<Vec<_>>().join("\n\n"),
    }
}

/// Arguments as a person reads them: names and values on lines of their own, texts without quotes.
fn plain(arguments: &Value) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match arguments {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().map(|(name, field)| format!("{name}: {}", value(field))).collect::<Vec<_>>().join("\n")
        }
        other => value(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_shows_what_is_new_and_searches_what_it_shows() {
        let body = json!({"new": {"model": "m", "system": "rules", "messages": [{"role": "user", "content": "Begin \"now\""}]}});
        let asked = json!({"at_ms": 5, "event": "asked", "call": 3, "wire": "messages", "model": "fast", "body": body});
        let entry = Entry::read(asked.to_string().as_bytes()).unwrap();
        assert!(matches!(entry.what, What::Asked { begins: true, .. }));
        assert_eq!(entry.pieces.iter().map(|piece| piece.from.clone()).collect::<Vec<_>>(), [From::System, From::Told]);
        assert_eq!(entry.holds(&["begin".into(), "rules".into()]).unwrap().text, "Begin \"now\"");
        assert!(entry.holds(&["messages".into()]).is_none(), "what is not shown is not found");
        let reply = json!({"model": "m", "stop": "tool-calls", "usage": {}, "blocks": [
            {"type": "reasoning", "raw": {"thinking": "hm", "signature": "abc"}},
            {"type": "tool-call", "id": "1", "name": "shell", "arguments": {"command": "ls -l\npwd"}}]});
        let ended = json!({"at_ms": 6, "event": "ended", "call": 3, "attempts": 1, "status": 200, "reply": reply,
            "failure": null, "outcome": "answered", "charge": {"usage": {"output": 7}, "nano": 9}});
        let entry = Entry::read(ended.to_string().as_bytes()).unwrap();
        assert_eq!(entry.pieces[1].text, "command: ls -l\npwd");
        assert_eq!(entry.holds(&["shell".into()]).unwrap().from, From::Call("shell".into()));
        assert!(entry.holds(&["abc".into()]).is_none());
        assert!(Entry::read(b"{\"at_ms\": 1, \"event\": \"as").is_none());
    }
}
