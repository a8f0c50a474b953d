//! What a stranger may use.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of a jail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock time; then the whole tree is killed.
    pub wall: Duration,
    /// CPU time of one process, in whole seconds, at least one.
    pub cpu: Duration,
    /// Address space of one process.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Size of one file.
    pub file_bytes: u64,
    /// Size of `/tmp`, and of `/dev/shm` (namespaces only).
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

/// A limit for `setrlimit`: at `soft` the kernel warns or refuses, `hard` can't be raised.
pub(crate) struct Limit {
    pub resource: libc::__rlimit_resource_t,
    pub soft: u64,
    pub hard: u64,
}

impl Limits {
    /// For `setrlimit`. NPROC is apart: it counts per user.
    pub(crate) fn resources(&self) -> Vec<Limit> {
        let at = |resource, value| Limit { resource, soft: value, hard: value };
        let cpu = self.cpu.as_secs().max(1);
        vec![
            // Were both the same the kernel would kill at once, and nobody could tell why.
            Limit { resource: libc::RLIMIT_CPU, soft: cpu, hard: cpu.saturating_add(1) },
            at(libc::RLIMIT_AS, self.memory_bytes),
            at(libc::RLIMIT_NOFILE, self.open_files),
            at(libc::RLIMIT_FSIZE, self.file_bytes),
            at(libc::RLIMIT_CORE, 0),
        ]
    }
}
