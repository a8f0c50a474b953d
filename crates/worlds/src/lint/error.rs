//! Why a testbed can't even be looked at.

use std::path::PathBuf;

/// A linter's failure.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// A file could not be read.
    #[error("read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A row can't be understood.
    #[error("{path} line {line}: {detail}")]
    Row {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// A file can't be understood.
    #[error("{path}: {detail}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The truth can't be read.
    #[error("{0}")]
    Truth(#[from] aar_grader::VaultError),
    /// It is neither form.
    #[error(
        "{0} is no testbed: it holds neither testbed.json nor train_label.jsonl, train_unlabel.jsonl and test.jsonl"
    )]
    Neither(PathBuf),
}

impl LintError {
    /// For `map_err` on reading.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| LintError::File { path, source }
    }
}
