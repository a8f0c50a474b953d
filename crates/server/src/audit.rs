//! Is a log what it was? Recomputes the chain, and compares it with heads that were written down elsewhere.

use crate::chain;
use crate::error::ServerError;
use crate::event::Event;
use crate::shared::sha256;
use crate::store::{Row, Store};
use aar_api::bundle::Bundle;
use aar_api::receipt::Receipt;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Events in the log.
    pub events: i64,
    /// The chain's head, recomputed as far as it holds.
    pub head: Receipt,
    /// Bundles and margins whose contents were compared with their hashes.
    pub blobs: usize,
    /// Heads kept beside the log that were compared.
    pub heads: usize,
    /// Receipts from elsewhere that were compared.
    pub receipts: usize,
    /// What does not hold, in the order of the log; empty = nothing was changed.
    pub faults: Vec<Fault>,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The event, where it is one.
    pub event: Option<i64>,
    /// What is wrong with it.
    pub what: String,
}

fn fault(event: impl Into<Option<i64>>, what: impl Into<String>) -> Fault {
    Fault { event: event.into(), what: what.into() }
}

/// Audit a log, which is only read. `receipts`: files with receipts that were kept elsewhere.
pub fn verify(log: &Path, receipts: &[PathBuf]) -> Result<Audit, ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServerError::Runtime)?;
    let mut held = Vec::new();
    for path in receipts {
        held.push((path.display().to_string(), read_receipts(path)?));
    }
    let heads = chain::kept(log)
        .map_err(|error| ServerError::Receipt { path: chain::heads_file(log), detail: error.to_string() })?;
    runtime.block_on(async {
        let mut store = Store::look(log).await?;
        let rows = store.rows().await?;
        let mut audit = Audit {
            events: rows.len() as i64,
            head: chain::start(),
            blobs: 0,
            heads: heads.len(),
            receipts: held.iter().map(|(_, list)| list.len()).sum(),
            faults: vec![],
        };
        let known = follow(&rows, &mut audit);
        blobs(&mut store, &rows, &mut audit).await?;
        held.push(("the heads beside the log".into(), heads));
        for (place, list) in &held {
            audit.faults.extend(list.iter().filter_map(|receipt| contradiction(&known, receipt, place)));
        }
        Ok(audit)
    })
}

fn read_receipts(path: &Path) -> Result<Vec<Receipt>, ServerError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ServerError::Receipt { path: path.to_owned(), detail: error.to_string() })?;
    chain::receipts(&text, path)
}

/// Follow the chain. Returns the heads by height, as far as it holds.
fn follow(rows: &[Row], audit: &mut Audit) -> BTreeMap<i64, String> {
    let mut known = BTreeMap::from([(0, audit.head.head.clone())]);
    for row in rows {
        let next = chain::next(&audit.head, row.at_ms, &row.body);
        if row.id != next.height {
            audit
                .faults
                .push(fault(next.height, format!("is not there: after event {} comes {}", next.height - 1, row.id)));
            return known;
        }
        if row.chain != next.head {
            audit
                .faults
                .push(fault(row.id, "its hash does not follow from what is before it: it, or its place, was changed"));
            return known;
        }
        known.insert(next.height, next.head.clone());
        audit.head = next;
    }
    known
}

/// Compare what events name with its hash.
async fn blobs(store: &mut Store, rows: &[Row], audit: &mut Audit) -> Result<(), ServerError> {
    for row in rows {
        let (hash, what) = match serde_json::from_str(&row.body) {
            Ok(Event::Stored { bundle, .. }) => (bundle, "bundle"),
            Ok(Event::Done { margins, .. }) => (margins, "margins"),
            Ok(Event::Predicted { answers, .. }) => (answers, "answers"),
            Ok(_) => continue,
            Err(error) => {
                audit.faults.push(fault(row.id, format!("can't be understood: {error}")));
                continue;
            }
        };
        audit.blobs += 1;
        let found = match store.blob(&hash).await? {
            None => {
                audit.faults.push(fault(row.id, format!("its {what} are gone ({hash})")));
                continue;
            }
            Some(bytes) if what == "bundle" => {
                serde_json::from_slice::<Bundle>(&bytes).map(|b| b.id()).unwrap_or_default()
            }
            Some(bytes) => sha256(bytes),
        };
        if found != hash {
            audit.faults.push(fault(row.id, format!("its {what} were changed: the hash is not {hash}")));
        }
    }
    Ok(())
}

/// What a receipt proves against the log.
fn contradiction(known: &BTreeMap<i64, String>, receipt: &Receipt, place: &str) -> Option<Fault> {
    let highest = *known.keys().last()?;
    match known.get(&receipt.height) {
        Some(head) if *head == receipt.head => None,
        Some(_) => Some(fault(receipt.height, format!("{place} knew another history up to here"))),
        None => Some(fault(
            None,
            format!(
                "{place} saw {} events, the chain holds up to {highest}: the rest was cut off or changed",
                receipt.height
            ),
        )),
    }
}
