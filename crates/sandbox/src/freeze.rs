//! Stop a whole tree of processes where it stands, and let it go on.
//!
//! A freezer of control groups would do this in one step, but is not to be had everywhere without privileges. So the tree is
//! walked and every process is sent the signal, again until a walk finds nobody left to send it to: a child that was
//! forked during one walk is met by the next.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Walks at most, with a pause between them: on a busy machine a signal takes effect only when its turn comes.
const WALKS: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(2);

/// What `/proc/PID/stat` says.
struct Seen {
    parent: i32,
    state: char,
    started: u64,
}

/// Stop every process below `root`, and `root` itself if `whole`. Returns whether all stand still.
pub fn stop(root: u32, whole: bool) -> bool {
    (0..WALKS).any(|walked| {
        if walked > 0 {
            std::thread::sleep(PAUSE);
        }
        let signalled = walk(root, whole, libc::SIGSTOP, |state| !matches!(state, 'T' | 't' | 'Z' | 'X'));
        // Who waits inside the kernel (a parent for its vforked child, which may be the one that stands still) runs nothing,
        // and stops before it would.
        signalled.iter().all(|&state| state == 'D')
    })
}

/// Let them go on.
pub fn go_on(root: u32, whole: bool) {
    // Those too that do not stand still yet: the signal also cancels one to stop that did not take effect.
    walk(root, whole, libc::SIGCONT, |_| true);
}

/// Send a signal to those of the tree whose state asks for it. Returns their states.
fn walk(root: u32, whole: bool, signal: i32, wanted: impl Fn(char) -> bool) -> Vec<char> {
    let all = processes();
    let root = root as i32;
    let below = |mut id: i32| {
        // A stale entry could claim a loop; there are no longer chains than entries.
        for _ in 0..all.len() {
            let Some(seen) = all.get(&id) else { return false };
            if seen.parent == root {
                return true;
            }
            id = seen.parent;
        }
        false
    };
    let chosen = |&(&id, seen): &(&i32, &Seen)| ((id == root && whole) || below(id)) && wanted(seen.state);
    let tell = |(&id, seen): (&i32, &Seen)| {
        send(id, seen.started, signal);
        seen.state
    };
    all.iter().filter(chosen).map(tell).collect()
}

fn processes() -> BTreeMap<i32, Seen> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter_map(|id| Some((id, seen(id)?))).collect()
}

fn seen(id: i32) -> Option<Seen> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, parentheses too.
    let mut fields = text.get(text.rfind(')')? + 2..)?.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Seen { parent, state, started })
}

/// A signal to this process and no other: held by a descriptor first, then looked at again.
fn send(id: i32, started: u64, signal: i32) {
    // SAFETY: no pointers; the result is checked before it is owned.
    let handle = unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) };
    if handle < 0 {
        return;
    }
    // SAFETY: a descriptor that was just made for us.
    let handle = unsafe { OwnedFd::from_raw_fd(handle as i32) };
    if seen(id).is_some_and(|seen| seen.started == started) {
        // SAFETY: a descriptor that is ours, no signal information, no flags. Failing means that it ended meanwhile.
        unsafe {
            let none = std::ptr::null::<libc::siginfo_t>();
            libc::syscall(libc::SYS_pidfd_send_signal, handle.as_raw_fd(), signal, none, 0);
        }
    }
}
