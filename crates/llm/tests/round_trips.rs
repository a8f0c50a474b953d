//! What goes out in a format comes back the same, whole and in pieces.

use aar_llm::conversation::{Block, Message, Reply, Request, Speaker, Stop, Tool, Usage};
use aar_llm::stream::{self, Delta, Stream};
use aar_llm::wire::Wire;
use proptest::prelude::*;
use serde_json::{Value, json};

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 äöü→😀\\\\\"\n]{1,60}".prop_map(|text| format!("x{text}"))
}

fn arguments() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        text().prop_map(|text| json!({"command": text, "n": [1, 2.5, null]})),
        // What a weak model writes where arguments should be.
        text().prop_map(|text| Value::String(format!("{{\"command\": {text}"))),
    ]
}

fn call() -> impl Strategy<Value = Block> {
    ("[a-z]{8}", "[a-z_]{1,12}", arguments()).prop_map(|(id, name, arguments)| Block::ToolCall { id, name, arguments })
}

fn reasoning(wire: Wire, text: &str) -> Value {
    match wire {
        Wire::Messages => json!({"type": "thinking", "thinking": text, "signature": "c2ln"}),
        Wire::Chat => json!({"reasoning_content": text}),
        Wire::Responses => json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": text}),
    }
}

fn spoken(wire: Wire) -> impl Strategy<Value = Vec<Block>> {
    (proptest::option::of(text()), proptest::option::of(text()), prop::collection::vec(call(), 0..4)).prop_map(
        move |(thought, said, calls)| {
            let thought = thought.map(|text| Block::Reasoning { raw: reasoning(wire, &text) });
            thought.into_iter().chain(said.map(|text| Block::Text { text })).chain(calls).collect()
        },
    )
}

fn reply(wire: Wire) -> impl Strategy<Value = Reply> {
    (spoken(wire), 0..3, any::<[u32; 4]>()).prop_map(|(blocks, stop, tokens)| {
        let calls = blocks.iter().any(|block| matches!(block, Block::ToolCall { .. }));
        let stop = match stop {
            0 => Stop::Length,
            1 => Stop::Refused,
            _ if calls => Stop::ToolCalls,
            _ => Stop::End,
        };
        let [input, output, cache_read, cache_write] = tokens.map(u64::from);
        Reply { model: "m-1".into(), blocks, stop, usage: Usage { input, output, cache_read, cache_write } }
    })
}

fn asked(wire: Wire) -> impl Strategy<Value = Vec<Block>> {
    let result = ("[a-z]{8}", text(), any::<bool>()).prop_map(move |(id, text, failed)| {
        // Only Messages has a mark for failures.
        Block::ToolResult { id, text, is_error: failed && wire == Wire::Messages }
    });
    (prop::collection::vec(result, 0..3), prop::collection::vec(text(), 1..3)).prop_map(|(results, texts)| {
        results.into_iter().chain(texts.into_iter().map(|text| Block::Text { text })).collect()
    })
}

fn request(wire: Wire) -> impl Strategy<Value = Request> {
    let turn = (asked(wire), spoken(wire)).prop_map(|(asked, spoken)| (asked, spoken));
    let tool = ("[a-z_]{1,12}", text()).prop_map(|(name, description)| Tool {
        name,
        description,
        schema: json!({"type": "object", "properties": {"command": {"type": "string"}}}),
    });
    (proptest::option::of(text()), prop::collection::vec(turn, 0..4), asked(wire), prop::collection::vec(tool, 0..3))
        .prop_flat_map(|(system, turns, last, tools)| {
            let mut messages = Vec::new();
            for (asked, spoken) in turns.into_iter().filter(|(_, spoken)| !spoken.is_empty()) {
                messages.push(Message { speaker: Speaker::User, blocks: asked });
                messages.push(Message { speaker: Speaker::Assistant, blocks: spoken });
            }
            messages.push(Message { speaker: Speaker::User, blocks: last });
            let system = system.unwrap_or_default();
            (1..100_000_u32, any::<bool>()).prop_map(move |(max_tokens, stream)| Request {
                model: "m-1".into(),
                system: system.clone(),
                messages: messages.clone(),
                tools: tools.clone(),
                max_tokens,
                stream,
            })
        })
}

/// The bytes in pieces that end anywhere, also within a character.
fn in_chunks(body: &[u8], sizes: &[usize], wire: Wire) -> (Vec<Delta>, Result<Reply, stream::Cut>) {
    let mut stream = Stream::new(wire);
    let (mut deltas, mut rest, mut turn) = (Vec::new(), body, 0);
    while !rest.is_empty() {
        let size = sizes[turn % sizes.len()].min(rest.len());
        deltas.extend(stream.push(&rest[..size]));
        rest = &rest[size..];
        turn += 1;
    }
    (deltas, stream.finish())
}

fn check(wire: Wire, request: &Request, reply: &Reply, sizes: &[usize]) -> Result<(), TestCaseError> {
    let format = wire.format();
    prop_assert_eq!(&format.read_request(&format.request(request)).unwrap(), request);
    prop_assert_eq!(&format.read_reply(&format.reply(reply)).unwrap(), reply);
    let body = stream::body(&format.pieces(reply));
    let (deltas, whole) = in_chunks(body.as_bytes(), sizes, wire);
    prop_assert_eq!(&whole.unwrap(), reply);
    let said: String =
        deltas.iter().filter_map(|d| if let Delta::Text(text) = d { Some(text.as_str()) } else { None }).collect();
    prop_assert_eq!(said, reply.text());
    // Windows line ends mean the same.
    let (_, whole) = in_chunks(body.replace('\n', "\r\n").as_bytes(), sizes, wire);
    prop_assert_eq!(&whole.unwrap(), reply);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages(request in request(Wire::Messages), reply in reply(Wire::Messages), sizes in prop::collection::vec(1..90_usize, 1..9)) {
        check(Wire::Messages, &request, &reply, &sizes)?;
    }

    #[test]
    fn chat(request in request(Wire::Chat), reply in reply(Wire::Chat), sizes in prop::collection::vec(1..90_usize, 1..9)) {
        check(Wire::Chat, &request, &reply, &sizes)?;
    }

    #[test]
    fn responses(request in request(Wire::Responses), reply in reply(Wire::Responses), sizes in prop::collection::vec(1..90_usize, 1..9)) {
        check(Wire::Responses, &request, &reply, &sizes)?;
    }

    /// Cut anywhere before its end a stream is no answer, and what had come is counted.
    #[test]
    fn a_cut_stream_is_no_answer(reply in reply(Wire::Messages), part in 0.0..1.0_f64) {
        for wire in Wire::ALL {
            let body = stream::body(&wire.format().pieces(&reply));
            let end = body.rfind(if wire == Wire::Chat { "\"finish_reason\":\"" } else { "data: " }).unwrap();
            let at = (end as f64 * part) as usize;
            let (_, whole) = in_chunks(&body.as_bytes()[..at], &[50], wire);
            let cut = whole.unwrap_err();
            prop_assert!(cut.usage.total() <= reply.usage.total() + 1, "{cut:?}");
        }
    }

    #[test]
    fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400), sizes in prop::collection::vec(1..30_usize, 1..5)) {
        for wire in Wire::ALL {
            prop_assert!(in_chunks(&bytes, &sizes, wire).1.is_err());
        }
    }

    /// JSON with the formats' words in the wrong places.
    #[test]
    fn hostile_json_does_no_harm(value in hostile(), sizes in prop::collection::vec(1..30_usize, 1..5)) {
        for wire in Wire::ALL {
            let format = wire.format();
            if let Ok(request) = format.read_request(&value) {
                format.request(&request);
            }
            if let Ok(reply) = format.read_reply(&value) {
                format.pieces(&reply);
            }
            let _ = in_chunks(format!("data: {value}\n\ndata: {value}\n\n").as_bytes(), &sizes, wire);
        }
    }
}

const WORDS: &[&str] = &[
    "type",
    "role",
    "content",
    "text",
    "message",
    "messages",
    "choices",
    "delta",
    "tool_calls",
    "function",
    "arguments",
    "index",
    "usage",
    "response",
    "output",
    "input",
    "input_tokens",
    "message_start",
    "content_block",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
    "input_json_delta",
    "response.completed",
    "function_call",
    "tool_use",
    "thinking",
    "reasoning",
    "assistant",
    "user",
    "tool",
    "system",
    "finish_reason",
    "stop_reason",
    "input_schema",
    "tools",
    "item",
];

fn hostile() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(WORDS).prop_map(str::to_owned);
    let leaf = prop_oneof![
        word().prop_map(Value::String),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(word(), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
