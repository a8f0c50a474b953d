//! Wire formats: how a conversation looks as a provider's JSON.

use crate::conversation::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A provider's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// Anthropic Messages: `POST /v1/messages`.
    Messages,
    /// OpenAI chat completions: `POST /v1/chat/completions`.
    Chat,
    /// OpenAI responses: `POST /v1/responses`.
    Responses,
}

/// What was not in the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wire:?}: {detail}")]
pub struct WireError {
    /// The format.
    pub wire: Wire,
    /// What is wrong.
    pub detail: String,
}

impl Wire {
    /// The path below a provider's base URL (which ends before `/v1`).
    pub fn path(self) -> &'static str {
        match self {
            Wire::Messages => "/v1/messages",
            Wire::Chat => "/v1/chat/completions",
            Wire::Responses => "/v1/responses",
        }
    }

    /// All of them.
    pub const ALL: [Wire; 3] = [Wire::Messages, Wire::Chat, Wire::Responses];

    /// What writes and reads it.
    pub fn format(self) -> &'static dyn Format {
        match self {
            Wire::Messages => &crate::messages::Messages,
            Wire::Chat => &crate::chat::Chat,
            Wire::Responses => &crate::responses::Responses,
        }
    }
}

/// One format: what each of [`Wire`]'s modules does.
pub trait Format {
    /// A call as the provider wants it.
    fn request(&self, request: &Request) -> Value;
    /// A call as somebody sent it.
    fn read_request(&self, body: &Value) -> Result<Request, WireError>;
    /// A whole answer as the provider would send it.
    fn reply(&self, reply: &Reply) -> Value;
    /// A whole answer as the provider sent it.
    fn read_reply(&self, body: &Value) -> Result<Reply, WireError>;
    /// The same answer piece by piece: server-sent events, each `(event name or empty, data)`.
    fn pieces(&self, reply: &Reply) -> Vec<(String, String)>;
}
