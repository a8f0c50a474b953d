//! Namespaces by bubblewrap.

use crate::error::SandboxError;
use crate::isolation::Isolation;
use crate::jail::{Access, Jail};
use crate::running::Running;
use crate::seccomp;
use crate::stage::{Stage, is_root};
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Sets NPROC inside, where it counts this jail's processes alone, then becomes the program.
const LIMIT_PROCESSES: &str = r#"ulimit -u "$0" 2>/dev/null || ulimit -p "$0" 2>/dev/null; exec "$@""#;

/// Start a jail.
pub(crate) fn spawn(jail: &Jail, isolation: &Isolation) -> Result<Running, SandboxError> {
    let mounts = jail.all_mounts();
    let stage = if is_root() { Some(Stage::new(&mounts)?) } else { None };
    let filter = memory_file(&seccomp::bytes(&seccomp::program()?)).map_err(SandboxError::Stage)?;
    let mut command = Command::new("bwrap");
    command.env_clear();
    command.args([
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--uid",
        "1000",
        "--gid",
        "1000",
    ]);
    command.args(["--hostname", "aar", "--seccomp", &filter.as_raw_fd().to_string()]);
    for path in &jail.runtime {
        match std::fs::read_link(path) {
            Ok(target) => command.arg("--symlink").arg(target).arg(path),
            Err(_) => command.arg("--ro-bind").arg(path).arg(path),
        };
    }
    command.args(["--size", &jail.limits.tmp_bytes.to_string(), "--tmpfs", "/tmp", "--dev", "/dev"]);
    if isolation.own_proc {
        command.args(["--proc", "/proc"]);
    }
    for (i, mount) in mounts.iter().enumerate() {
        let source = stage.as_ref().map_or_else(|| mount.host.clone(), |stage| stage.point(i));
        let how = if mount.access == Access::ReadWrite { "--bind" } else { "--ro-bind" };
        command.arg(how).arg(source).arg(&mount.inside);
    }
    for (name, value) in &jail.env {
        command.arg("--setenv").arg(name).arg(value);
    }
    command.arg("--chdir").arg(&jail.workdir).arg("--");
    command.args(["/bin/sh", "-c", LIMIT_PROCESSES, &jail.limits.processes.to_string()]);
    command.arg(&jail.program).args(&jail.args);
    let resources = jail.limits.resources();
    let raw = filter.as_raw_fd();
    let enter = move || {
        // SAFETY: system calls on plain values; see Stage::enter for the rest.
        unsafe {
            libc::fcntl(raw, libc::F_SETFD, 0);
        }
        if let Some(stage) = &stage {
            stage.enter()?;
        }
        limit(&resources)
    };
    // SAFETY: the closure makes system calls only and allocates nothing.
    unsafe { command.pre_exec(enter) };
    Running::start(command, jail, OsString::from("bwrap").into())
}

/// Set resource limits of this process.
pub(crate) fn limit(resources: &[(libc::__rlimit_resource_t, u64)]) -> std::io::Result<()> {
    for &(resource, value) in resources {
        let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: a pointer to a local; hard limits can only be lowered, so the lower of both is asked for.
        unsafe {
            if libc::getrlimit(resource, &mut old) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            let value = value.min(old.rlim_max);
            let new = libc::rlimit { rlim_cur: value, rlim_max: value };
            if libc::setrlimit(resource, &new) != 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
    }
    Ok(())
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
