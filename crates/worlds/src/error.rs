//! Why a testbed could not be made.

use std::path::PathBuf;

/// A mint's or an import's failure.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The engine failed.
    #[error("train a model of the world: {0}")]
    Engine(#[from] aar_lm::LmError),
    /// A method failed.
    #[error("train a baseline: {0}")]
    Method(#[from] aar_methods::MethodError),
    /// The operating system gave no random numbers.
    #[error("draw a secret: {0}")]
    Entropy(getrandom::Error),
    /// The truth could not be written.
    #[error("seal the truth: {0}")]
    Sealing(#[from] aar_grader::VaultError),
    /// A file could not be written.
    #[error("{step} {path}: {source}")]
    File {
        /// What was being done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The place is taken.
    #[error("{0} exists already; choose another place")]
    Exists(PathBuf),
    /// No draw held all bounds.
    #[error("none of {0} draws held all bounds; the attempts are on record")]
    Exhausted(u32),
    /// CPU time could not be read.
    #[error("read the CPU time: {0}")]
    Clock(std::io::Error),
    /// Threads could not be started.
    #[error("start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl WorldError {
    /// For `map_err` on file operations.
    pub(crate) fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| WorldError::File { step, path, source }
    }
}
