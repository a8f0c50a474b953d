//! What a stranger may use.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of a jail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock time; then the whole tree is killed.
    pub wall: Duration,
    /// CPU time of one process.
    pub cpu: Duration,
    /// Address space of one process.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Size of one file.
    pub file_bytes: u64,
    /// Size of `/tmp` (namespaces only).
    pub tmp_bytes: u64,
    /// Kept of standard output, and of standard error; the rest is read and dropped.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(120),
            cpu: Duration::from_secs(120),
            memory_bytes: 4 << 30,
            processes: 64,
            open_files: 256,
            file_bytes: 512 << 20,
            tmp_bytes: 256 << 20,
            output_bytes: 256 << 10,
        }
    }
}

impl Limits {
    /// As (resource, limit) pairs for `setrlimit`. NPROC is apart: it counts per user.
    pub(crate) fn resources(&self) -> Vec<(libc::__rlimit_resource_t, u64)> {
        vec![
            (libc::RLIMIT_CPU, self.cpu.as_secs().max(1)),
            (libc::RLIMIT_AS, self.memory_bytes),
            (libc::RLIMIT_NOFILE, self.open_files),
            (libc::RLIMIT_FSIZE, self.file_bytes),
            (libc::RLIMIT_CORE, 0),
        ]
    }
}
