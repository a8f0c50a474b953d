//! The one error body.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every answer outside 2xx carries this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Machine-readable, stable.
    pub code: ErrorCode,
    /// What went wrong, for people.
    pub message: String,
    /// What would be right, or what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Stable kinds of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// No token, or an unknown one (401).
    Unauthorized,
    /// The token may not do this (403).
    Forbidden,
    /// No such thing, or not for this token (404).
    NotFound,
    /// The body or query is malformed (400).
    BadRequest,
    /// Too large (413).
    TooLarge,
    /// The state does not allow it now (409).
    Conflict,
    /// A budget is spent (402).
    BudgetSpent,
    /// Too many requests (429).
    TooManyRequests,
    /// The study is closed (410).
    Closed,
    /// The server can't record anything now: its disk is full or fails (503).
    Unavailable,
    /// The server failed (500).
    Internal,
}
