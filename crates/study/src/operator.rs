//! How `aar ctl` finds a running study: a file that only its owner may read, there while the study runs.

use crate::directory::StudyDirectory;
use crate::error::StudyError;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the server is and the token that may change the study's course.
#[derive(Clone, Serialize, Deserialize)]
pub struct OperatorDoor {
    /// `unix:PATH`, for processes on this machine.
    pub api: String,
    /// `http://127.0.0.1:PORT`, for people and tools.
    pub http: Option<String>,
    /// The testbed's public half.
    pub data: PathBuf,
    /// The operator's token.
    pub token: String,
}

impl std::fmt::Debug for OperatorDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorDoor").field("api", &self.api).finish_non_exhaustive()
    }
}

/// The file while it is there; removed when dropped.
pub struct Opened(PathBuf);

impl Drop for Opened {
    fn drop(&mut self) {
        // One that stays behind names a socket that nobody listens on, and says so when it is used.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn file(study: &Path) -> PathBuf {
    study.join("operator.json")
}

impl OperatorDoor {
    /// Write the file.
    pub fn open(&self, directory: &StudyDirectory) -> Result<Opened, StudyError> {
        let path = file(directory.root());
        let _ = std::fs::remove_file(&path);
        let text = serde_json::to_string(self).unwrap_or_default();
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(StudyError::file("write", &path))?;
        Ok(Opened(path))
    }

    /// Of the study that runs in `directory`; `None` where none does.
    pub fn find(directory: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(file(directory)).ok()?).ok()
    }
}
