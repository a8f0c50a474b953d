//! The seam to a language model.

use aar_llm::conversation::{Reply, Request};
use std::time::Duration;

/// Answers one call.
pub trait Model {
    /// From now on calls belong to this session: for whoever traces them.
    fn begin(&mut self, _session: u32) {}

    /// Ask. `on_text` hears pieces of the answer as they come, where they come in pieces; the whole is in the reply.
    fn answer(&mut self, request: &Request, on_text: &mut dyn FnMut(&str)) -> Result<Reply, ModelError>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The team's budget is spent (402).
    #[error("the budget is spent: {0}")]
    BudgetSpent(String),
    /// The token or its rights were refused (401, 403).
    #[error("the model's server refused the token: {0}")]
    Forbidden(String),
    /// The conversation is longer than the model can read.
    #[error("the conversation is too long for the model: {0}")]
    TooLong(String),
    /// The call was refused for another reason, and will be again.
    #[error("the model's server refused the call ({status}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// Too many calls, or the provider failed: later it may work.
    #[error("the model's server is busy or failing ({status}): {message}")]
    Busy {
        /// HTTP status.
        status: u16,
        /// What it said.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The operator has paused this researcher; it goes on when it is resumed, however long that takes.
    #[error("paused by the operator: {0}")]
    Paused(String),
    /// The team's gateway holds this researcher back: it spent faster than it may, and goes on when it is told to.
    #[error("held back: {message}")]
    TooFast {
        /// What the gateway said.
        message: String,
        /// How long it holds it back.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke off.
    #[error("the connection to the model broke: {0}")]
    Cut(String),
    /// An answer that is not in the format.
    #[error("the model's answer could not be read: {0}")]
    Malformed(String),
}

impl ModelError {
    /// May the same call work a little later?
    pub fn passes(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Paused(_) | Self::TooFast { .. } | Self::Cut(_) | Self::Malformed(_))
    }
}
