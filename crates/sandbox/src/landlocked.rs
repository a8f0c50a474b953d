//! Without namespaces: Landlock for files, seccomp for system calls. Paths stay the host's.

use crate::before_exec;
use crate::cgroup::{self, Group};
use crate::error::SandboxError;
use crate::jail::{Access, Jail};
use crate::limits::Limit;
use crate::running::Running;
use crate::seccomp;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The newest interface that is asked for; older kernels give what they have.
const ABI_WANTED: ABI = ABI::V6;

/// Processes of the user, all jails and everything else together: without a control group the kernel counts no finer here, and never root's.
const USER_PROCESSES: u64 = 4096;

/// Calls that leave the process group, which is all there is to end a tree by.
const LEAVING: &[libc::c_long] = &[libc::SYS_setsid, libc::SYS_setpgid];

/// Start a jail; with `confined` false only resources are limited.
pub(crate) fn spawn(jail: &Jail, confined: bool) -> Result<Running, SandboxError> {
    let program = jail.host_path(&jail.program);
    let mut command = Command::new(&program);
    command.env_clear().current_dir(jail.host_path(&jail.workdir));
    command.args(jail.args.iter().map(|arg| jail.host_text(&arg.to_string_lossy())));
    command.envs(jail.env.iter().map(|(name, value)| (name, jail.host_text(value))));
    let mut rules = if confined { Some(rules(jail)?) } else { None };
    let filter = if confined { Some(seccomp::program(LEAVING, false)?) } else { None };
    let mut limits = jail.limits.resources();
    limits.push(Limit { resource: libc::RLIMIT_NPROC, soft: USER_PROCESSES, hard: USER_PROCESSES });
    let group = Group::new(&jail.limits, 0);
    let doors = group.as_ref().map(Group::joining).unwrap_or_default();
    let enter = move || {
        cgroup::join(&doors)?;
        // SAFETY: system calls on plain values.
        unsafe {
            // A session of its own has no terminal to type into, and is a process group that can be ended.
            if libc::setsid() < 0 || libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
        before_exec::close_descriptors()?;
        before_exec::limit(&limits)?;
        before_exec::drop_capabilities()?;
        if let Some(rules) = rules.take() {
            rules.restrict_self().map_err(|_| std::io::Error::from_raw_os_error(libc::EPERM))?;
        }
        if let Some(filter) = &filter {
            seccompiler::apply_filter(filter).map_err(|_| std::io::Error::from_raw_os_error(libc::EPERM))?;
        }
        Ok(())
    };
    // SAFETY: the rules and the filter were made before the fork; what is left is system calls.
    unsafe { command.pre_exec(enter) };
    Ok(Running::start(command, jail, program)?.with_group(group))
}

/// Read and execute the runtime and read-only mounts; everything on writable mounts; no TCP, no abstract sockets, no signals out.
fn rules(jail: &Jail) -> Result<RulesetCreated, SandboxError> {
    let wrong = |error: &dyn std::fmt::Display| SandboxError::Landlock(error.to_string());
    let read = AccessFs::from_read(ABI_WANTED);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_WANTED))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI_WANTED)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI_WANTED)))
        .and_then(Ruleset::create)
        .map_err(|error| wrong(&error))?;
    let devices = ["/dev/null", "/dev/zero", "/dev/urandom"].map(std::path::PathBuf::from);
    let readable = jail.runtime.iter().cloned().chain(devices);
    for path in readable.chain(jail.all_mounts().into_iter().filter(|m| m.access == Access::ReadOnly).map(|m| m.host)) {
        let Ok(fd) = PathFd::new(&path) else { continue };
        rules = rules.add_rule(PathBeneath::new(fd, read)).map_err(|error| wrong(&error))?;
    }
    let writable =
        jail.all_mounts().into_iter().filter(|mount| mount.access == Access::ReadWrite).map(|mount| mount.host);
    for path in writable.chain(["/dev/null".into()]) {
        let Ok(fd) = PathFd::new(&path) else { continue };
        rules = rules.add_rule(PathBeneath::new(fd, AccessFs::from_all(ABI_WANTED))).map_err(|error| wrong(&error))?;
    }
    Ok(rules)
}
