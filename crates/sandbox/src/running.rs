//! A jail at work, and what came of it.

use crate::error::SandboxError;
use crate::jail::Jail;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Killed at its wall-clock limit.
    TimedOut,
    /// Killed at its CPU limit.
    CpuExceeded,
    /// Killed by the caller.
    Killed,
}

/// What came of a jail.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: Exit,
    /// From start to end.
    pub wall: Duration,
    /// CPU time of the whole tree, measured from outside.
    pub cpu: Duration,
    /// Largest resident set of any process of the tree.
    pub max_rss_bytes: u64,
    /// Kept of standard output.
    pub stdout: Vec<u8>,
    /// Kept of standard error.
    pub stderr: Vec<u8>,
}

/// A running jail. Dropped, its whole tree is killed.
pub struct Running {
    child: Child,
    /// Owns what the child needs until it ends, mount points above all.
    _command: Command,
    started: Instant,
    wall: Duration,
    readers: Vec<JoinHandle<Vec<u8>>>,
    ended: Option<(libc::c_int, libc::rusage)>,
    stopped_for: Option<Exit>,
}

impl Running {
    pub(crate) fn start(mut command: Command, jail: &Jail, program: PathBuf) -> Result<Self, SandboxError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|source| SandboxError::Spawn { program, source })?;
        let keep = jail.limits.output_bytes;
        let out = child.stdout.take().map(|pipe| std::thread::spawn(move || drain(pipe, keep)));
        let err = child.stderr.take().map(|pipe| std::thread::spawn(move || drain(pipe, keep)));
        let readers = [out, err].into_iter().flatten().collect();
        let (started, wall) = (Instant::now(), jail.limits.wall);
        Ok(Self { child, _command: command, started, wall, readers, ended: None, stopped_for: None })
    }

    /// Process id of the jail's outermost process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended; kills it when its wall-clock limit has passed.
    pub fn is_finished(&mut self) -> bool {
        if self.ended.is_none() {
            self.reap(libc::WNOHANG);
        }
        if self.ended.is_none() && self.started.elapsed() > self.wall && self.stopped_for.is_none() {
            self.end(Exit::TimedOut);
        }
        self.ended.is_some()
    }

    /// Kill the whole tree.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            self.end(Exit::Killed);
        }
    }

    fn end(&mut self, why: Exit) {
        self.stopped_for = Some(why);
        let pid = self.child.id() as libc::pid_t;
        // SAFETY: signals to a child that was not waited for yet, so its id is still its own. With namespaces the
        // death of the outermost process takes the tree along; without, the process group is what there is.
        unsafe {
            libc::kill(-pid, libc::SIGKILL);
            libc::kill(pid, libc::SIGKILL);
        }
    }

    fn reap(&mut self, flags: libc::c_int) {
        let mut status = 0;
        // SAFETY: all-zero is a valid rusage.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: pointers to locals, and a child that only this call waits for.
        let pid = unsafe { libc::wait4(self.child.id() as libc::pid_t, &mut status, flags, &mut usage) };
        if pid > 0 {
            self.ended = Some((status, usage));
        }
    }

    /// Wait for the end.
    pub fn wait(mut self) -> Result<Outcome, SandboxError> {
        let mut pause = Duration::from_micros(500);
        while !self.is_finished() {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        let Some((status, usage)) = self.ended else {
            return Err(SandboxError::Wait(std::io::Error::other("the process is gone")));
        };
        let wall = self.started.elapsed();
        let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        let mut outputs = self.readers.drain(..).map(|reader| reader.join().unwrap_or_default());
        let (stdout, stderr) = (outputs.next().unwrap_or_default(), outputs.next().unwrap_or_default());
        drop(outputs);
        Ok(Outcome {
            status: self.stopped_for.unwrap_or_else(|| exit(status)),
            wall,
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
            max_rss_bytes: usage.ru_maxrss as u64 * 1024,
            stdout,
            stderr,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.end(Exit::Killed);
            self.reap(0);
        }
    }
}

fn exit(status: libc::c_int) -> Exit {
    let signal = if libc::WIFSIGNALED(status) { Some(libc::WTERMSIG(status)) } else { None };
    // A shell or bubblewrap tells a child's signal as 128 + number.
    let code = libc::WEXITSTATUS(status);
    match (signal, code) {
        (Some(libc::SIGXCPU), _) | (None, 152) => Exit::CpuExceeded,
        (Some(signal), _) => Exit::Signal(signal),
        (None, code) if code > 128 && code < 160 => Exit::Signal(code - 128),
        (None, code) => Exit::Code(code),
    }
}

/// Read to the end, keep the first `keep` bytes: a flood must not block the writer, nor fill our memory.
fn drain(mut pipe: impl Read, keep: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 16 << 10];
    while let Ok(count) = pipe.read(&mut buffer) {
        if count == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..count.min(keep - kept.len().min(keep))]);
    }
    kept
}
