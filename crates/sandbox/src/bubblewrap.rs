//! Namespaces by bubblewrap.

use crate::before_exec;
use crate::cgroup::{self, Group};
use crate::error::SandboxError;
use crate::isolation::Isolation;
use crate::jail::{Access, Jail, Mount};
use crate::running::Running;
use crate::seccomp;
use crate::stage::{Stage, is_root};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The first process inside: limits the number of processes, where the limit counts this jail's alone, runs the
/// program and ends with its exit code. Being the first, it takes whatever the program left behind along, its CPU time
/// is the whole tree's, and bubblewrap waits for all of that; bubblewrap's own first process does neither. Its standard
/// error is closed lest a shell's "Killed" mix with the program's. A limit that can't be set runs nothing.
const INIT: &str = r#"ulimit -u "$0" 2>/dev/null || ulimit -p "$0" || exit 125
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
exit $?"#;

/// Bubblewrap itself, the first process inside, and the shell that turns into the program.
const AROUND: u64 = 3;

/// Start a jail.
pub(crate) fn spawn(jail: &Jail, isolation: &Isolation) -> Result<Running, SandboxError> {
    let mounts = jail.all_mounts();
    let stage = if is_root() { Some(Stage::new(&mounts)?) } else { None };
    let filter = memory_file(&seccomp::bytes(&seccomp::program(&[], jail.loopback)?)).map_err(SandboxError::Stage)?;
    let (told, telling) = std::io::pipe().map_err(SandboxError::Stage)?;
    let mut command = Command::new("bwrap");
    command.env_clear().process_group(0);
    command.args(["--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]);
    command.args(["--uid", "1000", "--gid", "1000", "--hostname", "aar"]);
    command.args(["--seccomp", &filter.as_raw_fd().to_string(), "--info-fd", &telling.as_raw_fd().to_string()]);
    files(&mut command, jail, isolation, &mounts, stage.as_ref());
    for (name, value) in &jail.env {
        command.arg("--setenv").arg(name).arg(value);
    }
    command.arg("--chdir").arg(&jail.workdir).arg("--");
    // One more for the first process.
    let processes = jail.limits.processes.saturating_add(1).min(before_exec::most_processes());
    command.args(["/bin/sh", "-c", INIT, &processes.to_string()]);
    command.arg(&jail.program).args(&jail.args);
    let limits = jail.limits.resources();
    let group = Group::new(&jail.limits, AROUND);
    let doors = group.as_ref().map(Group::joining).unwrap_or_default();
    let passed = [filter.as_raw_fd(), telling.as_raw_fd()];
    let enter = move || {
        cgroup::join(&doors)?;
        before_exec::close_descriptors()?;
        for descriptor in passed {
            before_exec::keep_descriptor(descriptor)?;
        }
        if let Some(stage) = &stage {
            stage.enter()?;
        }
        before_exec::limit(&limits)
    };
    // SAFETY: the closure makes system calls only and allocates nothing.
    unsafe { command.pre_exec(enter) };
    let running = Running::start(command, jail, OsString::from("bwrap").into())?;
    drop(telling);
    Ok(running.with_init(first_process(told)).with_group(group))
}

/// The file system inside: runtime, own `/tmp`, `/dev` and `/proc`, mounts. Everything else is empty and read-only;
/// it lies in memory that no limit of a process counts.
fn files(command: &mut Command, jail: &Jail, isolation: &Isolation, mounts: &[Mount], stage: Option<&Stage>) {
    for path in &jail.runtime {
        match std::fs::read_link(path) {
            Ok(target) => command.arg("--symlink").arg(target).arg(path),
            Err(_) => command.arg("--ro-bind").arg(path).arg(path),
        };
    }
    let size = jail.limits.tmp_bytes.to_string();
    command.args(["--dev", "/dev", "--size", &size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
    command.args(["--size", &size, "--tmpfs", "/tmp"]);
    if isolation.own_proc {
        command.args(["--proc", "/proc"]);
    }
    for (i, mount) in mounts.iter().enumerate() {
        let source = stage.map_or_else(|| mount.host.clone(), |stage| stage.point(i));
        let how = if mount.access == Access::ReadWrite { "--bind" } else { "--ro-bind" };
        command.arg(how).arg(source).arg(&mount.inside);
    }
    command.args(["--remount-ro", "/"]);
}

/// A handle of the first process inside, whose id bubblewrap tells; `None` if it failed before.
fn first_process(mut told: impl Read) -> Option<OwnedFd> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.contains(&b'}') && told.read(&mut byte).is_ok_and(|count| count == 1) {
        text.push(byte[0]);
    }
    let text = String::from_utf8(text).ok()?;
    let after = text.split_once("\"child-pid\":")?.1.trim_start();
    let pid: libc::pid_t = after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    // SAFETY: a new descriptor, owned from here on.
    unsafe {
        let handle = libc::syscall(libc::SYS_pidfd_open, pid, 0) as libc::c_int;
        (handle >= 0).then(|| OwnedFd::from_raw_fd(handle))
    }
}

/// An anonymous file that holds `bytes`, read from the start.
fn memory_file(bytes: &[u8]) -> std::io::Result<std::fs::File> {
    // SAFETY: a constant name; the descriptor is owned by the file from here on.
    let mut file = unsafe {
        let fd = libc::memfd_create(c"aar-seccomp".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        std::fs::File::from_raw_fd(fd)
    };
    file.write_all(bytes)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file)
}
