//! How a command fails: kind, message, hint, exit code.

use aar_api::client::{ClientError, with_causes};
use aar_api::error::ErrorCode;
use aar_api::folder::FolderError;
use aar_lm::LmError;
use aar_methods::MethodError;

/// A failed command. Exit codes follow sysexits.h.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: i32,
    /// What went wrong.
    pub message: String,
    /// What would be right, or what to do next.
    pub hint: Option<String>,
}

/// Wrong command line.
pub const USAGE: i32 = 64;
/// Bad input.
pub const INPUT: i32 = 65;
/// The server can't be reached.
pub const UNREACHABLE: i32 = 69;
/// A defect of ours.
pub const INTERNAL: i32 = 70;
/// A file can't be created.
pub const CREATE: i32 = 73;
/// A file can't be read or written.
pub const IO: i32 = 74;
/// Not now: a budget is spent, or the state does not allow it.
pub const NOT_NOW: i32 = 75;
/// Not allowed.
pub const FORBIDDEN: i32 = 77;

impl Failure {
    /// A failure without a hint.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// With a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// For `map_err` on file operations; `step` is `read`, `list`, or what else was being done, which is writing.
    pub fn io(step: &str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = format!("{step} {}", path.display());
        let reading = ["read", "list"].contains(&step);
        move |error| Self::new(code_of(reading, &error), format!("{what}: {error}"))
    }
}

/// What is missing or is no text is bad input; what can't be made there can be made elsewhere; the rest is the disk's.
fn code_of(reading: bool, error: &std::io::Error) -> i32 {
    use std::io::ErrorKind::{
        AlreadyExists, InvalidData, InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem,
    };
    match error.kind() {
        NotFound | InvalidData | IsADirectory | NotADirectory if reading => INPUT,
        NotFound | PermissionDenied | ReadOnlyFilesystem | IsADirectory | NotADirectory | AlreadyExists
        | InvalidFilename
            if !reading =>
        {
            CREATE
        }
        _ => IO,
    }
}

impl From<MethodError> for Failure {
    fn from(error: MethodError) -> Self {
        let code = match &error {
            MethodError::File { step, source, .. } | MethodError::Engine(LmError::File { step, source, .. }) => {
                code_of(*step == "read", source)
            }
            _ => INPUT,
        };
        Self::new(code, error.to_string())
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let code = match &error {
            FolderError::Read { source, .. } => code_of(true, source),
            FolderError::Write { source, .. } => code_of(false, source),
            FolderError::Exists { .. } => CREATE,
            FolderError::NotPlain { .. } | FolderError::Files { .. } | FolderError::Bundle(_) => INPUT,
        };
        let failure = Self::new(code, error.to_string());
        if matches!(error, FolderError::Exists { .. }) { failure.hint("choose a new folder") } else { failure }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(body) => {
                let code = match body.code {
                    ErrorCode::Unauthorized | ErrorCode::Forbidden => FORBIDDEN,
                    ErrorCode::BadRequest | ErrorCode::NotFound | ErrorCode::TooLarge => INPUT,
                    ErrorCode::Conflict | ErrorCode::BudgetSpent | ErrorCode::TooManyRequests | ErrorCode::Closed => {
                        NOT_NOW
                    }
                    ErrorCode::Unavailable => UNREACHABLE,
                    ErrorCode::Internal => INTERNAL,
                };
                Self { code, message: body.message, hint: body.hint }
            }
            ClientError::Address(_) => Self::new(USAGE, error.to_string()),
            ClientError::Transport { .. } => {
                Self::new(UNREACHABLE, with_causes(&error)).hint("is a study running? AAR_API says where its server is")
            }
            ClientError::Answer { .. } => Self::new(INTERNAL, error.to_string()),
        }
    }
}
