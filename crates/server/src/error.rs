//! Why a server can't start or go on.

use std::path::PathBuf;

/// A server's failure.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The event log can't be read or written.
    #[error("use the event log {path}: {source}")]
    Store {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: sqlx::Error,
    },
    /// There is no room for more. What was answered is safe, and it goes on when there is room.
    #[error("the disk with the event log {0} is full")]
    Full(PathBuf),
    /// The disk failed while something was written: nothing more is written until the log was opened again.
    #[error("the disk with the event log {path} failed, so nothing more is recorded until a restart: {detail}")]
    Failing {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        detail: String,
    },
    /// The event log is of a newer version.
    #[error("the event log {path} has format {found}, this version knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// A testbed's inputs can't be read.
    #[error("read the test items {path}: {detail}")]
    Inputs {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// An event can't be understood.
    #[error("read event {id} of {path}: {detail}")]
    Event {
        /// The file.
        path: PathBuf,
        /// The event.
        id: i64,
        /// What is wrong.
        detail: String,
    },
    /// A log of an older format was only to be read.
    #[error(
        "the event log {path} has format {found} and no hash chain yet: `aar report` on its directory brings it up to date"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// Receipts can't be read.
    #[error("read receipts in {path}: {detail}")]
    Receipt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The truth can't be read.
    #[error("open the testbed's truth: {0}")]
    Vault(#[from] aar_grader::VaultError),
    /// The address is in use or not allowed.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The runtime could not be started.
    #[error("start the server's threads: {0}")]
    Runtime(std::io::Error),
    /// This event log belongs to another study.
    #[error("this event log belongs to another study: {0}")]
    OtherStudy(String),
    /// The request contradicts the state.
    #[error("{}", .0.message)]
    Refused(aar_api::error::ErrorBody),
}
