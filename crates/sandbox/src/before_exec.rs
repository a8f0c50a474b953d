//! What a child does between fork and exec, whatever the backend. Only system calls; nothing is allocated.

use crate::limits::Limit;
use std::io::{Error, Result};

/// Let no open descriptor of the host but the three standard ones through to the program: whoever started us may have
/// left files open without the close-on-exec mark.
pub(crate) fn close_descriptors() -> Result<()> {
    const FIRST: libc::c_uint = 3;
    // SAFETY: marks descriptors of this process; none is closed before exec, so the parent's pipe for errors lives on.
    unsafe {
        let mark = libc::CLOSE_RANGE_CLOEXEC;
        if libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, mark) == 0 {
            return Ok(());
        }
        // Kernels before 5.11: one by one. Descriptors that are not open give an error that means nothing.
        let mut open = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut open) != 0 {
            return Err(Error::last_os_error());
        }
        for descriptor in FIRST as libc::c_int..open.rlim_cur.min(1 << 20) as libc::c_int {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
    Ok(())
}

/// Let one descriptor through to the program after all.
pub(crate) fn keep_descriptor(descriptor: libc::c_int) -> Result<()> {
    // SAFETY: a plain system call.
    match unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } {
        -1 => Err(Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Set resource limits of this process.
pub(crate) fn limit(limits: &[Limit]) -> Result<()> {
    for wanted in limits {
        let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: pointers to locals; hard limits can only be lowered, so the lower of both is asked for.
        unsafe {
            if libc::getrlimit(wanted.resource, &mut old) != 0 {
                return Err(Error::last_os_error());
            }
            let hard = wanted.hard.min(old.rlim_max);
            let new = libc::rlimit { rlim_cur: wanted.soft.min(hard), rlim_max: hard };
            if libc::setrlimit(wanted.resource, &new) != 0 {
                return Err(Error::last_os_error());
            }
        }
    }
    Ok(())
}

/// Give every capability up for good. Root's could raise the limits again; other users have none to lose.
pub(crate) fn drop_capabilities() -> Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let header: [u32; 2] = [VERSION_3, 0];
    let none = [0u32; 6];
    // SAFETY: the header names this process; the data are the two triples that version 3 reads. Capability numbers
    // beyond the kernel's last give an error that means nothing.
    unsafe {
        for capability in 0..64 {
            libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
        if libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) != 0 {
            return Err(Error::last_os_error());
        }
    }
    Ok(())
}

/// How many processes this user may be limited to at most: a hard limit can't be raised.
pub(crate) fn most_processes() -> u64 {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a pointer to a local.
    match unsafe { libc::getrlimit(libc::RLIMIT_NPROC, &mut now) } {
        0 => now.rlim_max,
        _ => u64::MAX,
    }
}
