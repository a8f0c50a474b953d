//! What an answer costs here: a token is four bytes, and what somebody sent before is read from the cache.

use aar_llm::conversation::{Block, Reply, Request, Stop, Usage};
use aar_llm::wire::Wire;

const BYTES: u64 = 4;
/// The providers' caches take no less.
const CACHED: u64 = 64;

/// Tokens of so many bytes.
pub fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES)
}

/// The prompt without what is said about the call itself.
pub fn prompt(request: &Request) -> String {
    let parts = (&request.system, &request.tools, &request.messages);
    serde_json::to_string(&parts).unwrap_or_default()
}

/// An answer that keeps to its limit, with a usage and a model. `before` is what the same caller sent last.
pub fn complete(mut reply: Reply, request: &Request, wire: Wire, before: Option<&str>) -> Reply {
    if reply.model.is_empty() {
        reply.model = request.model.clone();
    }
    if reply.usage.total() > 0 {
        return reply;
    }
    let prompt = prompt(request);
    let same = before.map_or(0, |before| prompt.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count() as u64);
    let cache_read = same / BYTES / CACHED * CACHED;
    let fresh = tokens(prompt.len()) - cache_read;
    // Only Messages bills what it puts into the cache.
    let cache_write = if wire == Wire::Messages { fresh.saturating_sub(1) } else { 0 };
    let output = written(&reply.blocks);
    if output > u64::from(request.max_tokens) {
        shorten(&mut reply, u64::from(request.max_tokens));
    }
    reply.usage = Usage { input: fresh - cache_write, output: written(&reply.blocks), cache_read, cache_write };
    reply
}

/// What `bytes` of output cost.
pub fn written_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES)
}

fn written(blocks: &[Block]) -> u64 {
    let bytes = blocks.iter().map(|block| match block {
        Block::Text { text } => text.len(),
        Block::Reasoning { raw } => raw.to_string().len(),
        Block::ToolCall { name, arguments, .. } => name.len() + arguments.to_string().len(),
        Block::ToolResult { .. } => 0,
    });
    tokens(bytes.sum())
}

fn shorten(reply: &mut Reply, max: u64) {
    let mut text = reply.text();
    let mut end = (max * BYTES).min(text.len() as u64) as usize;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    reply.blocks = vec![Block::Text { text }];
    reply.stop = Stop::Length;
}
