//! The command the operator types.
fn main() {}
