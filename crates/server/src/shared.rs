//! What requests share: the state behind one lock, with the log that every change goes through first.

use crate::error::ServerError;
use crate::event::Event;
use crate::released::Released;
use crate::routes::predictions::{self, Ask};
use crate::state::State;
use crate::store::Store;
use aar_api::receipt::Receipt;
use aar_grader::Vault;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, mpsc, watch};

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

    /// Why nothing can be recorded now, if so.
    pub fn trouble(&self) -> Option<ServerError> {
        self.store.trouble()
    }

    /// What an event names by its hash.
    pub async fn blob(&mut self, hash: &str) -> Result<Option<Vec<u8>>, ServerError> {
        self.store.blob(hash).await
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
    /// Test items as a study of the predictions contract hands them out.
    pub released: Arc<Released>,
    /// Predictions on their way to being committed together.
    pub predictions: mpsc::Sender<Ask>,
}

/// An event with hash and bytes of what it names.
pub type Entry = (Event, Option<(String, Vec<u8>)>);

impl Shared {
    /// Open the log and replay it.
    pub async fn open(log: &Path, testbed: &Path) -> Result<Self, ServerError> {
        let vault = Arc::new(Vault::open(testbed)?);
        let released = Arc::new(Released::of(testbed));
        let mut store = Store::open(log).await?;
        let mut state = State::new(vault.clone(), released.clone());
        for logged in store.events().await? {
            let blob = match &logged.event {
                Event::Stored { bundle, .. } => store.blob(bundle).await?,
                Event::Done { margins: hash, .. } | Event::Predicted { answers: hash, .. } => store.blob(hash).await?,
                _ => None,
            };
            if logged.event.hands_out_items() {
                released.read()?;
            }
            state.apply(logged.at_ms, &logged.event, blob.as_deref());
        }
        state.forget_workers();
        let inner = Inner { state, store, leases: HashMap::new() };
        let (predictions, asks) = mpsc::channel(predictions::WAITING);
        let inner = Arc::new(Mutex::new(inner));
        let shared = Self { inner, changes: Arc::new(watch::channel(0).0), vault, released, predictions };
        tokio::spawn(predictions::answer_all(shared.clone(), asks));
        Ok(shared)
    }

    /// Log an event, then apply it. `blob`: hash and bytes of what it names.
    pub async fn commit(
        &self,
        inner: &mut Inner,
        event: Event,
        blob: Option<(&str, &[u8])>,
    ) -> Result<(), ServerError> {
        if event.hands_out_items() {
            self.released.read()?;
        }
        let at_ms = now_ms();
        inner.store.append(at_ms, std::slice::from_ref(&event), blob.as_slice()).await?;
        inner.state.apply(at_ms, &event, blob.map(|(_, bytes)| bytes));
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Log events together, on disk with one wait, then apply them: all of them or none.
    pub async fn commit_all(&self, inner: &mut Inner, entries: &[Entry]) -> Result<(), ServerError> {
        let at_ms = now_ms();
        let events: Vec<Event> = entries.iter().map(|(event, _)| event.clone()).collect();
        let blobs = entries.iter().filter_map(|(_, blob)| blob.as_ref());
        let blobs: Vec<(&str, &[u8])> = blobs.map(|(hash, bytes)| (hash.as_str(), bytes.as_slice())).collect();
        inner.store.append(at_ms, &events, &blobs).await?;
        for (event, blob) in entries {
            inner.state.apply(at_ms, event, blob.as_ref().map(|(_, bytes)| bytes.as_slice()));
        }
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
