//! What is changed in a call on its way: as little as may be.
//!
//! The model's name becomes the pinned one, the limit on the answer is lowered to the cap. What would be paid for
//! beyond tokens, would reach the network from the provider's side, or would make the prompt longer than the body is
//! taken out (a provider's own tools, dearer tiers, longer caches) or refused (addresses to fetch, conversations kept by the
//! provider). Everything else goes on byte by byte.

use crate::refusal::{Reason, Refusal};
use aar_llm::conversation::Usage;
use aar_llm::{chat, wire::Wire};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tokens that providers add to what was sent: templates, the description of tool use.
const ADDED: u64 = 2048;
/// The most that one image comes to with any provider that we know.
const IMAGE: u64 = 40_000;

/// Keys that make a call dearer than its price says, or reach further than text.
const TAKEN_OUT: [&str; 8] =
    ["service_tier", "speed", "inference_geo", "web_search_options", "mcp_servers", "container", "audio", "modalities"];
/// Keys by which the provider would read what is not in the body.
const REFUSED: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// A call as it goes on.
#[derive(Debug)]
pub struct Pinned {
    /// The body.
    pub body: Vec<u8>,
    /// The same, read.
    pub value: Value,
    /// Whether the answer comes piece by piece.
    pub stream: bool,
    /// The most that it can use: all input, and the limit on the answer.
    pub worst: Usage,
    /// What was taken out.
    pub taken_out: Vec<String>,
}

/// The model that a body asks for.
pub fn model(body: &[u8]) -> Result<(Value, String), Refusal> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(Reason::Invalid, format!("the body is not JSON: {error}")))?;
    match value["model"].as_str() {
        Some(model) => Ok((value.clone(), model.to_owned())),
        None => Err(Refusal::new(Reason::Invalid, "the body names no `model`")),
    }
}

/// The body for this model: `name` at its provider, at most `max_tokens` of answer.
pub fn pin(wire: Wire, body: &[u8], mut value: Value, name: &str, max_tokens: u32) -> Result<Pinned, Refusal> {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(Reason::Invalid, format!("the body is no JSON object: {error}")))?;
    refuse(&value)?;
    let images = Images::count(&value)?;
    let mut edit = Edit { raw, value: &mut value, taken_out: vec![] };
    edit.set("model", name.into());
    TAKEN_OUT.iter().for_each(|key| edit.take_out(key));
    edit.tools(wire);
    edit.short_cache();
    let output = edit.limit(wire, name, max_tokens);
    let stream = edit.value["stream"] == true;
    if stream && wire == Wire::Chat {
        // Without it nobody would say what a stream used.
        let mut options = edit.value["stream_options"].as_object().cloned().unwrap_or_default();
        options.insert("include_usage".into(), true.into());
        edit.set("stream_options", options.into());
    }
    let body = serde_json::to_vec(&edit.raw).map_err(|error| Refusal::internal(&error))?;
    let taken_out = edit.taken_out;
    // A token is a byte or more.
    let input = body.len() as u64 + ADDED + images * IMAGE;
    let worst = Usage { input, output: u64::from(output), ..Usage::default() };
    Ok(Pinned { body, value, stream, worst, taken_out })
}

fn refuse(value: &Value) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::new(Reason::Invalid, message));
    if let Some(key) = REFUSED.iter().find(|key| !value[**key].is_null()) {
        return invalid(format!("`{key}` is not let through: send the whole conversation"));
    }
    if value["background"] == true {
        return invalid("`background` is not let through: nobody would see what it used".into());
    }
    if value["n"].as_u64().is_some_and(|n| n > 1) {
        return invalid("`n` above 1 is not let through".into());
    }
    Ok(())
}

/// Parts that are no text.
struct Images;

impl Images {
    /// How many images there are; what has to be fetched or read from elsewhere is refused.
    fn count(value: &Value) -> Result<u64, Refusal> {
        let lists = [&value["messages"], &value["input"], &value["system"]];
        lists.into_iter().map(Self::within).sum()
    }

    /// Parts stand in `content` or `output`, also of results within a content.
    fn within(value: &Value) -> Result<u64, Refusal> {
        match value {
            Value::Array(parts) => parts.iter().map(Self::within).sum(),
            Value::Object(_) => {
                let within = Self::within(&value["content"])? + Self::within(&value["output"])?;
                Ok(within + Self::part(value)?)
            }
            _ => Ok(0),
        }
    }

    fn part(part: &Value) -> Result<u64, Refusal> {
        let address = part["image_url"]["url"].as_str().or(part["image_url"].as_str());
        let inline = address.is_some_and(|address| address.starts_with("data:"));
        match (part["type"].as_str().unwrap_or_default(), part["source"]["type"].as_str()) {
            ("image", Some("base64")) => Ok(1),
            ("image_url" | "input_image", _) if inline => Ok(1),
            ("document", Some("text" | "content")) => Ok(0),
            (
                kind @ ("image" | "image_url" | "input_image" | "document" | "input_file" | "file" | "input_audio"
                | "container_upload" | "item_reference"),
                _,
            ) => {
                let message =
                    format!("a part of type `{kind}` is let through only as text or as an image within the body");
                Err(Refusal::new(Reason::Invalid, message))
            }
            _ => Ok(0),
        }
    }
}

/// A body in both forms: raw, so that what is not touched stays as it is, and read.
struct Edit<'a> {
    raw: BTreeMap<String, Box<RawValue>>,
    value: &'a mut Value,
    taken_out: Vec<String>,
}

impl Edit<'_> {
    fn set(&mut self, key: &str, to: Value) {
        if let Ok(raw) = to_raw_value(&to) {
            self.raw.insert(key.to_owned(), raw);
            self.value[key] = to;
        }
    }

    fn take_out(&mut self, key: &str) {
        if self.raw.remove(key).is_some() {
            self.value.as_object_mut().and_then(|object| object.remove(key));
            self.taken_out.push(key.to_owned());
        }
    }

    /// Tools that the caller runs itself stay.
    fn tools(&mut self, wire: Wire) {
        let Some(tools) = self.value["tools"].as_array() else {
            return;
        };
        let (stay, go): (Vec<&Value>, Vec<&Value>) = tools.iter().partition(|tool| is_the_callers(wire, tool));
        if go.is_empty() {
            return;
        }
        let gone = go.iter().map(|tool| tool["type"].as_str().unwrap_or("a tool").to_owned()).collect::<Vec<_>>();
        let stay: Vec<Value> = stay.into_iter().cloned().collect();
        self.taken_out.extend(gone);
        if stay.is_empty() {
            self.take_out("tools");
            self.take_out("tool_choice");
        } else {
            self.set("tools", stay.into());
        }
    }

    /// The price table knows the five-minute cache only.
    fn short_cache(&mut self) {
        for key in ["system", "tools", "messages", "cache_control"] {
            let longer = self.raw.get(key).is_some_and(|raw| raw.get().contains("\"ttl\""));
            let mut value = self.value[key].clone();
            if longer && shorten(&mut value, key == "cache_control") {
                self.set(key, value);
                self.taken_out.push(format!("{key}: cache_control.ttl"));
            }
        }
    }

    /// Lower the limit on the answer, or set one. Returns what holds.
    fn limit(&mut self, wire: Wire, name: &str, cap: u32) -> u32 {
        let keys: &[&str] = match wire {
            Wire::Messages => &["max_tokens"],
            Wire::Chat => &["max_completion_tokens", "max_tokens"],
            Wire::Responses => &["max_output_tokens"],
        };
        let asked: Vec<&str> = keys.iter().copied().filter(|key| !self.value[*key].is_null()).collect();
        let mut holds = 0;
        for key in &asked {
            let tokens = self.value[*key].as_u64().map_or(cap, |tokens| u32::try_from(tokens).unwrap_or(cap).min(cap));
            if self.value[*key].as_u64() != Some(u64::from(tokens)) {
                self.set(key, tokens.into());
            }
            holds = holds.max(tokens);
        }
        if asked.is_empty() {
            self.set(if wire == Wire::Chat { chat::limit_key(name) } else { keys[0] }, cap.into());
            holds = cap;
        }
        // Thinking has to leave room for an answer.
        if self.value["thinking"]["budget_tokens"].as_u64().is_some_and(|budget| budget >= u64::from(holds)) {
            let mut thinking = self.value["thinking"].clone();
            thinking["budget_tokens"] = json!(holds.saturating_sub(1));
            self.set("thinking", thinking);
        }
        holds
    }
}

fn is_the_callers(wire: Wire, tool: &Value) -> bool {
    let kind = tool["type"].as_str().unwrap_or_default();
    match wire {
        Wire::Messages => {
            let run_by_callers = ["bash_", "text_editor_", "computer_", "memory_"];
            kind.is_empty() || kind == "custom" || run_by_callers.iter().any(|start| kind.starts_with(start))
        }
        Wire::Chat => kind == "function" || kind == "custom",
        // A group of tools, as Codex offers those of MCP servers: it stays whole or goes whole.
        Wire::Responses if kind == "namespace" => {
            tool["tools"].as_array().is_some_and(|tools| tools.iter().all(|tool| is_the_callers(wire, tool)))
        }
        Wire::Responses => ["function", "custom", "local_shell", "apply_patch"].contains(&kind),
    }
}

/// Remove `ttl` from every mark within blocks. Whether there was one.
fn shorten(value: &mut Value, is_mark: bool) -> bool {
    match value {
        Value::Array(parts) => parts.iter_mut().map(|part| shorten(part, false)).filter(|found| *found).count() > 0,
        Value::Object(object) if is_mark => object.remove("ttl").is_some(),
        Value::Object(object) => {
            let mark = object.get_mut("cache_control").is_some_and(|mark| shorten(mark, true));
            object.get_mut("content").is_some_and(|content| shorten(content, false)) || mark
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(wire: Wire, body: &str) -> Result<Pinned, Refusal> {
        let (value, _) = model(body.as_bytes())?;
        pin(wire, body.as_bytes(), value, "pinned-1", 1000)
    }

    #[test]
    fn what_is_not_touched_goes_on_byte_by_byte() {
        let tools = r#"[{"name":"z","input_schema":{"type":"object","properties":{"b":{},"a":{"const":1.50}}}}]"#;
        let messages = r#"[{"role":"user","content":"\u00e4  \"ttl\" x"}]"#;
        let body = format!(
            r#"{{"model":"x","max_tokens":7000,"tools":{tools},  "messages":{messages},"thinking":{{"budget_tokens":5000}}}}"#
        );
        let pinned = pinned(Wire::Messages, &body).unwrap();
        let sent = String::from_utf8(pinned.body).unwrap();
        assert!(sent.contains(tools) && sent.contains(messages), "{sent}");
        assert!(sent.contains(r#""model":"pinned-1""#) && sent.contains(r#""max_tokens":1000"#), "{sent}");
        assert!(sent.contains(r#""budget_tokens":999"#), "{sent}");
        assert_eq!(pinned.worst.output, 1000);
        assert!(pinned.worst.input >= sent.len() as u64);
        assert!(pinned.taken_out.is_empty());
    }

    #[test]
    fn the_limit_is_lowered_or_set() {
        for (wire, body, key, expect) in [
            (Wire::Messages, r#"{"model":"x","max_tokens":10}"#, "max_tokens", 10),
            (Wire::Messages, r#"{"model":"x"}"#, "max_tokens", 1000),
            (Wire::Chat, r#"{"model":"x","max_tokens":"many"}"#, "max_tokens", 1000),
            (Wire::Chat, r#"{"model":"x","max_completion_tokens":99999999999}"#, "max_completion_tokens", 1000),
            (Wire::Chat, r#"{"model":"x"}"#, "max_tokens", 1000),
            (Wire::Responses, r#"{"model":"x","max_output_tokens":-1}"#, "max_output_tokens", 1000),
            (Wire::Responses, r#"{"model":"x"}"#, "max_output_tokens", 1000),
        ] {
            let pinned = pinned(wire, body).unwrap();
            assert_eq!((&pinned.value[key], pinned.worst.output), (&json!(expect), expect), "{body}");
            assert_eq!(serde_json::from_slice::<Value>(&pinned.body).unwrap(), pinned.value);
        }
    }

    #[test]
    fn a_stream_of_chat_says_its_usage() {
        let pinned = pinned(Wire::Chat, r#"{"model":"x","stream":true,"stream_options":{"a":1}}"#).unwrap();
        assert!(pinned.stream);
        assert_eq!(pinned.value["stream_options"], json!({"a": 1, "include_usage": true}));
    }

    #[test]
    fn what_reaches_further_is_taken_out() {
        let body = r#"{"model":"x","service_tier":"priority","mcp_servers":[{"url":"https://a"}],
            "tools":[{"name":"Bash","input_schema":{}},{"type":"web_search_20250305","name":"web_search"}],
            "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]}"#;
        let read = pinned(Wire::Messages, body).unwrap();
        let sent = String::from_utf8(read.body).unwrap();
        for gone in ["service_tier", "mcp_servers", "web_search", "ttl", "1h"] {
            assert!(!sent.contains(gone), "{gone} in {sent}");
        }
        assert!(sent.contains("Bash") && sent.contains("ephemeral"));
        assert_eq!(read.taken_out.len(), 4, "{:?}", read.taken_out);
        let only =
            pinned(Wire::Responses, r#"{"model":"x","tools":[{"type":"web_search"}],"tool_choice":"auto"}"#).unwrap();
        assert!(only.value["tools"].is_null() && only.value["tool_choice"].is_null());
        let groups = r#"{"model":"x","tools":[{"type":"namespace","name":"ours","tools":[{"type":"function","name":"f"}]},
            {"type":"namespace","name":"theirs","tools":[{"type":"function","name":"g"},{"type":"web_search"}]}]}"#;
        let groups = pinned(Wire::Responses, groups).unwrap();
        assert_eq!(groups.value["tools"].as_array().unwrap().len(), 1, "a group goes whole: {}", groups.value);
        assert_eq!(groups.value["tools"][0]["name"], "ours");
    }

    #[test]
    fn what_would_be_read_from_elsewhere_is_refused() {
        for (wire, body) in [
            (
                Wire::Messages,
                r#"{"model":"x","messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a/?leak"}}]}]}"#,
            ),
            (
                Wire::Messages,
                r#"{"model":"x","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"document","source":{"type":"base64"}}]}]}]}"#,
            ),
            (
                Wire::Chat,
                r#"{"model":"x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a"}}]}]}"#,
            ),
            (Wire::Chat, r#"{"model":"x","n":3}"#),
            (Wire::Responses, r#"{"model":"x","previous_response_id":"r"}"#),
            (Wire::Responses, r#"{"model":"x","background":true}"#),
            (
                Wire::Responses,
                r#"{"model":"x","input":[{"type":"function_call_output","output":[{"type":"input_file","file_url":"https://a"}]}]}"#,
            ),
            (Wire::Chat, "[1]"),
            (Wire::Chat, "{"),
            (Wire::Chat, "{}"),
        ] {
            let refusal = pinned(wire, body).unwrap_err();
            assert_eq!(refusal.reason, Reason::Invalid, "{body}");
        }
        let image = r#"{"model":"x","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"AA"}}]}]}"#;
        assert!(pinned(Wire::Messages, image).unwrap().worst.input > IMAGE);
    }
}
