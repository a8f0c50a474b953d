//! What a researcher may keep to prove later what the log said.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The head of the server's hash-chained log. `aar audit verify --receipt FILE` finds out whether a log still contains it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Events so far.
    pub height: i64,
    /// SHA-256 over all of them, hex.
    pub head: String,
}
