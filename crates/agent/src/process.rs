//! Child processes with a limit, whose whole tree ends with them.
//!
//! A child leads a process group and carries a tag in its environment that everything it starts inherits; so what left the group
//! (a daemon) is found too. Output goes to a file: nothing blocks on a pipe that a grandchild keeps open.

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The environment variable that carries the tag.
const TAG: &str = "AAR_JOB";
/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A running child and all it started. Dropped, it ends.
#[derive(Debug)]
pub struct Process {
    child: Child,
    tag: String,
    output: PathBuf,
    started: Instant,
    end: Option<Ending>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// Its time was up.
    TimeUp(Duration),
    /// It wrote more than it may.
    TooMuchOutput(u64),
    /// Somebody stopped it.
    Stopped,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Code(code) => write!(f, "exit code {code}"),
            Ending::Signal(signal) => write!(f, "ended by signal {signal}"),
            Ending::TimeUp(limit) => {
                write!(f, "ended with everything it had started because it ran longer than {} s", limit.as_secs())
            }
            Ending::TooMuchOutput(bytes) => write!(f, "ended because it wrote more than {} MiB", bytes >> 20),
            Ending::Stopped => f.write_str("stopped, with everything it had started"),
        }
    }
}

impl Process {
    /// Start `command` with its output in the new file `output`, standard error there too or in a file of its own. `tag` is unique
    /// among processes that live at the same time.
    pub fn start(mut command: Command, output: &Path, errors: Option<&Path>, tag: &str) -> io::Result<Self> {
        if let Some(folder) = output.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let out = File::create(output)?;
        let err = errors.map_or_else(|| out.try_clone(), File::create)?;
        command.env(TAG, tag).process_group(0).stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn()?;
        let started = Instant::now();
        Ok(Self { child, tag: tag.to_owned(), output: output.to_owned(), started, end: None })
    }

    /// Where its output lies.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// How long it has been running.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Look without waiting; `limit` and `most_output` are enforced here.
    pub fn look(&mut self, limit: Duration, most_output: u64) -> io::Result<Option<Ending>> {
        if self.end.is_none() {
            if let Some(status) = self.child.try_wait()? {
                self.end = Some(ending(status));
            } else if self.age() >= limit {
                self.stop_as(Ending::TimeUp(limit));
            } else if std::fs::metadata(&self.output).is_ok_and(|meta| meta.len() > most_output) {
                self.stop_as(Ending::TooMuchOutput(most_output));
            }
        }
        Ok(self.end.clone())
    }

    /// Wait for its end.
    pub fn wait(&mut self, limit: Duration, most_output: u64) -> io::Result<Ending> {
        loop {
            if let Some(ending) = self.look(limit, most_output)? {
                return Ok(ending);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// End what it left behind; how many processes that were.
    pub fn sweep(&mut self) -> usize {
        let left = tagged(&self.tag);
        end_tree(&self.tag, self.group());
        left.len()
    }

    /// End it with everything it started.
    pub fn stop(&mut self) {
        if self.end.is_none() {
            self.stop_as(Ending::Stopped);
        }
    }

    fn stop_as(&mut self, ending: Ending) {
        end_tree(&self.tag, self.group());
        // It was killed; waiting only takes it off the table of processes.
        let _ = self.child.wait();
        self.end = Some(ending);
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        self.sweep();
    }
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Code(code),
        (None, signal) => Ending::Signal(signal.unwrap_or_default()),
    }
}

/// Kill a group and whatever carries the tag, again and again until nothing does: a tree may grow while it is cut.
fn end_tree(tag: &str, group: Pid) {
    // Fails where the group is gone, which is what is wanted.
    let _ = killpg(group, Signal::SIGKILL);
    for _ in 0..50 {
        let alive = tagged(tag);
        if alive.is_empty() {
            return;
        }
        for pid in alive {
            let _ = kill(pid, Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes that carry the tag. A process that is gone but not yet waited for has no environment.
fn tagged(tag: &str) -> Vec<Pid> {
    let mark = format!("{TAG}={tag}");
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let carries = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes()))
    };
    pids.filter(carries).map(Pid::from_raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(dir: &Path, tag: &str, script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(dir);
        Process::start(command, &dir.join("out"), None, &format!("{tag}-{}", std::process::id())).unwrap()
    }

    #[test]
    fn output_and_code_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "kept", "echo out; echo err >&2; exit 3");
        assert_eq!(process.wait(LONG, 1 << 20).unwrap(), Ending::Code(3));
        assert_eq!(std::fs::read_to_string(process.output()).unwrap(), "out\nerr\n");
        assert_eq!(process.sweep(), 0);
    }

    #[test]
    fn what_never_returns_is_ended_with_its_tree_even_where_it_left_the_group() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "tree", "setsid sleep 600 & sleep 600 & touch up; sleep 600");
        while !dir.path().join("up").exists() || tagged(&process.tag).len() < 4 {
            std::thread::sleep(LOOK);
        }
        let limit = Duration::ZERO;
        assert_eq!(process.wait(limit, 1 << 20).unwrap(), Ending::TimeUp(limit));
        assert_eq!(tagged(&process.tag), []);
    }

    #[test]
    fn what_is_left_behind_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "swept", "setsid sleep 600 & exit 0");
        assert_eq!(process.wait(LONG, 1 << 20).unwrap(), Ending::Code(0));
        assert_eq!(process.sweep(), 1);
        assert_eq!(tagged(&process.tag), []);
    }

    #[test]
    fn endless_output_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell(dir.path(), "yes", "yes");
        assert_eq!(process.wait(LONG, 1 << 16).unwrap(), Ending::TooMuchOutput(1 << 16));
    }
}
