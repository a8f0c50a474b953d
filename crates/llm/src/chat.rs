//! OpenAI chat completions, as OpenAI and the servers that follow it (vLLM, llama.cpp, Ollama, …) speak it.
//!
//! The format keeps one text per answer and no mark for a tool's failure: the result's text has to say it.

mod pieces;

use crate::conversation::{Block, Message, Reply, Request, Speaker, Stop, Tool, Usage};
use crate::json::{arguments, arguments_text, count, joined, limit, list, part, text};
use crate::wire::{Format, Wire, WireError};
pub(crate) use pieces::Assembly;
use serde_json::{Value, json};

/// Where servers put reasoning that one may see; they want it back under the same name.
const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];

/// The format.
pub struct Chat;

/// The name of the limit on what is written: OpenAI's own models want the new one, other servers may know only the old one.
pub fn limit_key(model: &str) -> &'static str {
    let numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let own = model.starts_with("gpt-") && !model.starts_with("gpt-oss") || model.starts_with("chatgpt-");
    if own || model.strip_prefix('o').is_some_and(numbered) { "max_completion_tokens" } else { "max_tokens" }
}

impl Format for Chat {
    fn request(&self, request: &Request) -> Value {
        let mut messages = Vec::new();
        if !request.system.is_empty() {
            messages.push(json!({"role": "system", "content": request.system}));
        }
        request.messages.iter().for_each(|message| write_message(message, &mut messages));
        let mut body = json!({"model": request.model, "messages": messages});
        body[limit_key(&request.model)] = request.max_tokens.into();
        if !request.tools.is_empty() {
            body["tools"] = request.tools.iter().map(tool).collect();
        }
        if request.stream {
            body["stream"] = true.into();
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }

    fn read_request(&self, body: &Value) -> Result<Request, WireError> {
        let Some(messages) = body["messages"].as_array() else {
            return Err(WireError { wire: Wire::Chat, detail: "there is no list `messages`".into() });
        };
        let is_system = |message: &&Value| message["role"] == "system" || message["role"] == "developer";
        let system: Vec<String> =
            messages.iter().filter(is_system).map(|message| joined(&message["content"])).collect();
        let mut conversation = Vec::new();
        for message in messages.iter().filter(|message| !is_system(message)) {
            read_message(message, &mut conversation);
        }
        let tools = list(body, "tools").iter().map(|tool| &tool["function"]).filter(|tool| tool.is_object());
        let max = if body["max_completion_tokens"].is_null() { "max_tokens" } else { "max_completion_tokens" };
        Ok(Request {
            model: text(body, "model").to_owned(),
            system: system.join("\n"),
            messages: conversation,
            tools: tools.map(|tool| read_tool(tool, &tool["parameters"])).collect(),
            max_tokens: limit(&body[max]),
            stream: body["stream"] == true,
        })
    }

    fn reply(&self, reply: &Reply) -> Value {
        json!({
            "id": crate::json::id("chatcmpl-", reply), "object": "chat.completion", "created": 0, "model": reply.model,
            "choices": [{
                "index": 0, "message": spoken(&reply.blocks), "logprobs": null, "finish_reason": finish_reason(&reply.stop),
            }],
            "usage": usage(&reply.usage),
        })
    }

    fn read_reply(&self, body: &Value) -> Result<Reply, WireError> {
        let choice = &body["choices"][0];
        if !choice["message"].is_object() {
            return Err(WireError { wire: Wire::Chat, detail: "the answer has no `choices[0].message`".into() });
        }
        let mut blocks = Vec::new();
        read_spoken(&choice["message"], &mut blocks);
        let refused = choice["message"]["refusal"].is_string();
        Ok(Reply {
            model: text(body, "model").to_owned(),
            stop: if refused { Stop::Refused } else { read_stop(text(choice, "finish_reason"), &blocks) },
            blocks,
            usage: read_usage(&body["usage"]),
        })
    }

    fn pieces(&self, reply: &Reply) -> Vec<(String, String)> {
        pieces::pieces(reply)
    }
}

fn tool(tool: &Tool) -> Value {
    let function = json!({"name": tool.name, "description": tool.description, "parameters": tool.schema});
    json!({"type": "function", "function": function})
}

/// A tool whose schema stands at `schema`; one without takes nothing.
pub(crate) fn read_tool(tool: &Value, schema: &Value) -> Tool {
    let nothing = || json!({"type": "object", "properties": {}});
    Tool {
        name: text(tool, "name").to_owned(),
        description: text(tool, "description").to_owned(),
        schema: if schema.is_object() { schema.clone() } else { nothing() },
    }
}

/// One message of ours is several here: each result is one.
fn write_message(message: &Message, to: &mut Vec<Value>) {
    if message.speaker == Speaker::Assistant {
        to.push(spoken(&message.blocks));
        return;
    }
    for block in &message.blocks {
        if let Block::ToolResult { id, text, .. } = block {
            to.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
        }
    }
    let texts = texts(&message.blocks);
    match texts.as_slice() {
        [] => {}
        [text] => to.push(json!({"role": "user", "content": text})),
        several => {
            let parts: Vec<Value> = several.iter().map(|text| json!({"type": "text", "text": text})).collect();
            to.push(json!({"role": "user", "content": parts}));
        }
    }
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    let texts = blocks.iter().filter_map(|block| match block {
        Block::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// What the model said.
fn spoken(blocks: &[Block]) -> Value {
    let texts = texts(blocks);
    let content = if texts.is_empty() { Value::Null } else { texts.join("\n").into() };
    let mut message = json!({"role": "assistant", "content": content});
    let calls: Vec<Value> = blocks.iter().filter_map(call).collect();
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    for block in blocks {
        if let Block::Reasoning { raw } = block {
            for key in REASONING.iter().filter(|key| raw["type"].is_null() && raw[**key].is_string()) {
                message[*key] = raw[*key].clone();
            }
        }
    }
    message
}

fn call(block: &Block) -> Option<Value> {
    let Block::ToolCall { id, name, arguments } = block else {
        return None;
    };
    let function = json!({"name": name, "arguments": arguments_text(arguments)});
    Some(json!({"id": id, "type": "function", "function": function}))
}

fn read_message(message: &Value, to: &mut Vec<Message>) {
    let speaker = if message["role"] == "assistant" { Speaker::Assistant } else { Speaker::User };
    let mut blocks = Vec::new();
    match (text(message, "role"), &message["content"]) {
        ("assistant", _) => read_spoken(message, &mut blocks),
        ("tool", content) => blocks.push(Block::ToolResult {
            id: text(message, "tool_call_id").to_owned(),
            text: joined(content),
            is_error: false,
        }),
        (_, Value::String(text)) => blocks.push(Block::Text { text: text.clone() }),
        (_, _) => {
            let texts = list(message, "content").iter().filter_map(part);
            blocks.extend(texts.map(|text| Block::Text { text: text.to_owned() }));
        }
    }
    append(speaker, blocks, to);
}

/// Add to the conversation; who goes on speaking goes on with the same message.
pub(crate) fn append(speaker: Speaker, blocks: Vec<Block>, to: &mut Vec<Message>) {
    match to.last_mut() {
        Some(last) if last.speaker == speaker => last.blocks.extend(blocks),
        _ => to.push(Message { speaker, blocks }),
    }
}

fn read_spoken(message: &Value, blocks: &mut Vec<Block>) {
    // Some servers say it twice, under both names.
    if let Some(key) = REASONING.iter().find(|key| !text(message, key).is_empty()) {
        blocks.push(Block::Reasoning { raw: json!({*key: message[*key]}) });
    }
    let said = [joined(&message["content"]), text(message, "refusal").to_owned()];
    blocks.extend(said.into_iter().filter(|text| !text.is_empty()).map(|text| Block::Text { text }));
    for call in list(message, "tool_calls") {
        let function = &call["function"];
        blocks.push(Block::ToolCall {
            id: text(call, "id").to_owned(),
            name: text(function, "name").to_owned(),
            // Some servers send an object where a text should be.
            arguments: arguments(&arguments_text(&function["arguments"])),
        });
    }
}

fn finish_reason(stop: &Stop) -> &'static str {
    match stop {
        Stop::End => "stop",
        Stop::ToolCalls => "tool_calls",
        Stop::Length => "length",
        Stop::Refused => "content_filter",
    }
}

/// Some servers say `stop` although there are calls.
fn read_stop(reason: &str, blocks: &[Block]) -> Stop {
    match reason {
        "length" => Stop::Length,
        "content_filter" => Stop::Refused,
        _ if blocks.iter().any(|block| matches!(block, Block::ToolCall { .. })) => Stop::ToolCalls,
        _ => Stop::End,
    }
}

/// What was cached is part of `prompt_tokens` here.
fn usage(usage: &Usage) -> Value {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    let mut said = json!({
        "prompt_tokens": prompt, "completion_tokens": usage.output, "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
    });
    if usage.cache_write > 0 {
        said["prompt_tokens_details"]["cache_write_tokens"] = usage.cache_write.into();
    }
    said
}

fn read_usage(said: &Value) -> Usage {
    let details = &said["prompt_tokens_details"];
    // DeepSeek's name comes second.
    let cache_read = count(details, "cached_tokens").max(count(said, "prompt_cache_hit_tokens"));
    let cache_write = count(details, "cache_write_tokens");
    Usage {
        input: count(said, "prompt_tokens").saturating_sub(cache_read).saturating_sub(cache_write),
        output: count(said, "completion_tokens"),
        cache_read,
        cache_write,
    }
}
