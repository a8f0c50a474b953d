//! The subcommands, and what each of them prints and returns.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{bench, ci, skips, steps, tidy, wheel};

/// The project's own chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Everything CI checks: fmt, layers, tidy, licences, clippy, doc, python, test
    Ci {
        /// Also the checks that take minutes: simulated studies, minting
        #[arg(long)]
        slow: bool,
        /// Leave the tests out, where they have just been run
        #[arg(long)]
        no_tests: bool,
    },
    /// Is the code formatted?
    Fmt,
    /// Does clippy have nothing to say?
    Clippy,
    /// Do the tests pass, and did they skip nothing that matters?
    Test,
    /// Do the docs build without a warning?
    Doc,
    /// Does the crate graph respect the wall?
    Layers,
    /// House rules a program can check
    Tidy {
        /// Lower the allowances in xtask/tidy.toml to what is there now (never raises one)
        #[arg(long)]
        update: bool,
    },
    /// May we ship what we depend on?
    Licences,
    /// One of the slow checks by name, or all of them
    Slow {
        /// Which one; all when absent
        name: Option<String>,
    },
    /// Read the output of a test run: what was skipped, and may it be?
    Skips {
        /// A file holding what `cargo test` printed
        log: PathBuf,
    },
    /// Build the wheel of the bench for Python and unpack it beside the program, where sandboxes find it
    Wheel,
    /// Lay the bench for Python out beside the program without a wheel, from the build that the tests use
    Module,
    /// Lay it out and run its tests, where Python and its packages can be had
    Python,
    /// Measure the engine and the program's start
    Bench(bench::Options),
}

/// Runs the chore that was asked for; the exit status is 0 only when nothing was found.
pub fn run(arguments: Arguments) -> ExitCode {
    let root = match workspace_root() {
        Ok(root) => root,
        Err(message) => return finish(Err(message)),
    };
    finish(match arguments.chore {
        Chore::Ci { slow, no_tests } => ci::run(&root, slow, no_tests),
        Chore::Fmt => steps::alone(&root, "fmt"),
        Chore::Clippy => steps::alone(&root, "clippy"),
        Chore::Test => steps::alone(&root, "test"),
        Chore::Doc => steps::alone(&root, "doc"),
        Chore::Layers => steps::alone(&root, "layers"),
        Chore::Licences => steps::alone(&root, "licences"),
        Chore::Tidy { update: false } => steps::alone(&root, "tidy"),
        Chore::Tidy { update: true } => tidy::update(&root),
        Chore::Slow { name: Some(name) } => steps::alone(&root, &name),
        Chore::Slow { name: None } => steps::run_slow(&root),
        Chore::Skips { log } => skips::judge_file(&log),
        Chore::Wheel => wheel::build(&root).map(|_| ()).map_err(|missing| missing.to_string()),
        Chore::Module => wheel::module(&root).map(|_| ()).map_err(|missing| missing.to_string()),
        Chore::Python => steps::alone(&root, "python"),
        Chore::Bench(options) => bench::run(&root, &options),
    })
}

fn finish(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's Cargo.toml, wherever inside it one stands.
fn workspace_root() -> Result<PathBuf, String> {
    let output = steps::cargo()
        .args(["locate-project", "--workspace", "--message-format", "plain"])
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    let manifest = String::from_utf8_lossy(&output.stdout);
    Path::new(manifest.trim())
        .parent()
        .filter(|_| output.status.success())
        .map(Path::to_path_buf)
        .ok_or_else(|| "no Cargo workspace here".to_owned())
}
