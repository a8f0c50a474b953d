//! CPU time.

use nix::time::{ClockId, clock_gettime};

/// CPU-seconds of this thread so far.
pub(crate) fn seconds() -> std::io::Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}
