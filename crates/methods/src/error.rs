//! Why a recipe can't be read or run.

use std::path::PathBuf;

/// A method's failure.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// The recipe's text is wrong.
    #[error("recipe {path}: {detail}")]
    Recipe {
        /// The file, or the recipe's name.
        path: PathBuf,
        /// What is wrong, with line and what would be right.
        detail: String,
    },
    /// The recipe can't be used here.
    #[error("{0}")]
    NotApplicable(String),
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
    /// A row of a JSONL file is wrong.
    #[error("{path} line {line}: {detail}")]
    Row {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// Files that belong together do not fit.
    #[error("{0}")]
    Mismatch(String),
    /// The engine failed.
    #[error("{0}")]
    Engine(#[from] aar_lm::LmError),
    /// An inference recipe is refused.
    #[error("inference.json: {0}")]
    Inference(String),
}

impl MethodError {
    /// For `map_err` on file operations.
    pub(crate) fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| MethodError::File { step, path, source }
    }
}
