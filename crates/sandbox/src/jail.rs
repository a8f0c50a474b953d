//! The description of a jail.

use crate::error::SandboxError;
use crate::isolation::{Backend, Isolation};
use crate::limits::Limits;
use crate::running::Running;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where the socket folder lies inside.
pub const SOCKET_INSIDE: &str = "/run/aar";

/// Whether a mount may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write. Started by root, the host folder is given to the jail's user.
    ReadWrite,
}

/// A file or folder of the host that the process may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// On the host.
    pub host: PathBuf,
    /// Inside, absolute.
    pub inside: PathBuf,
    /// Read or write.
    pub access: Access,
}

/// What is to be run, what it may see and what it may use. Program, arguments and environment speak of inside
/// paths; where a backend can't rename paths they are replaced by the host's, component by component of `:` lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jail {
    /// Inside path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// What it may see of the host, beside the runtime.
    pub mounts: Vec<Mount>,
    /// Where it starts, inside.
    pub workdir: PathBuf,
    /// A host folder with a socket, at [`SOCKET_INSIDE`]: the only door.
    pub socket_dir: Option<PathBuf>,
    /// Whether it may use internet sockets on a loopback of its own, which reaches nothing outside. Only with namespaces.
    pub loopback: bool,
    /// System folders it may read and execute from, same path inside.
    pub runtime: Vec<PathBuf>,
    /// What it may use.
    pub limits: Limits,
}

impl Default for Jail {
    fn default() -> Self {
        let system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache"];
        Self {
            program: PathBuf::new(),
            args: Vec::new(),
            env: Vec::new(),
            mounts: Vec::new(),
            workdir: "/".into(),
            socket_dir: None,
            loopback: false,
            runtime: system.iter().map(PathBuf::from).filter(|path| path.exists()).collect(),
            limits: Limits::default(),
        }
    }
}

impl Jail {
    /// Start the process.
    pub fn spawn(&self, isolation: &Isolation) -> Result<Running, SandboxError> {
        for mount in self.all_mounts() {
            if let Err(source) = std::fs::symlink_metadata(&mount.host) {
                return Err(SandboxError::Mount { path: mount.host, source });
            }
        }
        if self.loopback && isolation.backend != Backend::Namespaces {
            return Err(SandboxError::Loopback);
        }
        match isolation.backend {
            Backend::Namespaces => crate::bubblewrap::spawn(self, isolation),
            Backend::Landlock => crate::landlocked::spawn(self, true),
            Backend::Unconfined => crate::landlocked::spawn(self, false),
        }
    }

    /// Mounts, the socket folder among them.
    pub(crate) fn all_mounts(&self) -> Vec<Mount> {
        let socket = self.socket_dir.iter().map(|host| Mount {
            host: host.clone(),
            inside: SOCKET_INSIDE.into(),
            access: Access::ReadOnly,
        });
        self.mounts.iter().cloned().chain(socket).collect()
    }

    /// An inside path as the host names it.
    pub(crate) fn host_path(&self, inside: &Path) -> PathBuf {
        for mount in self.all_mounts() {
            if let Ok(rest) = inside.strip_prefix(&mount.inside) {
                return if rest.as_os_str().is_empty() { mount.host } else { mount.host.join(rest) };
            }
        }
        inside.to_owned()
    }

    /// A text with its inside paths replaced, component by component of a `:` list.
    pub(crate) fn host_text(&self, text: &str) -> String {
        let one = |part: &str| match part.starts_with('/') {
            true => self.host_path(Path::new(part)).to_string_lossy().into_owned(),
            false => part.to_owned(),
        };
        text.split(':').map(one).collect::<Vec<_>>().join(":")
    }
}
