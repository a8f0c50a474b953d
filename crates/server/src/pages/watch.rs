//! Is the log what it was? Looked into behind the page, not more often than it is worth.

use crate::audit;
use crate::shared::Shared;
use aar_api::receipt::Receipt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A page waits so long; then it says that the check is under way.
const PATIENCE: Duration = Duration::from_millis(40);

/// What the last check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Events it went over.
    pub height: i64,
    /// What does not hold.
    pub faults: Vec<String>,
    /// Why it could not be done.
    pub failed: Option<String>,
}

/// Checks one log.
pub struct Watch {
    log: PathBuf,
    last: Mutex<Option<Checked>>,
    busy: tokio::sync::Mutex<()>,
}

impl Watch {
    /// Of the log at this path.
    pub fn new(log: PathBuf) -> Self {
        Self { log, last: Mutex::default(), busy: tokio::sync::Mutex::default() }
    }

    fn last(&self) -> Option<Checked> {
        self.last.lock().ok()?.clone()
    }

    /// The whole log is read for it: again when it has grown by a tenth, or when the study is over.
    fn due(&self, head: &Receipt, over: bool) -> bool {
        self.last().is_none_or(|last| {
            let new = head.height - last.height;
            new > 0 && (over || new * 10 > last.height)
        })
    }

    /// The last check; a new one where it is due.
    pub async fn look(self: &Arc<Self>, shared: &Shared, head: &Receipt, over: bool) -> Option<Checked> {
        if self.due(head, over) && self.busy.try_lock().is_ok() {
            let (watch, shared, head) = (self.clone(), shared.clone(), head.clone());
            let work = tokio::spawn(async move {
                let _busy = watch.busy.lock().await;
                if watch.due(&head, over) {
                    watch.check().await;
                    shared.changes.send_modify(|count| *count += 1);
                }
            });
            let _ = tokio::time::timeout(PATIENCE, work).await;
        }
        self.last()
    }

    async fn check(&self) {
        let log = self.log.clone();
        let found = tokio::task::spawn_blocking(move || audit::verify(&log, &[])).await;
        let checked = match found {
            Ok(Ok(audit)) => Checked {
                height: audit.events,
                faults: audit
                    .faults
                    .into_iter()
                    .map(|fault| match fault.event {
                        Some(event) => format!("event {event} {}", fault.what),
                        None => fault.what,
                    })
                    .collect(),
                failed: None,
            },
            Ok(Err(error)) => Checked { height: 0, faults: vec![], failed: Some(error.to_string()) },
            Err(error) => Checked { height: 0, faults: vec![], failed: Some(error.to_string()) },
        };
        if let Ok(mut last) = self.last.lock() {
            *last = Some(checked);
        }
    }
}
