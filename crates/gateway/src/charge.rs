//! What a call is charged.
//!
//! | the call | is charged |
//! |---|---|
//! | was answered | what its provider says it used |
//! | was answered, and nobody says what it used | all its input at the bound (a token is at least a byte), and a token per byte of the answer |
//! | was cut within its answer | what its provider had said of the input, or its bound; the larger of what had been said of the output and a token per byte that came |
//! | failed with a status, or nobody was reached | nothing |
//! | arrived and was not answered in time, or its answer can't be read | its worst case |
//!
//! What is not known is charged at its bound, so that the ledger does not say less than the provider's bill. One thing can't be
//! seen: reasoning that a provider does not show, in an answer that was cut.

use crate::ledger::book::{Charge, Outcome};
use crate::price::Price;
use aar_llm::conversation::{Reply, Usage};
use aar_llm::stream::{Cut, Stream};
use aar_llm::wire::Wire;

/// What was seen of an answer.
#[derive(Debug)]
pub struct Seen {
    /// The answer, if it is whole.
    pub reply: Option<Reply>,
    /// Why there is none.
    pub failure: Option<String>,
    /// How the call ended.
    pub outcome: Outcome,
    /// What it costs.
    pub charge: Charge,
}

/// Reads an answer while it passes.
pub struct Meter {
    /// The price.
    pub price: Price,
    /// What is promised to the call.
    pub worst: Charge,
}

impl Meter {
    /// A streamed answer that has ended; `broken` if the connection had.
    pub fn streamed(&self, stream: Stream, broken: Option<String>) -> Seen {
        let written = stream.written();
        match stream.finish() {
            Ok(reply) => self.whole(reply, written),
            Err(cut) => self.cut(&cut, broken),
        }
    }

    /// An answer in one piece.
    pub fn at_once(&self, wire: Wire, body: &[u8], broken: Option<String>) -> Seen {
        let value = serde_json::from_slice(body).map_err(|error| error.to_string());
        let reply = value.and_then(|value| wire.format().read_reply(&value).map_err(|error| error.to_string()));
        match (broken, reply) {
            (None, Ok(reply)) => self.whole(reply, body.len() as u64),
            (broken, reply) => self.unknown(broken.or(reply.err()).unwrap_or_default()),
        }
    }

    /// Nobody knows what the provider did.
    pub fn unknown(&self, failure: String) -> Seen {
        Seen { reply: None, failure: Some(failure), outcome: Outcome::Unknown, charge: self.worst }
    }

    fn whole(&self, reply: Reply, written: u64) -> Seen {
        let usage = if reply.usage.total() > 0 {
            reply.usage
        } else {
            Usage { output: written.min(self.worst.usage.output), ..self.bound() }
        };
        let charge = self.priced(usage, reply.usage.total() > 0);
        Seen { reply: Some(reply), failure: None, outcome: Outcome::Answered, charge }
    }

    fn cut(&self, cut: &Cut, broken: Option<String>) -> Seen {
        let known = cut.usage.input + cut.usage.cache_read + cut.usage.cache_write > 0;
        let read = if known { cut.usage } else { self.bound() };
        let output = cut.usage.output.max(cut.written.min(self.worst.usage.output));
        let charge = self.priced(Usage { output, ..read }, known);
        let failure = broken.map_or(cut.detail.clone(), |broken| format!("{}: {broken}", cut.detail));
        Seen { reply: None, failure: Some(failure), outcome: Outcome::Cut, charge }
    }

    fn bound(&self) -> Usage {
        Usage { input: self.worst.usage.input, ..Usage::default() }
    }

    /// Input whose kind is not known may have been of the dearest.
    fn priced(&self, usage: Usage, known: bool) -> Charge {
        let nano = if known { self.price.cost(&usage) } else { self.price.worst(usage.input, usage.output) };
        Charge { usage, nano }
    }
}
