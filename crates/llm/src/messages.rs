//! Anthropic Messages, version 2023-06-01.
//!
//! The encoder asks for prompt caching: everything up to a marked block is kept for five minutes, and read back at a tenth of
//! the price. Marked are the tools, the system text, and the last two messages of the user (the provider looks back only
//! twenty blocks from a mark for what it kept).

mod pieces;

use crate::conversation::{Block, Message, Reply, Request, Speaker, Stop, Tool, Usage};
use crate::json::{count, joined, limit, list, text};
use crate::wire::{Format, Wire, WireError};
pub(crate) use pieces::Assembly;
use serde_json::{Value, json};

/// The key under which arguments that are no object travel: the provider wants an object.
const UNPARSED: &str = "unparsed_arguments";

/// The format.
pub struct Messages;

impl Format for Messages {
    fn request(&self, request: &Request) -> Value {
        let messages = request.messages.iter().filter(|message| !message.blocks.is_empty()).map(message);
        let mut messages: Vec<Value> = messages.collect();
        let users = messages.iter_mut().rev().filter(|message| message["role"] == "user");
        users.take(2).for_each(|message| mark(message["content"].as_array_mut().and_then(|blocks| blocks.last_mut())));
        let mut body = json!({"model": request.model, "max_tokens": request.max_tokens, "messages": messages});
        if !request.system.is_empty() {
            let mut system = json!({"type": "text", "text": request.system});
            mark(Some(&mut system));
            body["system"] = json!([system]);
        }
        if !request.tools.is_empty() {
            let mut tools: Vec<Value> = request.tools.iter().map(tool).collect();
            mark(tools.last_mut());
            body["tools"] = tools.into();
        }
        if request.stream {
            body["stream"] = true.into();
        }
        body
    }

    fn read_request(&self, body: &Value) -> Result<Request, WireError> {
        let Some(messages) = body["messages"].as_array() else {
            return Err(WireError { wire: Wire::Messages, detail: "there is no list `messages`".into() });
        };
        let tools = list(body, "tools").iter().filter(|tool| tool["input_schema"].is_object());
        Ok(Request {
            model: text(body, "model").to_owned(),
            system: joined(&body["system"]),
            messages: messages.iter().map(read_message).collect(),
            tools: tools
                .map(|tool| Tool {
                    name: text(tool, "name").to_owned(),
                    description: text(tool, "description").to_owned(),
                    schema: tool["input_schema"].clone(),
                })
                .collect(),
            max_tokens: limit(&body["max_tokens"]),
            stream: body["stream"] == true,
        })
    }

    fn reply(&self, reply: &Reply) -> Value {
        json!({
            "id": crate::json::id("msg_", reply), "type": "message", "role": "assistant", "model": reply.model,
            "content": reply.blocks.iter().filter_map(reply_block).collect::<Vec<_>>(),
            "stop_reason": stop_reason(&reply.stop), "stop_sequence": null, "usage": usage(&reply.usage),
        })
    }

    fn read_reply(&self, body: &Value) -> Result<Reply, WireError> {
        let Some(content) = body["content"].as_array() else {
            return Err(WireError { wire: Wire::Messages, detail: "the answer has no list `content`".into() });
        };
        Ok(Reply {
            model: text(body, "model").to_owned(),
            blocks: content.iter().filter_map(read_block).collect(),
            stop: read_stop(text(body, "stop_reason")),
            usage: read_usage(&body["usage"], Usage::default()),
        })
    }

    fn pieces(&self, reply: &Reply) -> Vec<(String, String)> {
        pieces::pieces(reply)
    }
}

fn mark(block: Option<&mut Value>) {
    // A block of reasoning may not carry a mark.
    if let Some(block) = block.filter(|block| block["type"] != "thinking" && block["type"] != "redacted_thinking") {
        block["cache_control"] = json!({"type": "ephemeral"});
    }
}

fn tool(tool: &Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema})
}

fn message(message: &Message) -> Value {
    let role = if message.speaker == Speaker::User { "user" } else { "assistant" };
    let mut blocks: Vec<&Block> = message.blocks.iter().collect();
    // Results must stand before whatever else the user says.
    blocks.sort_by_key(|block| message.speaker == Speaker::User && !matches!(block, Block::ToolResult { .. }));
    json!({"role": role, "content": blocks.into_iter().filter_map(block).collect::<Vec<_>>()})
}

fn block(block: &Block) -> Option<Value> {
    Some(match block {
        // The provider refuses empty texts.
        Block::Text { text } if text.is_empty() => return None,
        Block::Text { text } => json!({"type": "text", "text": text}),
        Block::Reasoning { raw } if is_reasoning(raw) => raw.clone(),
        Block::Reasoning { .. } => return None,
        Block::ToolCall { id, name, arguments } => {
            let input = if arguments.is_object() { arguments.clone() } else { json!({UNPARSED: arguments}) };
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
        Block::ToolResult { id, text, is_error } => {
            let mut result = json!({"type": "tool_result", "tool_use_id": id, "content": text});
            if *is_error {
                result["is_error"] = true.into();
            }
            result
        }
    })
}

/// In an answer arguments stand as the model wrote them.
fn reply_block(wanted: &Block) -> Option<Value> {
    match wanted {
        Block::ToolCall { id, name, arguments } => {
            Some(json!({"type": "tool_use", "id": id, "name": name, "input": arguments}))
        }
        other => block(other),
    }
}

fn is_reasoning(raw: &Value) -> bool {
    raw["type"] == "thinking" || raw["type"] == "redacted_thinking"
}

fn read_message(message: &Value) -> Message {
    let speaker = if message["role"] == "assistant" { Speaker::Assistant } else { Speaker::User };
    let blocks = match &message["content"] {
        Value::String(text) => vec![Block::Text { text: text.clone() }],
        _ => list(message, "content").iter().filter_map(read_block).collect(),
    };
    Message { speaker, blocks }
}

/// Blocks of a kind that we do not know (a provider's own tools) are skipped.
fn read_block(block: &Value) -> Option<Block> {
    Some(match block["type"].as_str()? {
        "text" => Block::Text { text: text(block, "text").to_owned() },
        "thinking" | "redacted_thinking" => Block::Reasoning { raw: block.clone() },
        "tool_use" => Block::ToolCall {
            id: text(block, "id").to_owned(),
            name: text(block, "name").to_owned(),
            arguments: read_input(&block["input"]),
        },
        "tool_result" => Block::ToolResult {
            id: text(block, "tool_use_id").to_owned(),
            text: joined(&block["content"]),
            is_error: block["is_error"] == true,
        },
        "image" | "document" => Block::Text { text: format!("[{}]", text(block, "type")) },
        _ => return None,
    })
}

fn read_input(input: &Value) -> Value {
    match input {
        Value::Object(object) if object.len() == 1 => object.get(UNPARSED).unwrap_or(input).clone(),
        Value::Object(_) => input.clone(),
        Value::Null => json!({}),
        Value::String(raw) => raw.clone().into(),
        other => other.to_string().into(),
    }
}

fn stop_reason(stop: &Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::ToolCalls => "tool_use",
        Stop::Length => "max_tokens",
        Stop::Refused => "refusal",
    }
}

fn read_stop(reason: &str) -> Stop {
    match reason {
        "tool_use" => Stop::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Refused,
        _ => Stop::End,
    }
}

fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input, "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read, "output_tokens": usage.output,
    })
}

/// What is said now over what was said before: a stream says its input at the start and its output at the end.
fn read_usage(said: &Value, before: Usage) -> Usage {
    let newer = |key: &str, old: u64| if said[key].is_u64() { count(said, key) } else { old };
    Usage {
        input: newer("input_tokens", before.input),
        output: newer("output_tokens", before.output),
        cache_read: newer("cache_read_input_tokens", before.cache_read),
        cache_write: newer("cache_creation_input_tokens", before.cache_write),
    }
}
