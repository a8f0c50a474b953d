//! The engine at work: without the interpreter's lock, and with its operations counted.

use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

static OPERATIONS: AtomicU64 = AtomicU64::new(0);

/// Run the engine; other Python threads go on meanwhile.
pub fn run<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    py.detach(|| {
        // What an earlier call on this thread left uncounted is counted too.
        let out = work();
        OPERATIONS.fetch_add(aar_lm::ops::take(), Ordering::Relaxed);
        out
    })
}

/// Operations of all matrix products so far in this process (two per multiply-add), the same on every machine.
#[pyfunction]
pub fn operations() -> u64 {
    OPERATIONS.load(Ordering::Relaxed)
}
