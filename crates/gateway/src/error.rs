//! Why a gateway can't start or go on.

use std::path::{Path, PathBuf};

/// A gateway's failure.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A file can't be used.
    #[error("{action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A price table is wrong.
    #[error("read prices of {file}: {detail}")]
    Prices {
        /// The file, or the row.
        file: String,
        /// What is wrong.
        detail: String,
    },
    /// Settings contradict each other or the world.
    #[error("{field}: {detail}")]
    Settings {
        /// The field.
        field: String,
        /// What is wrong, and what would be right.
        detail: String,
    },
    /// A provider's key is not there.
    #[error("provider {provider} needs a key, and {variable} is not set")]
    NoKey {
        /// The provider.
        provider: String,
        /// The environment variable that settings name.
        variable: String,
    },
    /// The ledger can't be read or written.
    #[error("use the ledger {path}: {source}")]
    Ledger {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: sqlx::Error,
    },
    /// The ledger is of a newer version.
    #[error("the ledger {path} has format {found}, this version knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// The ledger failed before, and takes nothing any more.
    #[error("the ledger failed and takes nothing in")]
    LedgerClosed,
    /// Nobody has this name.
    #[error("there is no caller {0}")]
    Unknown(String),
    /// A socket can't be listened on.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The system's certificates can't be loaded, and a provider is reached by https.
    #[error("load this system's certificates (package ca-certificates): {0}")]
    Certificates(std::io::Error),
}

impl GatewayError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn settings(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Settings { field: field.into(), detail: detail.into() }
    }
}
