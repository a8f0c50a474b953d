//! Identifiers as types, so that a bundle can't be passed where an evaluation is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

text_id!(
    /// A bundle: SHA-256 of its sorted contents, lower-case hex.
    BundleId
);
text_id!(
    /// A researcher's name, unique in its study.
    ResearcherName
);
text_id!(
    /// An item of a pool or a test split.
    ItemId
);
number_id!(
    /// One evaluation: a bundle, a split, a list of seeds.
    EvaluationId
);
number_id!(
    /// One job of an evaluation: a single seed.
    JobId
);
number_id!(
    /// A post in the forum.
    FindingId
);

impl BundleId {
    /// The first eight characters, enough to tell bundles of one study apart on a screen.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}
