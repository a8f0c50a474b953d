//! The project's own chores: `cargo xtask ci|layers|tidy|bench`.
fn main() {}
