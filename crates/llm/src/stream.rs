//! An answer that arrives piece by piece, as server-sent events in whatever chunks the network makes of them.

use crate::conversation::{Reply, Usage};
use crate::wire::Wire;
use crate::{chat, messages, responses};
use serde_json::Value;

/// A line longer than this is no event of a provider.
const MAX_LINE: usize = 16 << 20;

/// Something new of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Text.
    Text(String),
    /// Reasoning that the provider lets one see.
    Reasoning(String),
    /// A piece of a call's arguments, for whoever counts.
    Arguments(String),
}

impl Delta {
    /// What is new, of whatever kind.
    pub fn text(&self) -> &str {
        match self {
            Delta::Text(text) | Delta::Reasoning(text) | Delta::Arguments(text) => text,
        }
    }
}

/// A stream that ended before its answer did, or that brought a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut off: {detail}")]
pub struct Cut {
    /// What happened.
    pub detail: String,
    /// What the provider had said of the usage.
    pub usage: Usage,
    /// Bytes of text, reasoning and arguments that had come.
    pub written: u64,
}

/// What the formats' streams have in common.
pub(crate) trait Assemble: Send {
    /// One event's data. An error is one that the provider sent.
    fn event(&mut self, data: &Value) -> Result<Vec<Delta>, String>;
    /// What is known of the usage.
    fn usage(&self) -> Usage;
    /// The answer, when its end has come.
    fn whole(&mut self) -> Option<Reply>;
}

/// Takes bytes, gives deltas, and in the end an answer.
pub struct Stream {
    buffer: Vec<u8>,
    data: String,
    assembly: Box<dyn Assemble>,
    failure: Option<String>,
    written: u64,
}

impl Stream {
    /// A stream in this format.
    pub fn new(wire: Wire) -> Self {
        let assembly: Box<dyn Assemble> = match wire {
            Wire::Messages => Box::new(messages::Assembly::default()),
            Wire::Chat => Box::new(chat::Assembly::default()),
            Wire::Responses => Box::new(responses::Assembly::default()),
        };
        Self { buffer: vec![], data: String::new(), assembly, failure: None, written: 0 }
    }

    /// The next bytes, of any number.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Delta> {
        let mut deltas = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.buffer.len() + line.len() > MAX_LINE {
                self.fail("a line is too long".into());
                self.buffer.clear();
                continue;
            }
            self.buffer.extend_from_slice(line);
            if line.ends_with(b"\n") {
                let whole = std::mem::take(&mut self.buffer);
                deltas.extend(self.line(String::from_utf8_lossy(&whole).trim_end_matches(['\r', '\n'])));
            }
        }
        deltas
    }

    fn line(&mut self, line: &str) -> Vec<Delta> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return self.event(&data);
        }
        // Every format names its events within the data too, so that `event:` says nothing new.
        if let Some(data) = line.strip_prefix("data:") {
            if self.data.len() + data.len() > MAX_LINE {
                self.fail("an event is too long".into());
                return vec![];
            }
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        vec![]
    }

    fn event(&mut self, data: &str) -> Vec<Delta> {
        if data.is_empty() || data == "[DONE]" {
            return vec![];
        }
        let read = serde_json::from_str(data).map_err(|_| "an event is not JSON".to_owned());
        match read.and_then(|value| self.assembly.event(&value)) {
            Ok(deltas) => {
                self.written += deltas.iter().map(|delta| delta.text().len() as u64).sum::<u64>();
                deltas
            }
            Err(failure) => {
                self.fail(failure);
                vec![]
            }
        }
    }

    fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }

    /// What is known of the usage so far.
    pub fn usage(&self) -> Usage {
        self.assembly.usage()
    }

    /// Bytes of text, reasoning and arguments so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// No more bytes come: the whole answer, or why there is none.
    pub fn finish(mut self) -> Result<Reply, Cut> {
        // The last event may lack its empty line.
        let rest = std::mem::take(&mut self.buffer);
        self.line(String::from_utf8_lossy(&rest).trim_end_matches(['\r', '\n']));
        self.line("");
        let cut = |detail: String, usage| Cut { detail, usage, written: self.written };
        match (self.failure.take(), self.assembly.whole()) {
            (None, Some(reply)) => Ok(reply),
            (Some(failure), _) => Err(cut(failure, self.assembly.usage())),
            (None, None) => Err(cut("it ended before the answer did".into(), self.assembly.usage())),
        }
    }
}

/// Events as the body of an answer.
pub fn body(events: &[(String, String)]) -> String {
    let mut body = String::new();
    for event in events {
        body.push_str(&frame(event));
    }
    body
}

/// One event as it travels.
pub fn frame((name, data): &(String, String)) -> String {
    if name.is_empty() { format!("data: {data}\n\n") } else { format!("event: {name}\ndata: {data}\n\n") }
}
