//! Run a stranger's process within limits.
