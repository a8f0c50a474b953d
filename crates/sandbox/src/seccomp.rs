//! The filter of system calls: no sockets but unix ones, and nothing that opens the kernel wider.

use crate::error::SandboxError;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Calls refused whatever their arguments.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_open_by_handle_at,
    libc::SYS_swapon,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_fspick,
    libc::SYS_kexec_file_load,
    libc::SYS_swapoff,
];

/// Compile the filter, which refuses `more` calls too. With `loopback` internet sockets are allowed, which reach only as far as the
/// network namespace around them. Refused calls fail with EPERM, which programs report, instead of
/// dying silently.
pub fn program(more: &[libc::c_long], loopback: bool) -> Result<BpfProgram, SandboxError> {
    let wrong = |error: &dyn std::fmt::Display| SandboxError::Seccomp(error.to_string());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().chain(more).map(|&call| (call, vec![])).collect();
    let allowed: &[libc::c_int] =
        if loopback { &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] } else { &[libc::AF_UNIX] };
    let is_not = |family: &libc::c_int| {
        let other = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, *family as u64);
        other.map_err(|error| wrong(&error))
    };
    // All conditions of a rule must hold: it is none of those.
    let others = allowed.iter().map(is_not).collect::<Result<Vec<_>, _>>()?;
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(others).map_err(|error| wrong(&error))?]);
    // clone with any namespace flag; clone3 hides its flags in memory, so it is said not to exist and libc falls back.
    for flag in [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWNET, libc::CLONE_NEWPID] {
        let flag = flag as u64;
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag);
        let rule = SeccompRule::new(vec![condition.map_err(|error| wrong(&error))?]).map_err(|error| wrong(&error))?;
        rules.entry(libc::SYS_clone).or_default().push(rule);
    }
    let arch = if cfg!(target_arch = "aarch64") { TargetArch::aarch64 } else { TargetArch::x86_64 };
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).map_err(|error| wrong(&error))?;
    let mut program: BpfProgram = filter.try_into().map_err(|error: seccompiler::BackendError| wrong(&error))?;
    let absent = SeccompAction::Errno(libc::ENOSYS as u32);
    let clone3 = BTreeMap::from([(libc::SYS_clone3, vec![])]);
    let hide = SeccompFilter::new(clone3, SeccompAction::Allow, absent, arch).map_err(|error| wrong(&error))?;
    let hide: BpfProgram = hide.try_into().map_err(|error: seccompiler::BackendError| wrong(&error))?;
    program = chain(hide, program);
    if arch == TargetArch::x86_64 {
        program.splice(0..0, other_numbers());
    }
    Ok(program)
}

/// x86-64 has a second set of numbers (x32) for the same calls, of which the rules above know nothing.
fn other_numbers() -> [seccompiler::sock_filter; 3] {
    const X32: u32 = 0x4000_0000;
    let step = |code, jt, jf, k| seccompiler::sock_filter { code, jt, jf, k };
    // Load the number; below X32 skip the return.
    [step(0x20, 0, 0, 0), step(0x35, 0, 1, X32), step(0x06, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32)]
}

/// One program out of two: what the first allows is judged by the second. The first's closing "allow" is cut off, so
/// that it falls through.
fn chain(mut first: BpfProgram, second: BpfProgram) -> BpfProgram {
    const RETURN: u16 = 0x06;
    let allow = libc::SECCOMP_RET_ALLOW;
    if let Some(at) = first.iter().rposition(|step| step.code == RETURN && step.k == allow) {
        // A jump of nothing instead of a return keeps every other jump's distance.
        first[at].code = 0x05;
        first[at].k = (first.len() - at - 1) as u32;
    }
    first.extend(second);
    first
}

/// The program as bytes, for bubblewrap.
pub fn bytes(program: &BpfProgram) -> Vec<u8> {
    let step = |step: &seccompiler::sock_filter| {
        let mut out = Vec::with_capacity(8);
        out.extend(step.code.to_ne_bytes());
        out.extend([step.jt, step.jf]);
        out.extend(step.k.to_ne_bytes());
        out
    };
    program.iter().flat_map(step).collect()
}
