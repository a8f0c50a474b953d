//! Errors of the rooms below as Python's exceptions.

use aar_api::client::{ClientError, with_causes};
use aar_api::folder::FolderError;
use aar_lm::LmError;
use aar_methods::MethodError;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyFloatingPointError};
use pyo3::prelude::*;

create_exception!(
    aar,
    Error,
    PyException,
    "Something is wrong with a model, a recipe, a folder or an answer; the text says what and where."
);
create_exception!(
    aar,
    Refused,
    Error,
    "The server refused. `code` is the stable kind (`budget-spent`, `not-found`, ...), `hint` what would be right, or None."
);
create_exception!(aar, Unreachable, Error, "The server can't be reached.");

/// Missing and unreadable files are OSError and its kinds, numbers that ran away FloatingPointError, the rest `aar.Error`.
pub fn method(error: MethodError) -> PyErr {
    match &error {
        MethodError::File { source, .. } => file(source, error.to_string()),
        MethodError::Engine(LmError::File { source, .. }) => file(source, error.to_string()),
        MethodError::Engine(LmError::NonFinite { .. }) => PyFloatingPointError::new_err(error.to_string()),
        _ => Error::new_err(error.to_string()),
    }
}

/// The engine's.
pub fn engine(error: LmError) -> PyErr {
    method(error.into())
}

/// A bundle's folder.
pub fn folder(error: FolderError) -> PyErr {
    match &error {
        FolderError::Read { source, .. } | FolderError::Write { source, .. } => file(source, error.to_string()),
        FolderError::Exists { .. } => file(&std::io::ErrorKind::AlreadyExists.into(), error.to_string()),
        _ => Error::new_err(error.to_string()),
    }
}

fn file(source: &std::io::Error, message: String) -> PyErr {
    // The kind chooses the class: FileNotFoundError, PermissionError, …
    std::io::Error::new(source.kind(), message).into()
}

/// The client's.
pub fn client(py: Python<'_>, error: ClientError) -> PyErr {
    match &error {
        ClientError::Refused(body) => {
            let code = serde_json::to_value(body.code).ok().and_then(|code| code.as_str().map(str::to_owned));
            let message = body.hint.as_ref().map_or(body.message.clone(), |hint| format!("{} ({hint})", body.message));
            let refused = Refused::new_err(message);
            let value = refused.value(py);
            let set = value.setattr("code", code).and_then(|()| value.setattr("hint", body.hint.clone()));
            set.err().unwrap_or(refused)
        }
        ClientError::Transport { .. } => {
            let message = with_causes(&error);
            Unreachable::new_err(format!("{message}; is a study running? AAR_API says where its server is"))
        }
        ClientError::Address(_) | ClientError::Answer { .. } => Error::new_err(error.to_string()),
    }
}
