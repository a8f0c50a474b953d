//! Root's preparations: mount points that an unprivileged user can reach, and a user to run as.
//!
//! A folder below one that only root may enter can't be bound by an unprivileged bubblewrap. So the child, while still
//! root and in a mount namespace of its own, binds every source below a folder that everybody may pass through, and
//! only then gives its privileges up.

use crate::error::SandboxError;
use crate::jail::{Access, Mount};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// First of the users that jails run as when started by root. Nobody's on any distribution; no entry in
/// `/etc/passwd` is needed.
const FIRST_USER: u32 = 0x6000_0000;
static NEXT_USER: AtomicU32 = AtomicU32::new(0);

/// Mount points and the user.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    binds: Vec<(CString, CString)>,
    /// The jail's own user and group.
    pub user: u32,
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::geteuid() == 0 }
}

impl Stage {
    /// Make mount points for all mounts, and give writable folders to a fresh user.
    pub fn new(mounts: &[Mount]) -> Result<Self, SandboxError> {
        let folder = tempfile::Builder::new().prefix("aar-jail-").tempdir().map_err(SandboxError::Stage)?;
        let mode = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(folder.path(), mode).map_err(SandboxError::Stage)?;
        let user =
            FIRST_USER + (std::process::id() & 0xffff) * 0x400 + NEXT_USER.fetch_add(1, Ordering::Relaxed) % 0x400;
        let mut binds = Vec::new();
        for (i, mount) in mounts.iter().enumerate() {
            let point = folder.path().join(format!("m{i}"));
            let host = std::fs::canonicalize(&mount.host)
                .map_err(|source| SandboxError::Mount { path: mount.host.clone(), source })?;
            if host.is_dir() { std::fs::create_dir(&point) } else { std::fs::write(&point, "") }
                .map_err(SandboxError::Stage)?;
            if mount.access == Access::ReadWrite {
                give(&host, user).map_err(|source| SandboxError::Mount { path: mount.host.clone(), source })?;
            }
            binds.push((c_string(&host), c_string(&point)));
        }
        Ok(Self { folder, binds, user })
    }

    /// Where mount `i` is bound.
    pub fn point(&self, i: usize) -> PathBuf {
        self.folder.path().join(format!("m{i}"))
    }

    /// Run in the child, before exec: bind, then become the user. Only system calls.
    pub fn enter(&self) -> std::io::Result<()> {
        // SAFETY: plain system calls on strings that outlive them; nothing is allocated between fork and exec.
        unsafe {
            check(libc::unshare(libc::CLONE_NEWNS))?;
            let flags = libc::MS_REC | libc::MS_PRIVATE;
            check(libc::mount(std::ptr::null(), c"/".as_ptr(), std::ptr::null(), flags, std::ptr::null()))?;
            for (source, target) in &self.binds {
                let flags = libc::MS_BIND | libc::MS_REC;
                check(libc::mount(source.as_ptr(), target.as_ptr(), std::ptr::null(), flags, std::ptr::null()))?;
            }
            check(libc::setgroups(0, std::ptr::null()))?;
            check(libc::setresgid(self.user, self.user, self.user))?;
            check(libc::setresuid(self.user, self.user, self.user))
        }
    }
}

fn check(result: libc::c_int) -> std::io::Result<()> {
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn c_string(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
}

/// Make a user the owner of a tree, without following links.
fn give(path: &Path, user: u32) -> std::io::Result<()> {
    std::os::unix::fs::lchown(path, Some(user), Some(user))?;
    if std::fs::symlink_metadata(path)?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    Ok(())
}
