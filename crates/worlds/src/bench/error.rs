//! Why recipes could not be compared.

use super::MOST_SEEDS;
use std::path::PathBuf;

/// A bench's failure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file could not be read or written.
    #[error("{step} {path}: {source}")]
    File {
        /// What was being done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file says something that can't be.
    #[error("{path}: {detail}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// No recipe has this name.
    #[error("no recipe that ships and no control is called {0:?}; there are: {1}")]
    Recipe(String, String),
    /// A run that was planned is not there.
    #[error("{0:?} was not run at seed {1} yet")]
    Missing(String, u64),
    /// More seeds than a testbed has teachers.
    #[error("{0} seeds, but a testbed has {MOST_SEEDS} teachers: 1 to {MOST_SEEDS} are possible")]
    Seeds(usize),
    /// A testbed's public half can't be used.
    #[error("open a testbed: {0}")]
    Method(#[from] aar_methods::MethodError),
    /// A testbed's truth can't be read.
    #[error("score answers: {0}")]
    Vault(#[from] aar_grader::VaultError),
    /// Threads could not be started.
    #[error("start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// CPU time could not be read.
    #[error("read the CPU time: {0}")]
    Clock(std::io::Error),
}

impl BenchError {
    /// For `map_err` on file operations.
    pub(crate) fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| BenchError::File { step, path, source }
    }
}
