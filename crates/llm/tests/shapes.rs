//! The shapes that providers' documentation shows and their servers send, written down by hand.

use aar_llm::conversation::{Block, Message, Request, Speaker, Stop, Tool, Usage};
use aar_llm::stream::{Delta, Stream};
use aar_llm::wire::Wire;
use serde_json::{Value, json};

fn stream(wire: Wire, body: &str) -> (Vec<Delta>, Result<aar_llm::conversation::Reply, aar_llm::stream::Cut>) {
    let mut stream = Stream::new(wire);
    let deltas = stream.push(body.as_bytes());
    (deltas, stream.finish())
}

const MESSAGES: &str = r#"event: message_start
data: {"type":"message_start","message":{"model":"claude-opus-4-6","id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":345,"cache_read_input_tokens":6789,"cache_creation":{"ephemeral_5m_input_tokens":345,"ephemeral_1h_input_tokens":0},"output_tokens":2,"service_tier":"standard"}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me look."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I read the pool."}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_01T1x1fJ34qAmk2tNTrN7Up6","name":"shell","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"command\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":" \"head /data/pool.jsonl\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":345,"cache_read_input_tokens":6789,"output_tokens":89}}

event: message_stop
data: {"type":"message_stop"}

"#;

#[test]
fn messages_with_thinking_and_a_call() {
    let (deltas, reply) = stream(Wire::Messages, MESSAGES);
    let reply = reply.unwrap();
    assert_eq!(reply.model, "claude-opus-4-6");
    assert_eq!(reply.usage, Usage { input: 12, output: 89, cache_read: 6789, cache_write: 345 });
    assert_eq!(reply.stop, Stop::ToolCalls);
    let thinking = json!({"type": "thinking", "thinking": "Let me look.", "signature": "EqQBCgIYAhIM"});
    assert_eq!(reply.blocks[0], Block::Reasoning { raw: thinking.clone() });
    assert_eq!(reply.text(), "I read the pool.");
    let calls: Vec<_> = reply.calls().collect();
    let arguments = json!({"command": "head /data/pool.jsonl"});
    assert_eq!(calls, [("toolu_01T1x1fJ34qAmk2tNTrN7Up6", "shell", &arguments)]);
    assert_eq!(deltas[0], Delta::Reasoning("Let me look.".into()));

    // The thinking goes back untouched, and to no other provider.
    let back = Request {
        messages: vec![Message::user("go"), Message { speaker: Speaker::Assistant, blocks: reply.blocks }],
        ..Request::default()
    };
    assert_eq!(Wire::Messages.format().request(&back)["messages"][1]["content"][0], thinking);
    for other in [Wire::Chat, Wire::Responses] {
        assert!(!other.format().request(&back).to_string().contains("Let me look."));
    }
}

#[test]
fn messages_that_fail_in_the_middle() {
    let cut = MESSAGES.find("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2").unwrap();
    let error = r#"event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}

"#;
    let (_, reply) = stream(Wire::Messages, &format!("{}{error}", &MESSAGES[..cut]));
    let cut = reply.unwrap_err();
    assert_eq!(cut.detail, "overloaded_error: Overloaded");
    assert_eq!(cut.usage, Usage { input: 12, output: 2, cache_read: 6789, cache_write: 345 });
    assert_eq!(cut.written, "Let me look.I read the pool.".len() as u64);
}

const CHAT: &str = r#"data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":null},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"shell","arguments":""}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"command\":"}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"ls\"}"}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"status","arguments":""}}]},"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}

data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4.1-2025-04-14","choices":[],"usage":{"prompt_tokens":1500,"completion_tokens":40,"total_tokens":1540,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}

data: [DONE]

"#;

#[test]
fn chat_with_two_calls() {
    let reply = stream(Wire::Chat, CHAT).1.unwrap();
    // What was cached is part of the prompt there, and apart from it here.
    assert_eq!(reply.usage, Usage { input: 476, output: 40, cache_read: 1024, cache_write: 0 });
    assert_eq!(reply.stop, Stop::ToolCalls);
    let arguments = json!({"command": "ls"});
    assert_eq!(reply.calls().collect::<Vec<_>>(), [("call_a", "shell", &arguments), ("call_b", "status", &json!({}))]);
}

#[test]
fn chat_from_a_small_model_on_a_local_server() {
    // Reasoning apart, arguments that are prose, the wrong reason to stop, no details of the usage.
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "qwen3-4b", "choices": [{
            "index": 0, "finish_reason": "stop", "message": {
                "role": "assistant", "content": "", "reasoning_content": "The user wants a list.",
                "tool_calls": [{"id": "0", "type": "function", "function": {"name": "shell", "arguments": "list the files"}}],
            },
        }],
        "usage": {"prompt_tokens": 900, "completion_tokens": 33, "total_tokens": 933},
    });
    let reply = Wire::Chat.format().read_reply(&body).unwrap();
    assert_eq!(reply.stop, Stop::ToolCalls);
    assert_eq!(reply.blocks[0], Block::Reasoning { raw: json!({"reasoning_content": "The user wants a list."}) });
    assert_eq!(reply.calls().next(), Some(("0", "shell", &Value::String("list the files".into()))));
    assert_eq!(reply.usage, Usage { input: 900, output: 33, ..Usage::default() });
    // Sent back to Messages the prose stands in an object, because that is all it takes.
    let back =
        Request { messages: vec![Message { speaker: Speaker::Assistant, blocks: reply.blocks }], ..Request::default() };
    let sent = Wire::Messages.format().request(&back);
    assert_eq!(sent["messages"][0]["content"][0]["input"], json!({"unparsed_arguments": "list the files"}));
}

#[test]
fn chat_calls_that_all_have_index_0() {
    let chunk = |id: &str, arguments: &str| {
        let call = json!({"index": 0, "id": id, "function": {"name": "shell", "arguments": arguments}});
        format!("data: {}\n\n", json!({"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": null}]}))
    };
    let end = format!("data: {}\n\n", json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}));
    let body = [chunk("a", "{\"n\":1}"), chunk("b", "{\"n\":2}"), end].concat();
    let reply = stream(Wire::Chat, &body).1.unwrap();
    assert_eq!(
        reply.calls().map(|(id, _, arguments)| (id, arguments["n"].as_u64())).collect::<Vec<_>>(),
        [("a", Some(1)), ("b", Some(2))]
    );
}

const RESPONSES: &str = r#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1741290958,"status":"in_progress","error":null,"model":"gpt-5-2025-08-07","output":[],"usage":null}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAAAA"}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":3,"output_index":1,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_1","name":"shell"}}

event: response.function_call_arguments.delta
data: {"type":"response.function_call_arguments.delta","sequence_number":4,"item_id":"fc_1","output_index":1,"delta":"{\"command\":\"ls\"}"}

event: response.function_call_arguments.done
data: {"type":"response.function_call_arguments.done","sequence_number":5,"item_id":"fc_1","output_index":1,"arguments":"{\"command\":\"ls\"}"}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":6,"output_index":1,"item":{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"command\":\"ls\"}","call_id":"call_1","name":"shell"}}

event: response.completed
data: {"type":"response.completed","sequence_number":7,"response":{"id":"resp_1","object":"response","created_at":1741290958,"status":"completed","error":null,"incomplete_details":null,"model":"gpt-5-2025-08-07","output":OUTPUT,"usage":{"input_tokens":328,"input_tokens_details":{"cached_tokens":128},"output_tokens":52,"output_tokens_details":{"reasoning_tokens":32},"total_tokens":380}}}

"#;

#[test]
fn responses_with_reasoning_and_a_call() {
    let items = r#"[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAAAA"},{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"command\":\"ls\"}","call_id":"call_1","name":"shell"}]"#;
    // Some servers leave the items out of the last event.
    for output in [items, "[]"] {
        let reply = stream(Wire::Responses, &RESPONSES.replace("OUTPUT", output)).1.unwrap();
        assert_eq!(reply.usage, Usage { input: 200, output: 52, cache_read: 128, cache_write: 0 });
        assert_eq!(reply.stop, Stop::ToolCalls);
        assert_eq!(reply.calls().next(), Some(("call_1", "shell", &json!({"command": "ls"}))));
        let back = Request {
            messages: vec![Message { speaker: Speaker::Assistant, blocks: reply.blocks }],
            ..Request::default()
        };
        assert_eq!(Wire::Responses.format().request(&back)["input"][0]["encrypted_content"], "gAAAAA");
    }
}

#[test]
fn a_failed_response_is_a_failure() {
    let body = "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"sorry\"},\"usage\":null}}\n\n";
    assert_eq!(stream(Wire::Responses, body).1.unwrap_err().detail, "server_error: sorry");
}

#[test]
fn what_agents_send_is_read() {
    // A command-line agent's system text in parts, a provider's own tool, a text for content, results in parts.
    let body = json!({
        "model": "m", "max_tokens": 32000, "stream": true, "metadata": {"user_id": "u"}, "thinking": {"type": "adaptive"},
        "system": [{"type": "text", "text": "You are"}, {"type": "text", "text": "an agent.", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "Bash", "description": "run", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}, {"type": "server_tool_use", "id": "s"}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]},
        ],
    });
    let request = Wire::Messages.format().read_request(&body).unwrap();
    assert_eq!(request.system, "You are\nan agent.");
    assert_eq!(request.tools.len(), 1);
    assert_eq!(request.messages[1].blocks.len(), 1);
    assert_eq!(
        request.messages[2].blocks[0],
        Block::ToolResult { id: "t".into(), text: "a\nb".into(), is_error: true }
    );

    let body = json!({
        "model": "m", "instructions": "You are an agent.", "tool_choice": "auto", "store": false, "stream": true,
        "tools": [{"type": "function", "name": "exec_command", "description": "run", "parameters": {"type": "object"}}, {"type": "web_search"},
            {"type": "namespace", "name": "mcp__aar", "tools": [{"type": "function", "name": "submit", "parameters": {"type": "object"}}]}],
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Rules."}]},
            {"role": "user", "content": "hello"},
            {"type": "function_call", "call_id": "c", "name": "exec_command", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "done"}]},
            {"type": "function_call", "call_id": "d", "namespace": "mcp__aar", "name": "submit", "arguments": "{}"},
            {"type": "item_reference", "id": "x"},
        ],
    });
    let request = Wire::Responses.format().read_request(&body).unwrap();
    assert_eq!(request.system, "You are an agent.\nRules.");
    let names: Vec<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["exec_command", "mcp__aar.submit"]);
    assert_eq!(request.messages.len(), 4);
    // A call of a group's tool is written as it came.
    let Block::ToolCall { name, .. } = &request.messages[3].blocks[0] else { panic!("a call") };
    assert_eq!(name, "mcp__aar.submit");
    assert_eq!(Wire::Responses.format().request(&request)["input"][3], body["input"][4]);
    assert_eq!(
        request.messages[2].blocks[0],
        Block::ToolResult { id: "c".into(), text: "done".into(), is_error: false }
    );
}

#[test]
fn messages_asks_for_caching() {
    let tool = |name: &str| Tool { name: name.into(), description: String::new(), schema: json!({"type": "object"}) };
    let request = Request {
        system: "rules".into(),
        tools: vec![tool("a"), tool("b")],
        messages: vec![
            Message::user("one"),
            Message { speaker: Speaker::Assistant, blocks: vec![Block::Text { text: "two".into() }] },
            Message::user("three"),
        ],
        max_tokens: 10,
        ..Request::default()
    };
    let sent = Wire::Messages.format().request(&request);
    let mark = json!({"type": "ephemeral"});
    assert_eq!(sent["system"][0]["cache_control"], mark);
    assert_eq!(sent["tools"][1]["cache_control"], mark);
    assert_eq!(sent["messages"][2]["content"][0]["cache_control"], mark);
    // The provider takes four marks at most.
    assert_eq!(sent.to_string().matches("cache_control").count(), 4);
}

#[test]
fn the_limit_has_the_name_that_the_model_knows() {
    for (model, expect) in [
        ("gpt-5", "max_completion_tokens"),
        ("gpt-4o-mini", "max_completion_tokens"),
        ("o3", "max_completion_tokens"),
        ("gpt-oss-120b", "max_tokens"),
        ("olmo-2", "max_tokens"),
        ("qwen3-4b", "max_tokens"),
    ] {
        let request = Request { model: model.into(), max_tokens: 7, ..Request::default() };
        let sent = Wire::Chat.format().request(&request);
        assert_eq!(sent[expect], 7, "{model}");
        assert_eq!(Wire::Chat.format().read_request(&sent).unwrap().max_tokens, 7);
    }
}
