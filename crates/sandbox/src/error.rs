//! Why a jail could not be built.

use std::path::PathBuf;

/// A sandbox failure. Never the stranger's own doing: that is an [`crate::Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A loopback of one's own is had by namespaces alone.
    #[error("a loopback of its own needs namespaces, which this machine does not give")]
    Loopback,
    /// A mount's source is not there.
    #[error("mount {path}: {source}")]
    Mount {
        /// The host path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The mount points could not be made.
    #[error("prepare the jail: {0}")]
    Stage(std::io::Error),
    /// The filter of system calls could not be compiled.
    #[error("compile the system-call filter: {0}")]
    Seccomp(String),
    /// The file-system rules could not be made.
    #[error("make the file-system rules: {0}")]
    Landlock(String),
    /// The process could not be started.
    #[error("start {program}: {source}")]
    Spawn {
        /// What was to be started.
        program: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The process could not be waited for.
    #[error("wait for the process: {0}")]
    Wait(std::io::Error),
}
