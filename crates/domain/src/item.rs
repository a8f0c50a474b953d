//! What a student is asked about.

use crate::ids::ItemId;
use serde::{Deserialize, Serialize};

/// One unlabelled item, in the row shapes of the reference's JSONL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Item {
    /// Which of two replies is better; positive = the first.
    Preference {
        /// Unique within its testbed.
        id: ItemId,
        /// What was asked.
        prompt: String,
        /// Reply A.
        first: String,
        /// Reply B.
        second: String,
    },
    /// Whether an answer is right; positive = it is.
    Binary {
        /// Unique within its testbed.
        id: ItemId,
        /// What was asked.
        question: String,
        /// The answer under judgement.
        choice: String,
    },
}

impl Item {
    /// The item's id.
    pub fn id(&self) -> &ItemId {
        match self {
            Item::Preference { id, .. } | Item::Binary { id, .. } => id,
        }
    }

    /// The same pair in the other order, whose margin a consistent judge negates.
    /// `None` for a binary item, which has no order.
    pub fn swapped(&self) -> Option<Item> {
        match self {
            Item::Preference { id, prompt, first, second } => Some(Item::Preference {
                id: id.clone(),
                prompt: prompt.clone(),
                first: second.clone(),
                second: first.clone(),
            }),
            Item::Binary { .. } => None,
        }
    }
}

/// A teacher's soft label of one pool item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoftLabel {
    /// The item it speaks of.
    pub id: ItemId,
    /// P(positive), in [0, 1].
    pub p: f32,
}

/// Whether a test item comes from the distribution the teacher was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// In distribution.
    In,
    /// Out of distribution.
    Out,
}
