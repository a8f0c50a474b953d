//! What an endpoint may do when it is asked.

use aar_llm::conversation::{Block, Reply, Stop, Usage};
use serde_json::Value;
use std::time::Duration;

/// What comes back.
#[derive(Clone, Debug)]
pub enum Action {
    /// An answer. Without a usage it gets one by its length.
    Reply(Reply),
    /// The first pieces of a streamed answer; the rest when the test says so ([`crate::endpoint::Endpoint::release`]).
    /// Not streamed, all of it waits.
    Held {
        /// The answer.
        reply: Reply,
        /// Events that come at once.
        first: usize,
    },
    /// An answer with a pause before each piece.
    Slow {
        /// The answer.
        reply: Reply,
        /// The pause.
        pause: Duration,
    },
    /// The connection breaks within the answer.
    Cut {
        /// The answer.
        reply: Reply,
        /// After this many bytes of its body.
        after: usize,
    },
    /// A failure in the format's own words.
    Status {
        /// HTTP status: 429, 500, 529, …
        code: u16,
        /// Seconds to wait, as the endpoint would have it.
        retry_after: Option<u32>,
    },
    /// Any body.
    Raw {
        /// HTTP status.
        code: u16,
        /// The body: JSON, or events where it looks like them.
        body: String,
    },
    /// The connection stays open and nothing ever comes.
    Hang,
}

impl Action {
    /// Some text, and the model is done.
    pub fn say(text: &str) -> Self {
        Self::Reply(said(vec![Block::Text { text: text.into() }], Stop::End))
    }

    /// A call of a tool. Arguments that are a text arrive as that text, JSON or not: so a malformed call is made, and with
    /// a name that nobody offered an unknown tool.
    pub fn call(id: &str, name: &str, arguments: Value) -> Self {
        let block = Block::ToolCall { id: id.into(), name: name.into(), arguments };
        Self::Reply(said(vec![block], Stop::ToolCalls))
    }
}

/// An answer whose usage the endpoint counts.
pub fn said(blocks: Vec<Block>, stop: Stop) -> Reply {
    Reply { model: String::new(), blocks, stop, usage: Usage::default() }
}
