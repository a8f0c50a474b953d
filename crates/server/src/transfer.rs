//! What came of trying finalists elsewhere: the last matrix that `aar transfer` put on record.

use crate::record::Note;
use aar_domain::transfer::matrix::Matrix;

/// The kind of note that carries it.
pub const NOTE: &str = "transfer";

/// The last matrix; `None` where nothing was tried.
pub fn of(notes: &[Note]) -> Option<Matrix> {
    let last = notes.iter().rev().find(|note| note.kind == NOTE)?;
    serde_json::from_value(last.body.clone()).ok()
}
