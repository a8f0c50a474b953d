//! The project's own chores, so that what CI runs is what a person can run.
//!
//! ```text
//! cargo xtask ci ──► steps.rs  (one table)  ──► fmt · clippy · test · doc          (cargo itself)
//!                                           ──► layers  ◄── graph.rs ◄── cargo metadata
//!                                           ──► licences ◄── graph.rs
//!                                           ──► tidy    ◄── source.rs ◄── git ls-files
//! cargo xtask wheel ──► wheel.rs (maturin) ──► target/wheels, and unpacked beside the program
//! cargo xtask python ─► wheel.rs (pytest)  ──► the same module from the workspace's own build
//! cargo xtask bench ──► bench.rs (the engine against PyTorch, start-up time)
//! ```
//!
//! Every step is also a subcommand. Nothing here is a dependency of the product.

// A program for the terminal: printing is what it is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod ci;
mod command;
mod graph;
mod layers;
mod licences;
mod skips;
mod steps;
mod tidy;
mod wheel;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    command::run(command::Arguments::parse())
}
