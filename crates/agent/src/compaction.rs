//! Keeps a conversation short enough: first older outputs are left out, then all but the last turns becomes a summary. Whatever is
//! done, each call keeps its result and each result its call.

use aar_llm::conversation::{Block, Message, Speaker};
use serde_json::Value;

/// Turns at the end that are never touched.
pub const KEPT_TURNS: usize = 4;
/// Shorter outputs and arguments stay: leaving them out would save nothing.
const WORTH: usize = 600;

/// About how many tokens a conversation has. Four characters are about a token of English or code; a count of the provider's would
/// cost a call.
pub fn tokens(messages: &[Message]) -> usize {
    messages.iter().flat_map(|message| &message.blocks).map(|block| 8 + characters(block) / 4).sum()
}

fn characters(block: &Block) -> usize {
    match block {
        Block::Text { text } | Block::ToolResult { text, .. } => text.len(),
        Block::Reasoning { raw } => raw.to_string().len(),
        Block::ToolCall { name, arguments, .. } => name.len() + arguments.to_string().len(),
    }
}

/// Leave out long outputs and long arguments before the last turns; whether there were any.
pub fn elide(messages: &mut [Message]) -> bool {
    let until = turns_from_end(messages, KEPT_TURNS);
    let mut changed = false;
    // The first message opens the session and stays.
    for block in messages[..until].iter_mut().skip(1).flat_map(|message| &mut message.blocks) {
        match block {
            Block::ToolResult { text, .. } if text.chars().count() > WORTH => {
                *text = format!(
                    "[{} characters of output were left out here; call the tool again to see them]",
                    text.chars().count()
                );
                changed = true;
            }
            Block::ToolCall { arguments: Value::Object(arguments), .. } => {
                for value in arguments.values_mut() {
                    let long = value.as_str().map(|text| text.chars().count()).filter(|count| *count > WORTH);
                    if let Some(count) = long {
                        *value = format!("[{count} characters were left out here]").into();
                        changed = true;
                    }
                }
            }
            _ => {}
        }
    }
    changed
}

/// A conversation that begins with `opening`, says `summary`, and goes on with the last turns, where those are no more than `most`
/// tokens together.
pub fn summarised(opening: &str, summary: &str, messages: &[Message], most: usize) -> Vec<Message> {
    let first = format!(
        "{opening}\n\n# This session so far\n\nThe conversation became too long and was replaced by your own summary of it:\n\n{summary}"
    );
    let mut kept = &messages[turns_from_end(messages, KEPT_TURNS).max(1).min(messages.len())..];
    while tokens(kept) > most {
        let next = kept.iter().skip(1).position(|message| message.speaker == Speaker::Assistant);
        kept = next.map_or(&[], |next| &kept[next + 1..]);
    }
    let mut all = vec![Message::user(first)];
    all.extend_from_slice(kept);
    all
}

/// Where the last `turns` turns begin: a turn is an answer and what follows it until the next.
fn turns_from_end(messages: &[Message], turns: usize) -> usize {
    let answers = messages.iter().enumerate().filter(|(_, message)| message.speaker == Speaker::Assistant);
    let starts: Vec<usize> = answers.map(|(at, _)| at).collect();
    starts.len().checked_sub(turns).map_or(starts.first().copied().unwrap_or(messages.len()), |at| {
        starts.get(at).copied().unwrap_or(messages.len())
    })
}

/// A summary without a model: which tools were called, with the beginnings of their arguments.
pub fn mechanical(messages: &[Message]) -> String {
    let calls = messages.iter().flat_map(|message| &message.blocks).filter_map(|block| match block {
        Block::ToolCall { name, arguments, .. } => {
            let shown: String = arguments.to_string().chars().take(160).collect();
            Some(format!("- {name} {shown}"))
        }
        _ => None,
    });
    let calls: Vec<String> = calls.collect();
    let skipped = calls.len().saturating_sub(60);
    format!("(There is no summary. The last {} calls were:)\n{}", calls.len() - skipped, calls[skipped..].join("\n"))
}

/// What is asked for when a summary is needed.
pub const ASK: &str = "The conversation is about to be replaced by a summary, because it has become too long. Write that summary now, as \
text, without calling a tool: what you are trying and why, what was tried and what came out (with numbers, evaluation ids and paths), \
what runs now, what you would do next, and what you must not forget.";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    /// Every result answers a call of the message before, every call has one result, speakers take turns, the first is the user.
    fn assert_valid(messages: &[Message]) {
        assert_eq!(messages[0].speaker, Speaker::User);
        let mut open: BTreeSet<&str> = BTreeSet::new();
        for (at, message) in messages.iter().enumerate() {
            assert!(at == 0 || messages[at - 1].speaker != message.speaker, "message {at}: the same speaker twice");
            assert!(!message.blocks.is_empty(), "message {at} is empty");
            for block in &message.blocks {
                match block {
                    Block::ToolCall { id, arguments, .. } => {
                        assert!(arguments.is_object(), "message {at}: arguments");
                        assert!(open.insert(id), "message {at}: {id} twice");
                    }
                    Block::ToolResult { id, .. } => assert!(open.remove(id.as_str()), "message {at}: {id} has no call"),
                    Block::Text { text } => assert!(!text.trim().is_empty(), "message {at}: blank text"),
                    Block::Reasoning { .. } => {}
                }
            }
            assert!(message.speaker == Speaker::Assistant || open.is_empty(), "message {at}: unanswered {open:?}");
        }
    }

    fn conversation(turns: usize) -> Vec<Message> {
        let mut messages = vec![Message::user("opening")];
        for turn in 0..turns {
            let id = format!("c{turn}");
            let arguments = json!({"path": "a", "content": "x".repeat(4000)});
            messages.push(Message {
                speaker: Speaker::Assistant,
                blocks: vec![
                    Block::Text { text: format!("turn {turn}") },
                    Block::ToolCall { id: id.clone(), name: "write_file".into(), arguments },
                ],
            });
            let result = Block::ToolResult { id, text: "y".repeat(8000), is_error: false };
            messages.push(Message { speaker: Speaker::User, blocks: vec![result] });
        }
        messages
    }

    #[test]
    fn eliding_keeps_the_last_turns_and_every_pair() {
        let mut messages = conversation(10);
        let before = messages.clone();
        assert!(elide(&mut messages));
        assert_valid(&messages);
        assert_eq!(messages[13..], before[13..], "the last four turns stay");
        assert!(tokens(&messages) < tokens(&before) / 2);
        assert!(!elide(&mut messages), "nothing more to leave out");
        assert!(!elide(&mut conversation(3)), "few turns are all recent");
    }

    #[test]
    fn a_summary_keeps_the_last_turns_that_fit() {
        for turns in [0, 1, 4, 10] {
            let messages = conversation(turns);
            for most in [0, 4000, 100_000] {
                let short = summarised("opening", "what I did", &messages, most);
                assert_valid(&short);
                assert!(tokens(&short[1..]) <= most);
                assert!(short.len() <= 1 + 2 * KEPT_TURNS);
            }
        }
        assert_eq!(summarised("o", "s", &conversation(10), 100_000).len(), 9);
        assert_eq!(summarised("o", "s", &conversation(10), 4000).len(), 3);
    }

    #[test]
    fn without_a_model_the_calls_are_listed() {
        let text = mechanical(&conversation(100));
        assert!(text.contains("last 60 calls") && text.contains("- write_file {\"content\":\"xxx"), "{text}");
        assert!(text.len() < 15_000);
    }
}
