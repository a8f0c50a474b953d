//! What came of trying finalists elsewhere: the last matrix and the production trial that `aar transfer` put on record.

use crate::record::Note;
use aar_domain::transfer::matrix::Matrix;
use aar_domain::transfer::production::{Registered, Trial};
use serde::de::DeserializeOwned;

/// The kind of note that carries it.
pub const NOTE: &str = "transfer";
/// The kind of note that says, before it is run, what a production trial will be.
pub const REGISTERED: &str = "production-registered";
/// The kind of note that says what came of it.
pub const TRIED: &str = "production-tried";

/// The last matrix; `None` where nothing was tried.
pub fn of(notes: &[Note]) -> Option<Matrix> {
    last(notes, NOTE)
}

/// What came of the last production trial.
pub fn production(notes: &[Note]) -> Option<Trial> {
    last(notes, TRIED)
}

/// The trials that were registered, in their order.
pub fn registered(notes: &[Note]) -> Vec<Registered> {
    let all = notes.iter().filter(|note| note.kind == REGISTERED);
    all.filter_map(|note| serde_json::from_value(note.body.clone()).ok()).collect()
}

fn last<T: DeserializeOwned>(notes: &[Note], kind: &str) -> Option<T> {
    let last = notes.iter().rev().find(|note| note.kind == kind)?;
    serde_json::from_value(last.body.clone()).ok()
}
