//! What training leaves.

use aar_methods::student::Artefact as Inner;
use pyo3::prelude::*;
use std::sync::Arc;

/// What training leaves, frozen: of `Trainer.artefact`, `Student.head`, `Student.base` or `Student.load`.
#[pyclass(frozen, module = "aar")]
pub struct Artefact {
    pub inner: Arc<Inner>,
}

impl Artefact {
    pub fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

#[pymethods]
impl Artefact {
    /// `full` (a checkpoint), `adapter` (low rank), `head` (a linear readout) or `base` (the untouched student).
    #[getter]
    fn kind(&self) -> String {
        let kind = serde_json::to_value(self.inner.kind()).unwrap_or_default();
        kind.as_str().unwrap_or_default().to_owned()
    }

    fn __repr__(&self) -> String {
        format!("<aar.Artefact of kind {}>", self.kind())
    }
}
