//! What requests share: the state behind one lock, with the log that every change goes through first.

use crate::error::ServerError;
use crate::event::Event;
use crate::state::State;
use crate::store::Store;
use aar_api::receipt::Receipt;
use aar_grader::Vault;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, watch};

/// State and log.
pub struct Inner {
    /// The events, replayed.
    pub state: State,
    store: Store,
    /// When a taken job is given to another worker.
    pub leases: HashMap<i64, Instant>,
}

impl Inner {
    /// The log's head, for whoever wants to prove later what it said.
    pub fn receipt(&self) -> Receipt {
        self.store.head().clone()
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// One writer at a time.
    pub inner: Arc<Mutex<Inner>>,
    /// Counts changes, so that long polls wake up.
    pub changes: Arc<watch::Sender<u64>>,
    /// The truth.
    pub vault: Arc<Vault>,
}

impl Shared {
    /// Open the log and replay it.
    pub async fn open(log: &Path, testbed: &Path) -> Result<Self, ServerError> {
        let vault = Arc::new(Vault::open(testbed)?);
        let mut store = Store::open(log).await?;
        let mut state = State::new(vault.clone());
        for logged in store.events().await? {
            let blob = match &logged.event {
                Event::Stored { bundle, .. } => store.blob(bundle).await?,
                Event::Done { margins, .. } => store.blob(margins).await?,
                _ => None,
            };
            state.apply(logged.at_ms, &logged.event, blob.as_deref());
        }
        state.forget_workers();
        let inner = Inner { state, store, leases: HashMap::new() };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), changes: Arc::new(watch::channel(0).0), vault })
    }

    /// Log an event, then apply it. `blob`: hash and bytes of what it names.
    pub async fn commit(
        &self,
        inner: &mut Inner,
        event: Event,
        blob: Option<(&str, &[u8])>,
    ) -> Result<(), ServerError> {
        let at_ms = now_ms();
        inner.store.append(at_ms, std::slice::from_ref(&event), blob.as_slice()).await?;
        inner.state.apply(at_ms, &event, blob.map(|(_, bytes)| bytes));
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// SHA-256, hex.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}
