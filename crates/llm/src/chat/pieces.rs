//! Chat completions as a stream: chunks with a `delta`, a last one with the usage, `[DONE]`.

use super::{call, finish_reason, read_spoken, read_stop, read_usage, spoken, usage};
use crate::conversation::{Reply, Stop, Usage};
use crate::json::{grow, list, pieces as split, text};
use crate::stream::{Assemble, Delta};
use serde_json::{Value, json};

/// An answer as events.
pub fn pieces(reply: &Reply) -> Vec<(String, String)> {
    let id = crate::json::id("chatcmpl-", reply);
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": id, "object": "chat.completion.chunk", "created": 0, "model": reply.model, "choices": choices, "usage": usage,
        });
        (String::new(), chunk.to_string())
    };
    let delta = |delta: Value| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null);
    let message = spoken(&reply.blocks);
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}))];
    for key in ["reasoning_content", "reasoning", "content"] {
        events.extend(split(text(&message, key)).iter().map(|piece| delta(json!({key: piece}))));
    }
    for (index, call) in reply.blocks.iter().filter_map(call).enumerate() {
        let mut opened = call.clone();
        opened["index"] = index.into();
        opened["function"]["arguments"] = "".into();
        events.push(delta(json!({"tool_calls": [opened]})));
        for piece in split(text(&call["function"], "arguments")) {
            events.push(delta(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})));
        }
    }
    events.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": finish_reason(&reply.stop)}]), Value::Null));
    events.push(chunk(json!([]), usage(&reply.usage)));
    events.push((String::new(), "[DONE]".into()));
    events
}

/// An answer in the making.
#[derive(Default)]
pub struct Assembly {
    model: String,
    finish: Option<String>,
    usage: Usage,
    /// As it would stand in a whole answer, but for the calls.
    message: serde_json::Map<String, Value>,
    calls: Vec<Call>,
}

#[derive(Default)]
struct Call {
    index: u64,
    id: String,
    name: String,
    arguments: String,
}

impl Assembly {
    fn add(&mut self, delta: &Value, key: &str) -> Option<String> {
        let piece = delta[key].as_str().filter(|piece| !piece.is_empty())?;
        grow(self.message.entry(key).or_insert(Value::Null), piece);
        Some(piece.to_owned())
    }

    fn call(&mut self, piece: &Value) -> String {
        let index = piece["index"].as_u64().unwrap_or(0);
        let id = text(piece, "id");
        // Some servers give every call the index 0, and each an id of its own.
        let same = |call: &Call| call.index == index && (id.is_empty() || call.id.is_empty() || call.id == id);
        let at = self.calls.iter().rposition(same).unwrap_or_else(|| {
            self.calls.push(Call { index, ..Call::default() });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        if !id.is_empty() {
            call.id = id.to_owned();
        }
        let function = &piece["function"];
        call.name.push_str(text(function, "name"));
        call.arguments.push_str(text(function, "arguments"));
        text(function, "arguments").to_owned()
    }
}

impl Assemble for Assembly {
    fn event(&mut self, data: &Value) -> Result<Vec<Delta>, String> {
        if data["error"].is_object() {
            return Err(format!("{}: {}", text(&data["error"], "type"), text(&data["error"], "message")));
        }
        if !text(data, "model").is_empty() {
            self.model = text(data, "model").to_owned();
        }
        if data["usage"].is_object() {
            self.usage = read_usage(&data["usage"]);
        }
        let choice = &data["choices"][0];
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.finish = Some(reason.to_owned());
        }
        let delta = &choice["delta"];
        let arguments: String = list(delta, "tool_calls").iter().map(|piece| self.call(piece)).collect();
        let refusal = self.add(delta, "refusal");
        let reasoning = self.add(delta, "reasoning_content").or(self.add(delta, "reasoning"));
        let text = self.add(delta, "content").or(refusal).map(Delta::Text);
        let arguments = Some(arguments).filter(|arguments| !arguments.is_empty()).map(Delta::Arguments);
        Ok([reasoning.map(Delta::Reasoning), text, arguments].into_iter().flatten().collect())
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn whole(&mut self) -> Option<Reply> {
        let finish = self.finish.take()?;
        let call = |call: &Call| json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}});
        self.message.insert("tool_calls".into(), self.calls.iter().map(call).collect());
        let message = Value::Object(std::mem::take(&mut self.message));
        let mut blocks = Vec::new();
        read_spoken(&message, &mut blocks);
        let stop = if message["refusal"].is_string() { Stop::Refused } else { read_stop(&finish, &blocks) };
        Some(Reply { model: self.model.clone(), blocks, stop, usage: self.usage })
    }
}
