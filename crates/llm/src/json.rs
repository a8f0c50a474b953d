//! Reading a stranger's JSON: what is not there or of another kind counts as empty.

use serde_json::{Map, Value};

/// A text, or "".
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// More tokens than any call has; sums of what a stranger reports must not overflow.
const MOST: u64 = 1 << 40;

/// A number of tokens, or 0.
pub fn count(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0).min(MOST)
}

/// A list, or none.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// `max_tokens` as we hold it: what is missing or too large is as much as there is.
pub fn limit(value: &Value) -> u32 {
    value.as_u64().map_or(u32::MAX, |tokens| u32::try_from(tokens).unwrap_or(u32::MAX))
}

/// Content that is a text, or parts of which some have text.
pub fn joined(content: &Value) -> String {
    let Value::Array(parts) = content else {
        return content.as_str().unwrap_or_default().to_owned();
    };
    let texts: Vec<&str> = parts.iter().filter_map(part).collect();
    texts.join("\n")
}

/// The text of one part of a content.
pub fn part(part: &Value) -> Option<&str> {
    match part["type"].as_str() {
        Some("image" | "image_url" | "input_image") => Some("[image]"),
        Some("refusal") => part["refusal"].as_str(),
        _ => part["text"].as_str().or_else(|| part.as_str()),
    }
}

/// A call's arguments that travelled as a text. A call without arguments may send none; what is no object stays as it came.
pub fn arguments(raw: &str) -> Value {
    if raw.trim().is_empty() {
        return Value::Object(Map::new());
    }
    match serde_json::from_str(raw) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ => Value::String(raw.to_owned()),
    }
}

/// Arguments as they travel.
pub fn arguments_text(arguments: &Value) -> String {
    match arguments {
        Value::String(raw) => raw.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Add a piece to a text that may not have begun.
pub fn grow(text: &mut Value, piece: &str) {
    match text {
        Value::String(text) => text.push_str(piece),
        other => *other = piece.into(),
    }
}

/// A text in a few pieces, as a stream would bring it.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(16).map_or(rest.len(), |(at, _)| at);
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// An id for an answer that follows from it (FNV-1a): clients tell answers apart by it.
pub fn id(prefix: &str, reply: &crate::conversation::Reply) -> String {
    let text = serde_json::to_string(reply).unwrap_or_default();
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{prefix}{hash:016x}")
}
