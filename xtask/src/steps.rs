//! The table of CI's steps. Whoever adds a check adds one line to [`STEPS`] or [`SLOW`].

use std::path::Path;
use std::process::Command;

use crate::{layers, licences, skips, tidy, wheel};

/// What a step does.
#[derive(Clone, Copy)]
pub enum Work {
    /// A check in this program; finding something is an `Err`.
    Check(fn(&Path) -> Result<(), String>),
    /// `cargo` with these arguments, under these extra environment variables.
    Cargo(&'static [&'static str], &'static [(&'static str, &'static str)]),
}

/// One step of CI, also a subcommand of the same name.
#[derive(Clone, Copy)]
pub struct Step {
    /// The subcommand (a slow one: `slow NAME`).
    pub name: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// How it is answered.
    pub work: Work,
}

/// What every CI run does, quickest first, so that a small slip shows within seconds.
pub const STEPS: &[Step] = &[
    Step { name: "fmt", asks: "is the code formatted", work: Work::Cargo(&["fmt", "--all", "--check"], &[]) },
    Step { name: "layers", asks: "does the crate graph respect the wall", work: Work::Check(layers::check) },
    Step { name: "tidy", asks: "house rules, as ratchets", work: Work::Check(tidy::check) },
    Step { name: "licences", asks: "may we ship it", work: Work::Check(licences::check) },
    Step {
        name: "clippy",
        asks: "no warning from clippy",
        work: Work::Cargo(&["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"], &[]),
    },
    Step {
        name: "doc",
        asks: "no warning from rustdoc",
        work: Work::Cargo(&["doc", "--no-deps", "--workspace", "--release"], &[("RUSTDOCFLAGS", "-D warnings")]),
    },
    Step { name: "python", asks: "does the bench for Python build and keep its word", work: Work::Check(wheel::test) },
    Step { name: "test", asks: "do the tests pass", work: Work::Check(skips::test) },
];

/// What takes minutes: run by `ci --slow` or `slow [NAME]`.
pub const SLOW: &[Step] = &[
    Step {
        name: "believable",
        asks: "do the statistics keep their promises: 1,000 null studies per design, and the power curve (about 20 min)",
        work: Work::Cargo(&["run", "--release", "--package", "aar-domain", "--example", "believable"], &[]),
    },
    Step {
        name: "crash",
        asks: "does a server killed 500 times lose nothing it acknowledged (about 2 min)",
        work: Work::Cargo(
            &["test", "--release", "--package", "aar-server", "--test", "crash", "--", "--nocapture"],
            &[("AAR_CRASH_ROUNDS", "500")],
        ),
    },
    Step {
        name: "honest",
        asks: "are thirty honest bundles let be by the checks that bind (about 5 min)",
        work: Work::Cargo(
            &["test", "--release", "--package", "aar", "--test", "bundles", "honest", "--", "--nocapture"],
            &[("AAR_HONEST_BUNDLES", "30")],
        ),
    },
    Step {
        name: "wheel",
        asks: "does the wheel for Python build, install and keep its word (about 7 min)",
        work: Work::Check(wheel::test_wheel),
    },
    Step {
        name: "clients",
        asks: "do agents and MCP clients that are not ours work with it (installs 700 MB, about 5 min)",
        work: Work::Check(clients),
    },
    Step {
        name: "mint",
        asks: "does a fresh secret end in a world that holds all bounds (about 10 min)",
        work: Work::Cargo(&["run", "--release", "--", "mint", "chat", "--calibrated", "--check"], &[]),
    },
];

/// Installs what is pinned in `tests/clients`, and runs the test that needs it.
fn clients(root: &Path) -> Result<(), String> {
    let status = outside(Command::new("tests/clients/run")).current_dir(root).status();
    match status.map_err(|e| format!("cannot run tests/clients/run: {e}"))?.success() {
        true => Ok(()),
        false => Err("`tests/clients/run` found something".to_owned()),
    }
}

/// The cargo that started us.
pub fn cargo() -> Command {
    outside(Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())))
}

/// A command that does not hear what cargo told us of our own package: a build script that looks at such variables (`ring`'s)
/// would run anew, and all that builds on it be compiled once more.
pub fn outside(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| name.to_string_lossy().starts_with(of));
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// How a person runs this step by itself.
pub fn how_to_run(step: &Step) -> String {
    let slow = SLOW.iter().any(|s| s.name == step.name);
    format!("cargo xtask {}{}", if slow { "slow " } else { "" }, step.name)
}

/// Does one step, its output going where ours goes.
pub fn perform(root: &Path, step: &Step) -> Result<(), String> {
    match step.work {
        Work::Check(check) => check(root),
        Work::Cargo(arguments, environment) => {
            let status = cargo()
                .args(arguments)
                .envs(environment.iter().copied())
                .current_dir(root)
                .status()
                .map_err(|e| format!("cannot run cargo {}: {e}", arguments[0]))?;
            verdict(arguments, status.success())
        }
    }
}

fn verdict(arguments: &[&str], success: bool) -> Result<(), String> {
    match success {
        true => Ok(()),
        false => Err(format!("`cargo {}` found something", arguments.join(" "))),
    }
}

/// One step by name.
pub fn alone(root: &Path, name: &str) -> Result<(), String> {
    let known = STEPS.iter().chain(SLOW);
    match known.clone().find(|step| step.name == name) {
        Some(step) => perform(root, step),
        None => {
            let names: Vec<_> = known.map(|step| step.name).collect();
            Err(format!("no step named {name:?}; there are {}", names.join(", ")))
        }
    }
}

/// All the slow ones; stops at none, says which failed.
pub fn run_slow(root: &Path) -> Result<(), String> {
    let failed: Vec<_> =
        SLOW.iter().filter_map(|step| perform(root, step).err().map(|e| format!("{}: {e}", step.name))).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let names: BTreeSet<_> = STEPS.iter().chain(SLOW).map(|s| s.name).collect();
        assert_eq!(names.len(), STEPS.len() + SLOW.len());
    }

    #[test]
    fn cargo_does_not_hear_of_our_own_package() {
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "cargo runs this test");
        let said = outside(Command::new("env")).output().unwrap().stdout;
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("CARGO_MANIFEST_") && !said.contains("CARGO_PKG_") && said.contains("PATH="), "{said}");
    }

    #[test]
    fn a_step_that_finds_something_fails() {
        let found = Step { name: "x", asks: "", work: Work::Check(|_| Err("found".to_owned())) };
        assert_eq!(perform(Path::new("."), &found), Err("found".to_owned()));
        let message = "`cargo fmt --check` found something".to_owned();
        assert_eq!(verdict(&["fmt", "--check"], false), Err(message));
        assert!(verdict(&["fmt"], true).is_ok());
        assert!(alone(Path::new("."), "no-such-step").unwrap_err().contains("layers"));
    }
}
