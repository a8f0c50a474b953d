//! A conversation with a language model, whatever the provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One call: everything the model is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The model's name at its provider.
    pub model: String,
    /// What stands above the conversation.
    pub system: String,
    /// The conversation so far, ending with something to answer.
    pub messages: Vec<Message>,
    /// What it may call.
    pub tools: Vec<Tool>,
    /// Tokens it may answer with.
    pub max_tokens: u32,
    /// Whether the answer comes piece by piece.
    pub stream: bool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// Whoever asks, and what tools returned.
    User,
    /// The model.
    Assistant,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub speaker: Speaker,
    /// In order.
    pub blocks: Vec<Block>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Block {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// The model's reasoning as its provider wants it back, untouched; other providers never see it.
    Reasoning {
        /// The provider's own object.
        raw: Value,
    },
    /// The model calls a tool.
    ToolCall {
        /// Answered by the result of the same id.
        id: String,
        /// The tool.
        name: String,
        /// Its arguments. What was not JSON arrives as a text, so that the caller can say so to the model.
        arguments: Value,
    },
    /// What a tool returned.
    ToolResult {
        /// The call's id.
        id: String,
        /// What the model gets to read.
        text: String,
        /// Whether the tool failed.
        is_error: bool,
    },
}

/// Something the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON schema of the arguments, an object.
    pub schema: Value,
}

/// What the model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The model that answered, as the provider names it.
    pub model: String,
    /// Text, reasoning and calls, in order.
    pub blocks: Vec<Block>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it cost.
    pub usage: Usage,
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// It said what it wanted to say.
    End,
    /// It waits for tools.
    ToolCalls,
    /// It ran into `max_tokens` or the context's end.
    Length,
    /// It or its provider refused.
    Refused,
}

/// Tokens of one call, kinds apart: `input` holds neither cache reads nor writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Read at the full price.
    pub input: u64,
    /// Written by the model, reasoning included.
    pub output: u64,
    /// Read from the provider's cache.
    pub cache_read: u64,
    /// Written to the provider's cache.
    pub cache_write: u64,
}

impl Usage {
    /// All tokens.
    pub fn total(&self) -> u64 {
        self.input + self.output + self.cache_read + self.cache_write
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
    }
}

impl Message {
    /// A user's text.
    pub fn user(text: impl Into<String>) -> Self {
        Self { speaker: Speaker::User, blocks: vec![Block::Text { text: text.into() }] }
    }
}

impl Reply {
    /// All text of the answer, joined.
    pub fn text(&self) -> String {
        let texts = self.blocks.iter().filter_map(|block| match block {
            Block::Text { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The calls of the answer: id, tool, arguments.
    pub fn calls(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.blocks.iter().filter_map(|block| match block {
            Block::ToolCall { id, name, arguments } => Some((id.as_str(), name.as_str(), arguments)),
            _ => None,
        })
    }
}
