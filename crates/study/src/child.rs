//! A process of this study's own: it ends when the pipe to its standard input does, so that however this process ends none is left.

use crate::error::StudyError;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often one that is to end is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A running process. Told to end when dropped, and ended where it does not listen.
pub struct OwnProcess {
    child: Child,
    log: PathBuf,
    grace: Duration,
}

impl OwnProcess {
    /// Start `executable ARGS FILE`; what it says goes to `FILE`'s name with `.log`. It gets `grace` to end.
    pub fn start(
        executable: &Path,
        args: &[&str],
        file: &Path,
        grace: Duration,
    ) -> Result<io::Result<Self>, StudyError> {
        let log = file.with_extension("log");
        let said = OpenOptions::new().create(true).append(true).open(&log).map_err(StudyError::file("create", &log))?;
        let mut command = Command::new(executable);
        command.args(args.iter().map(OsStr::new)).arg(file);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(said);
        Ok(command.spawn().map(|child| Self { child, log, grace }))
    }

    /// How it ended by itself, where it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Where it says things.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Tell it to end.
    pub fn tell(&mut self) {
        drop(self.child.stdin.take());
    }
}

impl Drop for OwnProcess {
    fn drop(&mut self) {
        self.tell();
        for _ in 0..self.grace.as_millis() / LOOK.as_millis() {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
