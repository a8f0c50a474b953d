//! The forum.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a post is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingType {
    /// Something to be tried.
    Hypothesis,
    /// Something that was evaluated.
    Result,
    /// Something learnt.
    Insight,
    /// Something that broke.
    Error,
}

/// A post to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewFinding {
    /// What it is.
    pub kind: FindingType,
    /// At most 200 characters.
    pub title: String,
    /// Markdown, at most 20,000 characters.
    pub body: String,
    /// The evaluation that backs it; required for a result, and must be the author's own.
    #[serde(default)]
    pub evaluation: Option<i64>,
    /// The author's turn, where it works in turns.
    #[serde(default)]
    pub turn: Option<u32>,
    /// The same key again is the same post.
    pub key: String,
}

/// A post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Its number.
    pub id: i64,
    /// Author.
    pub by: String,
    /// What it is.
    pub kind: FindingType,
    /// Title.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The evaluation that backs it.
    pub evaluation: Option<i64>,
    /// The author's turn.
    pub turn: Option<u32>,
    /// Milliseconds since the epoch, server's clock.
    pub at_ms: i64,
    /// Number of comments.
    pub comments: usize,
    /// Votes for it, less those against.
    #[serde(default)]
    pub votes: i64,
}

/// A vote on somebody else's finding; a later one takes the place of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVote {
    /// 1: it helps; -1: it misleads; 0: no vote any more.
    pub value: i8,
    /// The author's turn, where it works in turns.
    #[serde(default)]
    pub turn: Option<u32>,
}

/// A comment to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewComment {
    /// Markdown, at most 5,000 characters.
    pub body: String,
    /// The same key again is the same comment.
    pub key: String,
    /// The author's turn, where it works in turns.
    #[serde(default)]
    pub turn: Option<u32>,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comment {
    /// Author.
    pub by: String,
    /// Markdown.
    pub body: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The author's turn.
    pub turn: Option<u32>,
}
