//! Responses as a stream: items that open, grow and close, and the whole answer in the last event.

use super::{Responses, output, read_usage};
use crate::conversation::{Reply, Usage};
use crate::json::{list, pieces as split, text};
use crate::stream::{Assemble, Delta};
use crate::wire::Format;
use serde_json::{Value, json};

/// An answer as events.
pub fn pieces(reply: &Reply) -> Vec<(String, String)> {
    let whole = Responses.reply(reply);
    let mut begun = whole.clone();
    begun["status"] = "in_progress".into();
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    begun["incomplete_details"] = Value::Null;
    let mut events = vec![json!({"type": "response.created", "response": begun})];
    for (index, item) in output(reply).iter().enumerate() {
        events.extend(grow(index, item));
    }
    let last = if whole["status"] == "incomplete" { "response.incomplete" } else { "response.completed" };
    events.push(json!({"type": last, "response": whole}));
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = number.into();
        (text(&event, "type").to_owned(), event.to_string())
    });
    numbered.collect()
}

fn grow(index: usize, item: &Value) -> Vec<Value> {
    let mut opened = item.clone();
    let mut events = Vec::new();
    let at = json!({"item_id": item["id"], "output_index": index});
    let mut say = |kind: &str, more: Value| {
        let mut event = at.clone();
        event["type"] = kind.into();
        more.as_object().into_iter().flatten().for_each(|(key, value)| event[key] = value.clone());
        events.push(event);
    };
    match text(item, "type") {
        "message" => {
            opened["content"] = json!([]);
            say("response.output_item.added", json!({"item": opened}));
            let part = &item["content"][0];
            let empty = json!({"type": "output_text", "text": "", "annotations": []});
            say("response.content_part.added", json!({"content_index": 0, "part": empty}));
            for piece in split(text(part, "text")) {
                say("response.output_text.delta", json!({"content_index": 0, "delta": piece}));
            }
            say("response.output_text.done", json!({"content_index": 0, "text": part["text"]}));
            say("response.content_part.done", json!({"content_index": 0, "part": part}));
        }
        "function_call" => {
            opened["arguments"] = "".into();
            say("response.output_item.added", json!({"item": opened}));
            for piece in split(text(item, "arguments")) {
                say("response.function_call_arguments.delta", json!({"delta": piece}));
            }
            say("response.function_call_arguments.done", json!({"arguments": item["arguments"]}));
        }
        _ => say("response.output_item.added", json!({"item": opened})),
    }
    say("response.output_item.done", json!({"item": item}));
    events
}

/// An answer in the making.
#[derive(Default)]
pub struct Assembly {
    items: Vec<Value>,
    last: Option<Value>,
    usage: Usage,
}

impl Assemble for Assembly {
    fn event(&mut self, data: &Value) -> Result<Vec<Delta>, String> {
        let delta = || text(data, "delta").to_owned();
        match text(data, "type") {
            "response.output_text.delta" | "response.refusal.delta" => return Ok(vec![Delta::Text(delta())]),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                return Ok(vec![Delta::Reasoning(delta())]);
            }
            "response.function_call_arguments.delta" => return Ok(vec![Delta::Arguments(delta())]),
            "response.output_item.done" => self.items.push(data["item"].clone()),
            "response.completed" | "response.incomplete" => {
                self.usage = read_usage(&data["response"]["usage"]);
                self.last = Some(data["response"].clone());
            }
            "response.failed" => {
                self.usage = read_usage(&data["response"]["usage"]);
                let error = &data["response"]["error"];
                return Err(format!("{}: {}", text(error, "code"), text(error, "message")));
            }
            "error" => {
                let error = if data["error"].is_object() { &data["error"] } else { data };
                return Err(format!("{}: {}", text(error, "code"), text(error, "message")));
            }
            _ => {}
        }
        Ok(vec![])
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn whole(&mut self) -> Option<Reply> {
        let mut last = self.last.take()?;
        // Some servers leave the items out of the last event.
        if last.is_object() && list(&last, "output").is_empty() {
            last["output"] = std::mem::take(&mut self.items).into();
        }
        Responses.read_reply(&last).ok()
    }
}
