//! What a researcher and its language model say to each other, made up from a seed, in the gateway's own lines.

use super::words;
use aar_llm::conversation::{Block, Reply, Stop, Usage};
use aar_llm::transcript::{Charge, Event, Line, Outcome, Written};
use aar_llm::wire::Wire;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Calls of a session; then another one begins.
const SESSION: i64 = 40;
/// Nano-dollars per token.
const NANO: u64 = 3_000;

/// Write a transcript of at least so many bytes. The same seed gives the same talk. Returns its calls.
pub fn write(path: &Path, seed: u64, bytes: usize) -> i64 {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut written, mut call) = (0, 0);
    while written < bytes {
        call += 1;
        for event in [asked(&mut rng, call), ended(&mut rng, call)] {
            let line = Line { at_ms: 1_790_000_000_000 + call * 20_000, event };
            let text = serde_json::to_string(&line).unwrap() + "\n";
            written += text.len();
            file.write_all(text.as_bytes()).unwrap();
        }
    }
    file.flush().unwrap();
    call
}

fn body(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn asked(rng: &mut ChaCha8Rng, call: i64) -> Event {
    let first = call % SESSION == 1;
    let body = if first {
        let opening = json!([{"role": "user", "content": [{"type": "text", "text": format!("Session {}. {}", call / SESSION + 1, words::body(rng))}]}]);
        let new = json!({"model": "made-up", "max_tokens": 4000, "system": "You are a researcher. Find what recovers the gap.", "messages": opening});
        Written { after: None, keep: 0, same: vec![], new: body(new) }
    } else {
        // What a provider is to cache is marked anew, so that the last message but two is written again.
        let said = json!({"role": "assistant", "content": [{"type": "text", "text": "…"}, {"type": "tool_use", "id": format!("t{}", call - 1), "name": "shell", "input": {}}]});
        let output: String = (0..rng.random_range(3..30)).map(|_| words::sentence(rng) + "\n").collect();
        let failed = rng.random_bool(0.1);
        let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": format!("t{}", call - 1), "is_error": failed, "content": output}]});
        let same = vec!["max_tokens".into(), "model".into(), "system".into()];
        let keep = 2 * ((call % SESSION + SESSION - 1) % SESSION) as usize - 1;
        Written { after: Some(call - 1), keep, same, new: body(json!({"messages": [said, result]})) }
    };
    Event::Asked { call, wire: Wire::Messages, model: "made-up".into(), body, taken_out: vec![] }
}

fn ended(rng: &mut ChaCha8Rng, call: i64) -> Event {
    let usage = Usage {
        input: rng.random_range(200..3000),
        output: rng.random_range(50..900),
        cache_read: call as u64 % SESSION as u64 * 900,
        cache_write: 0,
    };
    let needle = if call % 100 == 17 { " <script>window.harmed = 1</script> an obsidian needle" } else { "" };
    let text = format!("{} **{}**{needle}", words::sentence(rng), words::method(rng));
    let command = format!("lab try recipe.toml --seed {call}\n# {}", words::sentence(rng));
    let blocks = vec![
        Block::Reasoning {
            raw: json!({"type": "thinking", "thinking": words::sentence(rng), "signature": "c2lnbmVk"}),
        },
        Block::Text { text },
        Block::ToolCall { id: format!("t{call}"), name: "shell".into(), arguments: json!({"command": command}) },
    ];
    let reply = Reply { model: "made-up".into(), blocks, stop: Stop::ToolCalls, usage };
    let charge = Charge { usage, nano: (usage.total() * NANO) as i64 };
    Event::Ended {
        call,
        attempts: 1,
        status: Some(200),
        reply: Some(reply),
        failure: None,
        outcome: Outcome::Answered,
        charge,
    }
}
