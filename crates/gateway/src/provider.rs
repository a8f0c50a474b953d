//! Where answers come from.

pub mod http;
pub mod replay;

use aar_llm::wire::Wire;
use axum::body::Bytes;
use futures_util::Stream;
use serde_json::Value;
use std::pin::Pin;

/// A call on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The format.
    pub wire: Wire,
    /// The body.
    pub body: Bytes,
    /// The same, read.
    pub value: Value,
    /// Headers of the caller that the format knows.
    pub headers: Vec<(&'static str, String)>,
    /// Who asks.
    pub caller: String,
}

/// A body as it arrives.
pub type Body = Pin<Box<dyn Stream<Item = Result<Bytes, String>> + Send>>;

/// The beginning of an answer.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its content type.
    pub content_type: String,
    /// Seconds to wait, if the endpoint says so.
    pub retry_after: Option<f64>,
    /// The rest.
    pub body: Body,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody was reached: certainly nothing was charged.
    Unreachable(String),
    /// The call arrived, and no answer began in time.
    TimedOut,
    /// The connection broke after the call had been sent.
    Broken(String),
}

/// What a provider gives when it is asked.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + 'a>>;

/// Something that answers calls.
pub trait Provider: Send + Sync {
    /// Formats that it speaks.
    fn wires(&self) -> &[Wire];
    /// Ask once.
    fn ask<'a>(&'a self, outgoing: &'a Outgoing) -> Asked<'a>;
}
