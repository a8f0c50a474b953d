//! A jail at work, and what came of it.

use crate::cgroup::Group;
use crate::error::SandboxError;
use crate::freeze;
use crate::jail::Jail;
use crate::output::Output;
use crate::spawner;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the first process of a jail may take to die before the one around it is killed too.
const GRACE: Duration = Duration::from_secs(2);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Killed at its wall-clock limit.
    TimedOut,
    /// Ended at its CPU limit. (One that ignores the warning is killed a second later, by signal 9.)
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
    /// CPU time of the whole tree, measured from outside. Without namespaces: of what was waited for.
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
    /// The first process inside, whose death takes all the others along.
    init: Option<OwnedFd>,
    /// Holds the tree together, where there are control groups.
    group: Option<Group>,
    started: Instant,
    wall: Duration,
    outputs: Vec<Output>,
    end: Option<End>,
    stopped: Option<(Exit, Instant)>,
}

enum End {
    Reaped(libc::c_int, libc::rusage),
    /// Somebody else waited for it.
    Lost,
}

impl Running {
    pub(crate) fn start(mut command: Command, jail: &Jail, program: PathBuf) -> Result<Self, SandboxError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let (command, mut child) = spawner::start(command).map_err(|source| SandboxError::Spawn { program, source })?;
        let keep = jail.limits.output_bytes;
        let out = child.stdout.take().map(|pipe| Output::read(pipe, keep));
        let err = child.stderr.take().map(|pipe| Output::read(pipe, keep));
        let outputs = [out, err].into_iter().flatten().collect();
        let wall = jail.limits.wall;
        Ok(Self { child, _command: command, init: None, group: None, started, wall, outputs, end: None, stopped: None })
    }

    /// With a handle (pidfd) of the process whose death ends the tree.
    pub(crate) fn with_init(mut self, init: Option<OwnedFd>) -> Self {
        self.init = init;
        self
    }

    /// With the control group that it was started in.
    pub(crate) fn with_group(mut self, group: Option<Group>) -> Self {
        self.group = group;
        self
    }

    /// Process id of the jail's outermost process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended; kills it when its wall-clock limit has passed.
    pub fn is_finished(&mut self) -> bool {
        if self.end.is_none() {
            self.reap();
        }
        if self.end.is_none() {
            match self.stopped {
                None if self.started.elapsed() > self.wall => self.stop(Exit::TimedOut),
                Some((_, at)) if at.elapsed() > GRACE => self.kill_outermost(),
                _ => {}
            }
        }
        self.end.is_some()
    }

    /// Stop the whole tree where it stands. Its wall-clock limit goes on. Returns whether all of it stands still.
    pub fn freeze(&mut self) -> bool {
        // Bubblewrap's outermost process waits for the tree and holds nothing of it: it stays awake to bring the account.
        !self.is_finished() && freeze::stop(self.child.id(), self.init.is_none())
    }

    /// Let a frozen tree go on.
    pub fn thaw(&mut self) {
        if !self.is_finished() {
            freeze::go_on(self.child.id(), self.init.is_none());
        }
    }

    /// Kill the whole tree.
    pub fn kill(&mut self) {
        if !self.is_finished() {
            self.stop(Exit::Killed);
        }
    }

    fn stop(&mut self, why: Exit) {
        self.stopped.get_or_insert((why, Instant::now()));
        let Some(init) = &self.init else {
            return self.kill_outermost();
        };
        // The one around it lives on to wait for the tree and to bring its account.
        // SAFETY: a descriptor that is ours, no signal information, no flags.
        let sent = unsafe {
            let none = std::ptr::null::<libc::siginfo_t>();
            libc::syscall(libc::SYS_pidfd_send_signal, init.as_raw_fd(), libc::SIGKILL, none, 0)
        };
        if sent != 0 {
            self.kill_outermost();
        }
    }

    fn kill_outermost(&self) {
        let pid = self.child.id() as libc::pid_t;
        // SAFETY: signals to a child that was not waited for yet, so its id is still its own.
        unsafe {
            libc::kill(-pid, libc::SIGKILL);
            libc::kill(pid, libc::SIGKILL);
        }
    }

    fn reap(&mut self) {
        let pid = self.child.id();
        // SAFETY: all-zero is valid for both; pointers to locals; a child that only this call waits for.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            if libc::waitid(libc::P_PID, pid, &mut info, flags) != 0 {
                self.end = Some(End::Lost);
            } else if info.si_pid() != 0 {
                // Dead but not yet waited for: the id can't be another's, so its group is safe to end. With
                // namespaces the tree is gone by now; without, the group is what there is.
                libc::kill(-(pid as libc::pid_t), libc::SIGKILL);
                let (mut status, mut usage) = (0, std::mem::zeroed());
                let reaped = libc::wait4(pid as libc::pid_t, &mut status, 0, &mut usage) > 0;
                self.end = Some(if reaped { End::Reaped(status, usage) } else { End::Lost });
            }
        }
        // What left the process group, or was left behind, is still in the control group.
        if let (Some(_), Some(group)) = (&self.end, &self.group) {
            group.kill();
        }
    }

    fn finish(&mut self) {
        let mut pause = Duration::from_micros(500);
        while !self.is_finished() {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Wait for the end.
    pub fn wait(mut self) -> Result<Outcome, SandboxError> {
        self.finish();
        let wall = self.started.elapsed();
        let Some(End::Reaped(status, usage)) = self.end else {
            return Err(SandboxError::Wait(std::io::Error::other("the process is gone")));
        };
        let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        let mut outputs = self.outputs.drain(..).map(Output::finish);
        let (stdout, stderr) = (outputs.next().unwrap_or_default(), outputs.next().unwrap_or_default());
        drop(outputs);
        Ok(Outcome {
            status: self.stopped.map_or_else(|| exit(status), |(why, _)| why),
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
        self.kill();
        self.finish();
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
