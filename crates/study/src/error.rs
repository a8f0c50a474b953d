//! Why a study can't start or go on.

use std::path::PathBuf;

/// A study's failure.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The study file is wrong.
    #[error("{place}: {detail}")]
    Plan {
        /// File, line or field.
        place: String,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// An agent's program is not installed.
    #[error("agent {agent} runs {program}, which is not on the path")]
    NoProgram {
        /// The agent.
        agent: String,
        /// Its program.
        program: String,
        /// How one gets it.
        how: String,
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
    /// The directory is another study's.
    #[error("{path} holds another study: {detail}")]
    OtherStudy {
        /// The directory.
        path: PathBuf,
        /// How it differs.
        detail: String,
    },
    /// The directory has a newer format.
    #[error("{path} has format {found}, this version knows up to {known}")]
    Newer {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// Somebody else runs it.
    #[error("{0} is being run by another process")]
    Locked(PathBuf),
    /// The testbed can't be used.
    #[error("testbed {path}: {detail}")]
    Testbed {
        /// Its folder.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The operating system gave no random numbers.
    #[error("draw the study's key: {0}")]
    Entropy(getrandom::Error),
    /// The server failed.
    #[error("{0}")]
    Server(#[from] aar_server::ServerError),
    /// A researcher failed to start.
    #[error("{0}")]
    Researcher(#[from] aar_researcher::ResearcherError),
    /// Decoys could not be laid for a researcher.
    #[error("lay decoys for a researcher: {0}")]
    Decoys(#[from] aar_evaluation::EvaluationError),
    /// The world could not be made.
    #[error("{0}")]
    World(#[from] aar_worlds::WorldError),
    /// Isolation is below what the study demands.
    #[error("this study demands isolation {wanted}, here there is only {found}")]
    Isolation {
        /// Demanded.
        wanted: String,
        /// Found.
        found: String,
    },
    /// A worker could not be started, or all ended.
    #[error("workers: {0}")]
    Workers(String),
    /// The process that speaks to language models could not be started, or ended.
    #[error("gateway: {0}")]
    Gateway(String),
    /// Plain training failed: without it there is nothing to compare with.
    #[error("the baseline {name} failed: {reason}")]
    Baseline {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
    /// The server that was to be attacked did not answer as a server does.
    #[error("attack the server: {0}")]
    Attacked(String),
    /// Stopped on request; the same command resumes.
    #[error("stopped")]
    Stopped,
}

impl StudyError {
    /// For `map_err` on file operations.
    pub fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| StudyError::File { step, path, source }
    }
}
