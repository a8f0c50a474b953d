//! What a jail prints.

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// How often a silent pipe is left to look whether the jail has ended.
const LOOK_MS: libc::c_int = 100;
/// The largest pipe that an unprivileged process can ask for: no more than this was left in it at the end.
const PIPE_BYTES: usize = 1 << 20;

/// A thread that reads one pipe to its end: a flood must not block the writer, nor fill our memory.
pub(crate) struct Output {
    thread: JoinHandle<Vec<u8>>,
    ended: Arc<AtomicBool>,
}

impl Output {
    /// Read, and keep the first `keep` bytes.
    pub fn read(pipe: impl Read + AsFd + Send + 'static, keep: usize) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        Self { thread: std::thread::spawn(move || drain(pipe, keep, &seen)), ended }
    }

    /// What was kept, once the jail has ended. Without namespaces something that escaped may hold the pipe open
    /// for ever, so from now on only what is in the pipe already is read.
    pub fn finish(self) -> Vec<u8> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn drain(mut pipe: impl Read + AsFd, keep: usize, ended: &AtomicBool) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 16 << 10];
    let mut after_end = 0;
    loop {
        let ended = ended.load(Ordering::Relaxed);
        if !ready(&pipe) {
            if ended {
                break;
            }
            continue;
        }
        let count = match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        kept.extend_from_slice(&buffer[..count.min(keep - kept.len())]);
        if ended {
            after_end += count;
            if after_end > PIPE_BYTES {
                break;
            }
        }
    }
    kept
}

/// Whether a read would not block: bytes, or the end.
fn ready(pipe: &impl AsFd) -> bool {
    let mut poll = libc::pollfd { fd: pipe.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, a local.
    unsafe { libc::poll(&mut poll, 1, LOOK_MS) > 0 }
}
