//! The record of an earlier run in place of a model.

use super::{Answer, Asked, Outgoing, Provider, Unanswered};
use crate::transcript::{self, Exchange};
use aar_llm::stream;
use aar_llm::wire::Wire;
use axum::body::Bytes;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A folder of transcripts.
pub struct Replay {
    folder: PathBuf,
    in_order: bool,
    /// By caller, and by what was asked.
    left: Mutex<BTreeMap<String, BTreeMap<String, VecDeque<Exchange>>>>,
}

impl Replay {
    /// Answer from this folder; `in_order` of the record, whatever is asked.
    pub fn new(folder: &Path, in_order: bool) -> Self {
        Self { folder: folder.to_owned(), in_order, left: Mutex::default() }
    }

    /// The recorded answer to this call, once.
    fn next(&self, outgoing: &Outgoing) -> Result<Exchange, String> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if !left.contains_key(&outgoing.caller) {
            let path = self.folder.join(format!("{}.jsonl", outgoing.caller));
            let exchanges = transcript::read(&path).map_err(|error| error.to_string())?;
            let mut by_question = BTreeMap::<String, VecDeque<Exchange>>::new();
            for exchange in exchanges.into_iter().filter(|exchange| exchange.reply.is_some()) {
                let question = self.question(exchange.wire, &exchange.body);
                by_question.entry(question).or_default().push_back(exchange);
            }
            left.insert(outgoing.caller.clone(), by_question);
        }
        let question = self.question(outgoing.wire, &outgoing.value);
        let answers = left.get_mut(&outgoing.caller).and_then(|by_question| by_question.get_mut(&question));
        answers.and_then(VecDeque::pop_front).ok_or_else(|| "this call is not in the record, or not so often".into())
    }

    /// What is asked, whatever the format, and whether it is streamed or not.
    fn question(&self, wire: Wire, body: &serde_json::Value) -> String {
        if self.in_order {
            return String::new();
        }
        let request = wire.format().read_request(body).unwrap_or_default();
        let parts = serde_json::to_vec(&(request.system, request.messages, request.tools)).unwrap_or_default();
        hex::encode(Sha256::digest(parts))
    }
}

impl Provider for Replay {
    fn wires(&self) -> &[Wire] {
        &Wire::ALL
    }

    fn ask<'a>(&'a self, outgoing: &'a Outgoing) -> Asked<'a> {
        Box::pin(async move {
            let reply = self.next(outgoing).map_err(Unanswered::Unreachable)?.reply;
            let reply = reply.ok_or_else(|| Unanswered::Unreachable("this call had no answer".into()))?;
            let format = outgoing.wire.format();
            let streamed = outgoing.value["stream"] == true;
            let (body, kind) = if streamed {
                (stream::body(&format.pieces(&reply)), "text/event-stream")
            } else {
                (format.reply(&reply).to_string(), "application/json")
            };
            let body = futures_util::stream::iter([Ok(Bytes::from(body))]);
            Ok(Answer { status: 200, content_type: kind.into(), retry_after: None, body: Box::pin(body) })
        })
    }
}
