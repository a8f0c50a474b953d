//! Workers as processes of their own: they never hold the truth, and can be ended without harm.

use crate::child::OwnProcess;
use crate::error::StudyError;
use crate::plan::Evaluation;
use aar_sandbox::Limits;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `aar worker --config FILE` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerFile {
    /// Its name.
    pub name: String,
    /// The server's socket.
    pub socket: PathBuf,
    /// Its token.
    pub token: String,
    /// The testbed's folder.
    pub testbed: PathBuf,
    /// Where job folders are made.
    pub scratch: PathBuf,
    /// The executable that is mounted as `lab`.
    pub lab: PathBuf,
    /// Limits of the train phase.
    pub limits: Limits,
    /// Threads of the engine per job.
    pub threads: usize,
}

impl Evaluation {
    /// What a train phase may use.
    pub fn limits(&self) -> Limits {
        Limits {
            wall: Duration::from_secs(self.wall_s),
            cpu: Duration::from_secs(self.cpu_s),
            memory_bytes: self.memory_mib << 20,
            ..Limits::default()
        }
    }
}

/// Running workers. Ended when dropped.
pub struct Workers {
    executable: PathBuf,
    files: Vec<(PathBuf, WorkerFile)>,
    children: Vec<OwnProcess>,
    restarts: u32,
}

/// How long one may take to end.
const GRACE: Duration = Duration::from_millis(1500);
/// Workers that ended by themselves are started again this often in all.
const RESTARTS: u32 = 8;

impl Workers {
    /// Start one per file; the files are written below `folder`.
    pub fn start(executable: &Path, folder: &Path, files: Vec<WorkerFile>) -> Result<Self, StudyError> {
        let mut placed = Vec::new();
        for file in files {
            let path = folder.join(format!("{}.json", file.name));
            std::fs::write(&path, serde_json::to_string(&file).unwrap_or_default())
                .map_err(StudyError::file("write", &path))?;
            // A worker that was ended in the middle of a job leaves its folders.
            let _ = std::fs::remove_dir_all(&file.scratch);
            std::fs::create_dir_all(&file.scratch).map_err(StudyError::file("create", &file.scratch))?;
            placed.push((path, file));
        }
        let mut workers = Self { executable: executable.to_owned(), children: vec![], files: placed, restarts: 0 };
        for at in 0..workers.files.len() {
            let child = workers.spawn(at)?;
            workers.children.push(child);
        }
        Ok(workers)
    }

    fn spawn(&self, at: usize) -> Result<OwnProcess, StudyError> {
        let (path, file) = &self.files[at];
        let started = OwnProcess::start(&self.executable, &["worker", "--config"], path, GRACE)?;
        started.map_err(|error| StudyError::Workers(format!("start {}: {error}", file.name)))
    }

    /// Start again what ended by itself.
    pub fn tend(&mut self) -> Result<(), StudyError> {
        for at in 0..self.children.len() {
            let Some(status) = self.children[at].ended() else {
                continue;
            };
            self.restarts += 1;
            if self.restarts > RESTARTS {
                let (text, log) = (self.children[at].said(), self.children[at].log());
                let last = text.lines().last().unwrap_or("it said nothing").to_owned();
                return Err(StudyError::Workers(format!(
                    "they end again and again ({status}): {last}; see {}",
                    log.display()
                )));
            }
            self.children[at] = self.spawn(at)?;
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // All are told before any is waited for.
        self.children.iter_mut().for_each(OwnProcess::tell);
    }
}
