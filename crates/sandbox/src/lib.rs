//! Run a stranger's process within limits.
//!
//! A [`Jail`] describes what the process may see and use; [`Isolation`] is what this machine offers, found by trying.
//! Under [`Backend::Namespaces`] (bubblewrap) the process sees its runtime and its mounts and nothing else of the
//! host: own processes, no network, an empty environment, no way to gain privileges. Under [`Backend::Landlock`] paths are the
//! host's, but only the mounts' can be opened; [`Backend::Unconfined`] only limits resources, and says so. Where control groups can be had
//! ([`cgroup`]) each limits a whole tree too.
//!
//! Started by root, the process runs as an unprivileged user of its own, because bubblewrap maps its inner user to
//! the outer one: a file that only root may read must stay unreadable in a mount.
#![allow(unsafe_code)]

pub mod before_exec;
pub mod bubblewrap;
pub mod cgroup;
pub mod error;
mod freeze;
pub mod isolation;
pub mod jail;
pub mod landlocked;
pub mod limits;
pub mod output;
pub mod python;
pub mod running;
pub mod seccomp;
pub mod spawner;
pub mod stage;

pub use error::SandboxError;
pub use isolation::{Backend, Isolation};
pub use jail::{Access, Jail, Mount};
pub use limits::Limits;
pub use running::{Exit, Outcome, Running};
