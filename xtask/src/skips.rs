//! What the tests did not do.
//!
//! A test that cannot run where it stands prints one line that starts with `skipped:` and says why.
//! libtest hides what a passing test prints, so the tests are run with `--show-output`, and the
//! lines are collected here. Some skips are not acceptable: without isolation or without the
//! engine's fixtures a green run would claim what nobody looked at.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use crate::steps;

/// The README's test command; it goes on after a failure and shows what passing tests print.
const TEST: &[&str] = &["test", "--workspace", "--release", "--no-fail-fast", "--", "--show-output"];

/// A skipped line holding one of these words fails CI.
const MUST_RUN: &[&str] = &["isolation", "sandbox", "bubblewrap", "landlock", "seccomp", "fixture"];

/// Runs the tests, shows their output as it comes, then judges what they skipped.
pub fn test(root: &Path) -> Result<(), String> {
    let mut child = steps::cargo()
        .args(TEST)
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot run cargo test: {e}"))?;
    let mut log = String::new();
    let output = child.stdout.take().ok_or("cargo test has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line.map_err(|e| format!("cannot read cargo test's output: {e}"))?;
        // Whoever reads us may have gone; the tests' verdict still counts.
        let _ = writeln!(std::io::stdout(), "{line}");
        log += &line;
        log.push('\n');
    }
    let status = child.wait().map_err(|e| format!("cannot wait for cargo test: {e}"))?;
    let judged = judge(&log);
    match status.success() {
        true => judged,
        false => Err("tests failed".to_owned()),
    }
}

/// Judges the recorded output of a test run.
pub fn judge_file(log: &Path) -> Result<(), String> {
    let bytes = std::fs::read(log).map_err(|e| format!("cannot read {}: {e}", log.display()))?;
    judge(&String::from_utf8_lossy(&bytes))
}

fn judge(log: &str) -> Result<(), String> {
    let skipped = skipped(log);
    println!("{}", list(&skipped));
    verdict(&skipped)
}

fn verdict(skipped: &[&str]) -> Result<(), String> {
    let forbidden: Vec<_> = skipped.iter().copied().filter(|line| must_run(line)).collect();
    match forbidden.is_empty() {
        true => Ok(()),
        false => Err(format!("these may not be skipped here:\n  {}", forbidden.join("\n  "))),
    }
}

fn list(skipped: &[&str]) -> String {
    match skipped.len() {
        0 => "nothing was skipped".to_owned(),
        n => format!("{n} skipped:\n  {}", skipped.join("\n  ")),
    }
}

/// The reasons given on `skipped:` lines, each once, in order, and the tests marked `#[ignore]`.
fn skipped(log: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in log.lines().map(str::trim) {
        let ignored = line.starts_with("test ") && (line.ends_with("... ignored") || line.contains("... ignored, "));
        let reason = match line.strip_prefix("skipped:") {
            Some(reason) => reason.trim(),
            None if ignored => line,
            None => continue,
        };
        if !found.contains(&reason) {
            found.push(reason);
        }
    }
    found
}

fn must_run(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    MUST_RUN.iter().any(|word| reason.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
running 3 tests
test a ... ok
test b ... ignored, needs a GPU
---- a stdout ----
skipped: no Python on this host, so no script was run
skipped: no Python on this host, so no script was run
a test that was not skipped: fine
";

    #[test]
    fn reasons_are_collected_once() {
        let expect = ["test b ... ignored, needs a GPU", "no Python on this host, so no script was run"];
        assert_eq!(skipped(LOG), expect);
        assert_eq!(list(&expect).lines().count(), 3);
        assert!(verdict(&expect).is_ok());
    }

    #[test]
    fn a_skipped_isolation_or_fixture_test_fails() {
        for reason in ["no isolation here", "Bubblewrap is missing", "fixture qwen2 is missing"] {
            let log = format!("test a ... ok\n  skipped: {reason}\n");
            assert!(verdict(&skipped(&log)).unwrap_err().contains(reason), "{reason}");
        }
        assert!(verdict(&skipped("test isolation_holds ... ignored\n")).is_err());
        assert!(verdict(&skipped("test isolation_holds ... ok\n")).is_ok());
    }
}
