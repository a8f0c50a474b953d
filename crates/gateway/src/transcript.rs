//! What was said, outside the sandboxes: one file per caller, one line per event, only ever appended to.
//!
//! What a line holds is `aar_llm::transcript`'s; [`read`] puts bodies together again.

use crate::error::GatewayError;
use crate::ledger::book::Charge;
use crate::secret::{Key, hide_text};
use aar_llm::conversation::Reply;
pub use aar_llm::transcript::{Event, Line, Written};
use aar_llm::wire::Wire;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Bodies per caller that the next one is compared with: an agent may have more than one conversation at a time.
const REMEMBERED: usize = 4;

/// One call and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// The call's number.
    pub call: i64,
    /// The format.
    pub wire: Wire,
    /// The whole body.
    pub body: Value,
    /// The answer, if there was one.
    pub reply: Option<Reply>,
    /// What was charged.
    pub charge: Charge,
}

/// The exchanges of a transcript, in order. A line that a crash cut off is passed over.
pub fn read(path: &Path) -> Result<Vec<Exchange>, GatewayError> {
    let text = std::fs::read_to_string(path).map_err(GatewayError::file("read", path))?;
    let mut bodies = BTreeMap::new();
    let mut exchanges: Vec<Exchange> = Vec::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        match line.event {
            Event::Asked { call, wire, body, .. } => {
                let Some(body) = body.whole(wire, &bodies) else { continue };
                bodies.insert(call, body.clone());
                exchanges.push(Exchange { call, wire, body: body.into(), reply: None, charge: Charge::default() });
            }
            Event::Ended { call, reply, charge, .. } => {
                if let Some(exchange) = exchanges.iter_mut().rev().find(|exchange| exchange.call == call) {
                    (exchange.reply, exchange.charge) = (reply, charge);
                }
            }
            Event::Refused { .. } => {}
        }
    }
    Ok(exchanges)
}

/// A call that goes out.
pub struct Asking<'a> {
    /// Its number.
    pub call: i64,
    /// The format.
    pub wire: Wire,
    /// The model as the caller named it.
    pub model: &'a str,
    /// The body.
    pub body: &'a Value,
    /// What was taken out of it.
    pub taken_out: &'a [String],
}

/// All transcripts of a team.
pub struct Transcripts {
    folder: PathBuf,
    keys: Vec<Key>,
    open: Mutex<BTreeMap<String, Open>>,
}

struct Open {
    file: File,
    earlier: Vec<(i64, Map<String, Value>)>,
}

impl Transcripts {
    /// In this folder, without these keys.
    pub fn new(folder: &Path, keys: Vec<Key>) -> Result<Self, GatewayError> {
        std::fs::create_dir_all(folder).map_err(GatewayError::file("create", folder))?;
        Ok(Self { folder: folder.to_owned(), keys, open: Mutex::default() })
    }

    /// A call goes out.
    pub fn asked(&self, caller: &str, at_ms: i64, asking: Asking<'_>) -> Result<(), GatewayError> {
        let Asking { call, wire, model, body, taken_out } = asking;
        let body = body.as_object().cloned().unwrap_or_default();
        self.with(caller, |open, keys, path| {
            let written = Written::of(wire, &body, &open.earlier);
            let (model, taken_out) = (model.to_owned(), taken_out.to_vec());
            let event = Event::Asked { call, wire, model, body: written.clone(), taken_out };
            append(&mut open.file, keys, path, &Line { at_ms, event })?;
            // What it went on from is not needed any more.
            open.earlier.retain(|(earlier, _)| written.keep == 0 || Some(*earlier) != written.after);
            open.earlier.push((call, body));
            let surplus = open.earlier.len().saturating_sub(REMEMBERED);
            open.earlier.drain(..surplus);
            Ok(())
        })
    }

    /// Something else happened.
    pub fn note(&self, caller: &str, at_ms: i64, event: Event) -> Result<(), GatewayError> {
        self.with(caller, |open, keys, path| append(&mut open.file, keys, path, &Line { at_ms, event }))
    }

    fn with<T>(
        &self,
        caller: &str,
        act: impl FnOnce(&mut Open, &[Key], &Path) -> Result<T, GatewayError>,
    ) -> Result<T, GatewayError> {
        let path = self.folder.join(format!("{caller}.jsonl"));
        // A writer that panicked leaves a whole line or none that counts.
        let mut files = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !files.contains_key(caller) {
            let file = open(&path).map_err(GatewayError::file("open", &path))?;
            files.insert(caller.to_owned(), Open { file, earlier: vec![] });
        }
        let open = files.get_mut(caller).ok_or(GatewayError::LedgerClosed)?;
        act(open, &self.keys, &path)
    }
}

/// Open for appending; a line that a crash cut off is ended.
fn open(path: &Path) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn append(file: &mut File, keys: &[Key], path: &Path, line: &Line) -> Result<(), GatewayError> {
    let text = serde_json::to_string(line).map_err(|error| std::io::Error::other(error.to_string()));
    let written = text.and_then(|text| file.write_all(format!("{}\n", hide_text(keys, text)).as_bytes()));
    written.map_err(GatewayError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(messages: usize, marked: bool) -> Value {
        let mut list: Vec<Value> =
            (0..messages).map(|n| json!({"role": "user", "content": format!("{n} {}", "x".repeat(500))})).collect();
        if marked {
            list[messages - 1]["cache_control"] = json!({"type": "ephemeral"});
        }
        json!({"model": "m", "system": "rules ".repeat(100), "max_tokens": 10, "messages": list})
    }

    #[test]
    fn bodies_come_back_whole_and_a_long_session_is_not_quadratic() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::new("sk-very-secret");
        let transcripts = Transcripts::new(folder.path(), vec![key]).unwrap();
        let mut bodies = Vec::new();
        for n in 1..60 {
            // Two conversations in turns, a short one beside a long one.
            let body = if n % 2 == 0 {
                body(n, true)
            } else {
                json!({"model": "s", "messages": [{"role": "user", "content": format!("title {n} sk-very-secret")}]})
            };
            let asking = Asking { call: n as i64, wire: Wire::Messages, model: "m", body: &body, taken_out: &[] };
            transcripts.asked("ada", 5, asking).unwrap();
            bodies.push(body);
        }
        let path = folder.path().join("ada.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("sk-very-secret"));
        // All bodies together are 30 times as long.
        assert!(text.len() < 110_000, "{} bytes", text.len());
        let read = read(&path).unwrap();
        assert_eq!(read.len(), 59);
        for (exchange, body) in read.iter().zip(&bodies).filter(|(exchange, _)| exchange.call % 2 == 0) {
            assert_eq!(&exchange.body, body, "call {}", exchange.call);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.jsonl");
        for call in [1, 2] {
            let transcripts = Transcripts::new(folder.path(), vec![]).unwrap();
            let asking = Asking { call, wire: Wire::Chat, model: "m", body: &body(1, false), taken_out: &[] };
            transcripts.asked("ada", 1, asking).unwrap();
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(b"{\"at_ms\":1,\"event\":\"as").unwrap();
        }
        let calls: Vec<i64> = read(&path).unwrap().iter().map(|exchange| exchange.call).collect();
        assert_eq!(calls, [1, 2]);
    }
}
