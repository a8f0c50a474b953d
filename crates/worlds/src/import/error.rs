//! Why a data set is refused.

use std::path::PathBuf;

/// An import's failure.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A row can't be used.
    #[error("{path} line {line}: {detail}")]
    Row {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The files together can't be used.
    #[error("{path}: {detail}")]
    Set {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// A file of the encoder is missing.
    #[error(
        "{path} is missing: the student is an encoder's folder with config.json, model.safetensors and tokenizer.json"
    )]
    Model {
        /// The file.
        path: PathBuf,
    },
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
    /// The place is taken.
    #[error("{0} exists already; choose another place")]
    Exists(PathBuf),
    /// Training on it failed.
    #[error("train a baseline: {0}")]
    Method(#[from] aar_methods::MethodError),
    /// A recipe that ships is broken.
    #[error("{0}")]
    Recipe(String),
    /// The testbed could not be written.
    #[error("{0}")]
    World(#[from] crate::WorldError),
    /// The truth could not be written.
    #[error("{0}")]
    Sealing(#[from] aar_grader::VaultError),
    /// There is too little to recover.
    #[error(
        "refused: weak {weak:.3}, ceiling {ceiling:.3}; the gap's lower 95 % bound is {low:.3}, at least 0.10 is needed \
         for a PGR that means something"
    )]
    GapTooSmall {
        /// Weak accuracy on the selection split.
        weak: f64,
        /// Ceiling accuracy.
        ceiling: f64,
        /// Lower bound of their difference.
        low: f64,
    },
}

impl ImportError {
    /// For `map_err` on file operations.
    pub(crate) fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| ImportError::File { step, path, source }
    }
}
