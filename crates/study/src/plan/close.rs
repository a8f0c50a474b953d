//! How a study ends.

use serde::{Deserialize, Serialize};

/// How a study ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Close {
    /// Finalists, the best of each random control among them.
    pub finalists: usize,
    /// Fresh seeds per finalist.
    pub seeds: usize,
    /// Whose methods are run again where something is altered, to see what they rest on.
    pub integrity: Examine,
    /// Whether a finalist counts only when the operator has signed it off (`aar sign`).
    pub sign_off: bool,
}

impl Default for Close {
    fn default() -> Self {
        Self { finalists: 4, seeds: 10, integrity: Examine::Finalists, sign_off: false }
    }
}

/// Whose methods are examined at the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Examine {
    /// The finalists': two seeds each under four alterations.
    Finalists,
    /// Nobody's.
    None,
}
