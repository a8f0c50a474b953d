//! What this machine offers, found by trying.

use crate::jail::{Access, Jail, Mount};
use crate::limits::Limits;
use crate::running::Exit;
use serde::Serialize;
use std::time::Duration;

/// How a jail is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Resource limits only.
    Unconfined,
    /// Landlock and seccomp, on the host's own paths. What it does not keep: modes of host files that the user owns can
    /// be changed, unix sockets can be reached by their paths, processes are counted per user, and if we are killed
    /// ourselves something may live on. From Linux 6.12 on abstract sockets and signals are kept in too.
    Landlock,
    /// Namespaces and seccomp.
    Namespaces,
}

/// The best backend that works here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Isolation {
    /// How jails are built.
    pub backend: Backend,
    /// Whether a jail gets a `/proc` of its own (not inside some containers).
    pub own_proc: bool,
}

impl Isolation {
    /// Try what there is, the strongest first. Takes a few tens of milliseconds.
    pub fn detect() -> Self {
        for own_proc in [true, false] {
            let isolation = Isolation { backend: Backend::Namespaces, own_proc };
            if isolation.works() {
                return isolation;
            }
        }
        let landlock = Isolation { backend: Backend::Landlock, own_proc: false };
        if landlock_is_there() && landlock.works() {
            return landlock;
        }
        Isolation { backend: Backend::Unconfined, own_proc: false }
    }

    /// A backend by choice, for instance in tests.
    pub fn of(backend: Backend) -> Self {
        Isolation { backend, own_proc: backend == Backend::Namespaces }
    }

    /// Whether a process can be run this way here.
    pub fn works(&self) -> bool {
        let Ok(folder) = tempfile::tempdir() else {
            return false;
        };
        let jail = Jail {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), ": > /probe/ok".into()],
            mounts: vec![Mount { host: folder.path().into(), inside: "/probe".into(), access: Access::ReadWrite }],
            limits: Limits { wall: Duration::from_secs(5), ..Limits::default() },
            ..Jail::default()
        };
        // Where paths can't be renamed the script can't either; an exit code will do.
        let script = if self.backend == Backend::Namespaces { ": > /probe/ok" } else { "exit 0" };
        let jail = Jail { args: vec!["-c".into(), script.into()], ..jail };
        jail.spawn(self).and_then(|running| running.wait()).is_ok_and(|outcome| outcome.status == Exit::Code(0))
    }

    /// For people.
    pub fn describe(&self) -> &'static str {
        match (self.backend, self.own_proc) {
            (Backend::Namespaces, true) => "namespaces + seccomp",
            (Backend::Namespaces, false) => "namespaces + seccomp, no /proc",
            (Backend::Landlock, _) => "landlock + seccomp",
            (Backend::Unconfined, _) => "none (unconfined)",
        }
    }
}

/// Best effort would accept a kernel without Landlock; this asks for a hard answer.
fn landlock_is_there() -> bool {
    const VERSION: u32 = 1;
    // SAFETY: asks for the version only; no ruleset is made.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, VERSION) >= 1 }
}
