//! OpenAI responses, without state at the provider: the whole conversation is sent every time.

mod pieces;

use crate::chat::{append, read_tool};
use crate::conversation::{Block, Message, Reply, Request, Speaker, Stop, Tool, Usage};
use crate::json::{arguments, arguments_text, count, joined, limit, list, part, text};
use crate::wire::{Format, Wire, WireError};
pub(crate) use pieces::Assembly;
use serde_json::{Value, json};

/// The format.
pub struct Responses;

impl Format for Responses {
    fn request(&self, request: &Request) -> Value {
        let mut input = Vec::new();
        request.messages.iter().for_each(|message| write_message(message, &mut input));
        let mut body = json!({
            "model": request.model, "input": input, "max_output_tokens": request.max_tokens, "store": false,
        });
        if !request.system.is_empty() {
            body["instructions"] = request.system.clone().into();
        }
        if !request.tools.is_empty() {
            body["tools"] = request.tools.iter().map(tool).collect();
        }
        // Reasoning can be sent back only when it comes encrypted; models that do not reason refuse to be asked for it.
        if !["gpt-3", "gpt-4", "chatgpt-"].iter().any(|old| request.model.starts_with(old)) {
            body["include"] = json!(["reasoning.encrypted_content"]);
        }
        if request.stream {
            body["stream"] = true.into();
        }
        body
    }

    fn read_request(&self, body: &Value) -> Result<Request, WireError> {
        let mut system = text(body, "instructions").to_owned();
        let mut messages = Vec::new();
        match &body["input"] {
            Value::String(text) => messages.push(Message::user(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| read_item(item, &mut system, &mut messages)),
            _ => return Err(WireError { wire: Wire::Responses, detail: "there is no `input`".into() }),
        }
        Ok(Request {
            model: text(body, "model").to_owned(),
            system,
            messages,
            tools: list(body, "tools").iter().flat_map(read_tools).collect(),
            max_tokens: limit(&body["max_output_tokens"]),
            stream: body["stream"] == true,
        })
    }

    fn reply(&self, reply: &Reply) -> Value {
        let (status, reason) = match reply.stop {
            Stop::End | Stop::ToolCalls => ("completed", Value::Null),
            Stop::Length => ("incomplete", json!({"reason": "max_output_tokens"})),
            Stop::Refused => ("incomplete", json!({"reason": "content_filter"})),
        };
        json!({
            "id": crate::json::id("resp_", reply), "object": "response", "created_at": 0, "status": status, "error": null,
            "incomplete_details": reason, "model": reply.model, "output": output(reply), "usage": usage(&reply.usage),
        })
    }

    fn read_reply(&self, body: &Value) -> Result<Reply, WireError> {
        let wrong = |detail: String| WireError { wire: Wire::Responses, detail };
        let Some(output) = body["output"].as_array() else {
            return Err(wrong("the answer has no list `output`".into()));
        };
        if body["status"] == "failed" {
            return Err(wrong(format!("the provider failed: {}", text(&body["error"], "message"))));
        }
        let blocks: Vec<Block> = output.iter().flat_map(read_output).collect();
        let refused = output.iter().any(|item| list(item, "content").iter().any(|part| part["type"] == "refusal"));
        let stop = match body["incomplete_details"]["reason"].as_str() {
            Some("content_filter") => Stop::Refused,
            Some(_) => Stop::Length,
            None if refused => Stop::Refused,
            None if blocks.iter().any(|block| matches!(block, Block::ToolCall { .. })) => Stop::ToolCalls,
            None => Stop::End,
        };
        Ok(Reply { model: text(body, "model").to_owned(), blocks, stop, usage: read_usage(&body["usage"]) })
    }

    fn pieces(&self, reply: &Reply) -> Vec<(String, String)> {
        pieces::pieces(reply)
    }
}

fn tool(tool: &Tool) -> Value {
    // Strict would demand schemas of one form only.
    json!({
        "type": "function", "name": tool.name, "description": tool.description, "parameters": tool.schema, "strict": false,
    })
}

/// One message of ours is several items here.
fn write_message(message: &Message, to: &mut Vec<Value>) {
    let user = message.speaker == Speaker::User;
    for block in &message.blocks {
        to.extend(match block {
            Block::Text { text } if user => {
                Some(json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}))
            }
            Block::Text { text } => Some(
                json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}),
            ),
            // Without its encrypted content the provider does not know it any more.
            Block::Reasoning { raw } => {
                Some(raw.clone()).filter(|raw| raw["type"] == "reasoning" && raw["encrypted_content"].is_string())
            }
            Block::ToolCall { id, name, arguments } => Some(call(id, name, arguments)),
            Block::ToolResult { id, text, .. } => {
                Some(json!({"type": "function_call_output", "call_id": id, "output": text}))
            }
        });
    }
}

/// A tool, or those of a group by `GROUP.NAME`, which no single one can be called. The provider's own tools are no functions.
fn read_tools(tool: &Value) -> Vec<Tool> {
    match text(tool, "type") {
        "function" => vec![read_tool(tool, &tool["parameters"])],
        "namespace" => {
            let within = list(tool, "tools").iter().flat_map(read_tools);
            within.map(|inner| Tool { name: format!("{}.{}", text(tool, "name"), inner.name), ..inner }).collect()
        }
        _ => vec![],
    }
}

fn call(id: &str, name: &str, arguments: &Value) -> Value {
    let mut item =
        json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments_text(arguments)});
    if let Some((group, name)) = name.rsplit_once('.') {
        (item["namespace"], item["name"]) = (group.into(), name.into());
    }
    item
}

/// The name of the tool that an item calls, with its group's.
fn called(item: &Value) -> String {
    match text(item, "namespace") {
        "" => text(item, "name").to_owned(),
        group => format!("{group}.{}", text(item, "name")),
    }
}

/// The items of an answer, as the provider writes them.
fn output(reply: &Reply) -> Vec<Value> {
    let items = reply.blocks.iter().enumerate().filter_map(|(at, block)| match block {
        Block::Text { text } => {
            let parts = json!([{"type": "output_text", "text": text, "annotations": []}]);
            let id = format!("msg_{at}");
            Some(json!({"type": "message", "id": id, "role": "assistant", "status": "completed", "content": parts}))
        }
        Block::Reasoning { raw } => Some(raw.clone()).filter(|raw| raw["type"] == "reasoning"),
        Block::ToolCall { id, name, arguments } => {
            let mut item = call(id, name, arguments);
            item["id"] = format!("fc_{at}").into();
            item["status"] = "completed".into();
            Some(item)
        }
        Block::ToolResult { .. } => None,
    });
    items.collect()
}

fn read_item(item: &Value, system: &mut String, to: &mut Vec<Message>) {
    match (item["type"].as_str().unwrap_or("message"), text(item, "role")) {
        ("message", "system" | "developer") => {
            if !system.is_empty() {
                system.push('\n');
            }
            system.push_str(&joined(&item["content"]));
        }
        ("message", "assistant") | ("function_call" | "reasoning", _) => {
            append(Speaker::Assistant, read_output(item), to);
        }
        ("message", _) => append(Speaker::User, texts(&item["content"]), to),
        ("function_call_output", _) => {
            let id = text(item, "call_id").to_owned();
            append(Speaker::User, vec![Block::ToolResult { id, text: joined(&item["output"]), is_error: false }], to);
        }
        _ => {}
    }
}

fn texts(content: &Value) -> Vec<Block> {
    match content {
        Value::Array(parts) => {
            parts.iter().filter_map(part).map(|text| Block::Text { text: text.to_owned() }).collect()
        }
        _ => vec![Block::Text { text: joined(content) }],
    }
}

/// Items of a kind that we do not know (a provider's own tools) are skipped.
fn read_output(item: &Value) -> Vec<Block> {
    match item["type"].as_str().unwrap_or("message") {
        "message" => texts(&item["content"]),
        "reasoning" => vec![Block::Reasoning { raw: item.clone() }],
        "function_call" => vec![Block::ToolCall {
            id: text(item, "call_id").to_owned(),
            name: called(item),
            arguments: arguments(text(item, "arguments")),
        }],
        _ => vec![],
    }
}

/// What was cached is part of `input_tokens` here.
fn usage(usage: &Usage) -> Value {
    let input = usage.input + usage.cache_read + usage.cache_write;
    let mut said = json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": input + usage.output,
    });
    if usage.cache_write > 0 {
        said["input_tokens_details"]["cache_write_tokens"] = usage.cache_write.into();
    }
    said
}

fn read_usage(said: &Value) -> Usage {
    let details = &said["input_tokens_details"];
    let (cache_read, cache_write) = (count(details, "cached_tokens"), count(details, "cache_write_tokens"));
    Usage {
        input: count(said, "input_tokens").saturating_sub(cache_read).saturating_sub(cache_write),
        output: count(said, "output_tokens"),
        cache_read,
        cache_write,
    }
}
