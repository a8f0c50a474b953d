//! Messages as a stream: `message_start`, blocks that open, grow and close, `message_delta`, `message_stop`.

use super::{read_block, read_stop, read_usage, reply_block, stop_reason, usage};
use crate::conversation::{Block, Reply, Usage};
use crate::json::{arguments, arguments_text, grow as grow_text, pieces as split, text};
use crate::stream::{Assemble, Delta};
use serde_json::{Value, json};

/// An answer as events.
pub fn pieces(reply: &Reply) -> Vec<(String, String)> {
    let mut events = Vec::new();
    let mut say = |data: Value| events.push((text(&data, "type").to_owned(), data.to_string()));
    let started = Usage { output: 1, ..reply.usage };
    say(json!({"type": "message_start", "message": {
        "id": crate::json::id("msg_", reply), "type": "message", "role": "assistant", "model": reply.model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage(&started),
    }}));
    for (index, block) in reply.blocks.iter().filter_map(reply_block).enumerate() {
        let (open, deltas) = grow(&block);
        say(json!({"type": "content_block_start", "index": index, "content_block": open}));
        deltas
            .into_iter()
            .for_each(|delta| say(json!({"type": "content_block_delta", "index": index, "delta": delta})));
        say(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": stop_reason(&reply.stop), "stop_sequence": null});
    say(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": reply.usage.output}}));
    say(json!({"type": "message_stop"}));
    events
}

/// How a block begins, and what is added to it.
fn grow(block: &Value) -> (Value, Vec<Value>) {
    let mut open = block.clone();
    let deltas = match text(block, "type") {
        "text" => {
            open["text"] = "".into();
            split(text(block, "text")).iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect()
        }
        "thinking" => {
            open["thinking"] = "".into();
            open["signature"] = "".into();
            let pieces = split(text(block, "thinking"));
            let mut deltas: Vec<_> =
                pieces.iter().map(|piece| json!({"type": "thinking_delta", "thinking": piece})).collect();
            deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            deltas
        }
        "tool_use" => {
            open["input"] = json!({});
            let raw = arguments_text(&block["input"]);
            split(&raw).iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect()
        }
        _ => vec![],
    };
    (open, deltas)
}

/// An answer in the making.
#[derive(Default)]
pub struct Assembly {
    model: String,
    stop: Option<String>,
    stopped: bool,
    usage: Usage,
    /// By the provider's index; a call's arguments are kept as text until its block ends.
    blocks: Vec<(u64, Value, String)>,
}

impl Assembly {
    fn open(&mut self, data: &Value) {
        self.blocks.push((data["index"].as_u64().unwrap_or(0), data["content_block"].clone(), String::new()));
    }

    fn grow(&mut self, data: &Value) -> Option<Delta> {
        let index = data["index"].as_u64().unwrap_or(0);
        let (_, block, raw) = self.blocks.iter_mut().rev().find(|(at, ..)| *at == index)?;
        let delta = &data["delta"];
        let mut add = |key: &str| {
            let piece = text(delta, key);
            if block.is_object() {
                grow_text(&mut block[key], piece);
            }
            piece.to_owned()
        };
        match text(delta, "type") {
            "text_delta" => Some(Delta::Text(add("text"))),
            "thinking_delta" => Some(Delta::Reasoning(add("thinking"))),
            "signature_delta" => {
                add("signature");
                None
            }
            "input_json_delta" => {
                raw.push_str(text(delta, "partial_json"));
                Some(Delta::Arguments(text(delta, "partial_json").to_owned()))
            }
            _ => None,
        }
    }
}

impl Assemble for Assembly {
    fn event(&mut self, data: &Value) -> Result<Vec<Delta>, String> {
        match text(data, "type") {
            "message_start" => {
                self.model = text(&data["message"], "model").to_owned();
                self.usage = read_usage(&data["message"]["usage"], self.usage);
            }
            "content_block_start" => self.open(data),
            "content_block_delta" => return Ok(self.grow(data).into_iter().collect()),
            "message_delta" => {
                self.stop = data["delta"]["stop_reason"].as_str().map(str::to_owned).or(self.stop.take());
                self.usage = read_usage(&data["usage"], self.usage);
            }
            "message_stop" => self.stopped = true,
            "error" => {
                let error = &data["error"];
                return Err(format!("{}: {}", text(error, "type"), text(error, "message")));
            }
            _ => {}
        }
        Ok(vec![])
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn whole(&mut self) -> Option<Reply> {
        let stop = self.stop.as_deref().filter(|_| self.stopped)?;
        let blocks = self.blocks.iter().filter_map(|(_, block, raw)| {
            let mut block = read_block(block)?;
            if let Block::ToolCall { arguments: to, .. } = &mut block
                && !raw.is_empty()
            {
                *to = arguments(raw);
            }
            Some(block)
        });
        Some(Reply { model: self.model.clone(), blocks: blocks.collect(), stop: read_stop(stop), usage: self.usage })
    }
}
