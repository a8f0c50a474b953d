//! A whole log written at once: studies made up for tests and measurements, out of the events that a running one writes.

use crate::error::ServerError;
use crate::event::Event;
use crate::store::Store;
use std::path::Path;

/// Something that happened.
pub struct Moment {
    /// Milliseconds since the epoch; not before the one ahead of it.
    pub at_ms: i64,
    /// What.
    pub event: Event,
    /// Hash and bytes of what it names: a bundle's JSON, a job's margins.
    pub blob: Option<(String, Vec<u8>)>,
}

/// Append all of it to the log at `path`, which is made where it is missing. What happened at one time is one transaction.
pub fn write(path: &Path, history: &[Moment]) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServerError::Runtime)?;
    runtime.block_on(async {
        let mut store = Store::open(path).await?;
        for moments in history.chunk_by(|a, b| a.at_ms == b.at_ms) {
            let events: Vec<Event> = moments.iter().map(|moment| moment.event.clone()).collect();
            let named = moments.iter().filter_map(|moment| moment.blob.as_ref());
            let blobs: Vec<(&str, &[u8])> = named.map(|(hash, bytes)| (hash.as_str(), bytes.as_slice())).collect();
            store.append(moments[0].at_ms, &events, &blobs).await?;
        }
        Ok(())
    })
}
