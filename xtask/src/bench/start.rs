//! How long `aar --version` takes: what every command pays before it does anything.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::figures::Spread;
use crate::steps;

const RUNS: usize = 20;

/// Builds the program and starts it; milliseconds from spawn to exit.
pub fn measure(root: &Path) -> Result<Spread, String> {
    let program = built(root, &["--package", "aar", "--bin", "aar"])?;
    let mut times_ms = Vec::with_capacity(RUNS);
    for run in 0..=RUNS {
        let start = Instant::now();
        let status = Command::new(&program).arg("--version").stdout(Stdio::null()).status();
        let took_ms = start.elapsed().as_secs_f64() * 1e3;
        let status = status.map_err(|e| format!("cannot run {}: {e}", program.display()))?;
        if !status.success() {
            return Err(format!("aar --version ended with {status}"));
        }
        // The first run reads the program from disk.
        if run > 0 {
            times_ms.push(took_ms);
        }
    }
    Spread::of(times_ms).ok_or_else(|| "nothing was measured".to_owned())
}

/// Builds one target in release and says where cargo put it.
pub fn built(root: &Path, target: &[&str]) -> Result<PathBuf, String> {
    let output = steps::cargo()
        .args(["build", "--release", "--message-format", "json-render-diagnostics"])
        .args(target)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot run cargo build: {e}"))?;
    if !output.status.success() {
        return Err(format!("`cargo build --release {}` failed", target.join(" ")));
    }
    let messages = cargo_metadata::Message::parse_stream(output.stdout.as_slice());
    let executables = messages.filter_map(|message| match message {
        Ok(cargo_metadata::Message::CompilerArtifact(artifact)) => artifact.executable,
        _ => None,
    });
    executables.last().map(Into::into).ok_or_else(|| format!("cargo built no program for {}", target.join(" ")))
}
