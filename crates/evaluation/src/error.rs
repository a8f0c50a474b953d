//! What can go wrong with a job, and whose fault it is.

use std::path::PathBuf;

/// A job's failure.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The bundle did something wrong: it is charged, and its author is told.
    #[error("{reason}")]
    Bundle {
        /// For the author.
        reason: String,
        /// The last lines its own code printed.
        log_tail: String,
    },
    /// A file of the operator's could not be read or written.
    #[error("{step} {path}: {source}")]
    File {
        /// What was being done.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The jail could not be built.
    #[error("start the sandbox: {0}")]
    Sandbox(#[from] aar_sandbox::SandboxError),
    /// The server could not be reached or refused.
    #[error("{0}")]
    Server(#[from] aar_api::client::ClientError),
    /// The testbed's own student failed to predict: not the bundle's fault.
    #[error("predict: {0}")]
    Predict(String),
}

impl EvaluationError {
    /// For `map_err` on file operations.
    pub(crate) fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| EvaluationError::File { step, path, source }
    }

    /// A fault of the bundle's.
    pub(crate) fn bundle(reason: impl Into<String>) -> Self {
        EvaluationError::Bundle { reason: reason.into(), log_tail: String::new() }
    }
}
