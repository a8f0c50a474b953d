//! The command the operator types. Called as `lab` it is the bench, and only so is it mounted in a sandbox.

mod cli;
mod commands;
mod failure;
mod places;
mod show;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().peekable();
    let name = args.peek().map(std::path::PathBuf::from);
    let name = name.as_ref().and_then(|name| name.file_name()).unwrap_or_default();
    let code = if name == "lab" { aar_lab::run(args) } else { cli::run(args.collect()) };
    ExitCode::from(u8::try_from(aar_lab::output::exit_code(code)).unwrap_or(1))
}
