//! The hash chain over events: every event's hash covers the one before, so that nothing can be changed unnoticed
//! without changing everything after it, the head that others hold receipts of included.

use crate::error::ServerError;
use aar_api::receipt::Receipt;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The head of an empty log.
pub fn start() -> Receipt {
    Receipt { height: 0, head: hex::encode(Sha256::digest("aar event log, chain 1")) }
}

/// The head after one more event: SHA-256 over the head before, the event's number, its time and its text.
pub fn next(before: &Receipt, at_ms: i64, body: &str) -> Receipt {
    let height = before.height + 1;
    let mut hash = Sha256::new();
    hash.update(&before.head);
    hash.update(height.to_le_bytes());
    hash.update(at_ms.to_le_bytes());
    hash.update((body.len() as u64).to_le_bytes());
    hash.update(body);
    Receipt { height, head: hex::encode(hash.finalize()) }
}

/// Where the heads of a log are kept: beside it, one JSON line per head.
pub fn heads_file(log: &Path) -> PathBuf {
    log.with_extension("heads")
}

/// Keep a head beside the log. It is written after the event is on disk, so it never speaks of one that is not.
pub fn keep(log: &Path, head: &Receipt) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(heads_file(log))?;
    file.write_all((serde_json::to_string(head).unwrap_or_default() + "\n").as_bytes())
}

/// The heads kept beside the log. Nothing waits until they are on disk, so a machine that loses power may leave holes and half lines: those
/// are passed over.
pub fn kept(log: &Path) -> std::io::Result<Vec<Receipt>> {
    let bytes = match std::fs::read(heads_file(log)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        read => read?,
    };
    let lines = bytes.split(|&byte| byte == b'\n' || byte == 0).filter(|line| !line.is_empty());
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// All receipts in a text: any object with `height` and `head`, however deep, in JSON documents one after the other.
pub fn receipts(text: &str, path: &Path) -> Result<Vec<Receipt>, ServerError> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        match value {
            Ok(value) => collect(&value, &mut found),
            // A machine that died while it wrote leaves half a line at the end.
            Err(error) if error.is_eof() && !found.is_empty() => break,
            Err(error) => return Err(ServerError::Receipt { path: path.to_owned(), detail: error.to_string() }),
        }
    }
    if found.is_empty() {
        let detail = "no receipt in it: an object with height and head is needed".into();
        return Err(ServerError::Receipt { path: path.to_owned(), detail });
    }
    Ok(found)
}

fn collect(value: &serde_json::Value, found: &mut Vec<Receipt>) {
    match value {
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        serde_json::Value::Object(map) => {
            match (map.get("height").and_then(|v| v.as_i64()), map.get("head").and_then(|v| v.as_str())) {
                (Some(height), Some(head)) => found.push(Receipt { height, head: head.to_owned() }),
                _ => map.values().for_each(|value| collect(value, found)),
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_event_changes_the_head() {
        let before = start();
        let head = |before: &Receipt, at_ms, body| next(before, at_ms, body).head;
        let one = head(&before, 1, "a");
        assert_ne!(one, head(&before, 2, "a"));
        assert_ne!(one, head(&before, 1, "b"));
        assert_ne!(one, head(&next(&before, 1, "a"), 1, "a"));
        assert_eq!(one, head(&before, 1, "a"));
    }

    #[test]
    fn receipts_are_found_in_what_lab_prints_and_in_half_written_files() {
        let place = Path::new("r.json");
        let text = r#"{"me":{"name":"ada","receipt":{"height":3,"head":"ab"}},"evaluations":[]}"#;
        let found = receipts(text, place).unwrap();
        assert_eq!(found, [Receipt { height: 3, head: "ab".into() }]);
        assert_eq!(receipts(&format!("{text}\n{{\"height\":4"), place).unwrap(), found);
        assert!(receipts("{}", place).is_err() && receipts("not json", place).is_err());
    }

    #[test]
    fn heads_survive_a_loss_of_power_in_between() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("study.db");
        let head = |height| Receipt { height, head: "ab".into() };
        assert_eq!(kept(&log).unwrap(), []);
        keep(&log, &head(1)).unwrap();
        let file = std::fs::OpenOptions::new().append(true).open(heads_file(&log));
        file.unwrap().write_all(b"{\"height\":2,\"he\0\0\0\n").unwrap();
        keep(&log, &head(3)).unwrap();
        assert_eq!(kept(&log).unwrap(), [head(1), head(3)]);
    }
}
