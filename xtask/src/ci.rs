//! `cargo xtask ci`: all steps, none left out because an earlier one failed, and a table at the end.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::steps::{self, SLOW, STEPS, Step};

struct Row {
    step: Step,
    outcome: Outcome,
    took: Duration,
}

enum Outcome {
    Passed,
    Failed(String),
    LeftOut,
}

/// Runs the steps and prints the table; `Err` names what failed.
pub fn run(root: &Path, slow: bool, no_tests: bool) -> Result<(), String> {
    let slow_steps = if slow { SLOW } else { &[] };
    let rows: Vec<Row> = STEPS
        .iter()
        .chain(slow_steps)
        .map(|step| {
            let start = Instant::now();
            let outcome = if no_tests && step.name == "test" {
                Outcome::LeftOut
            } else {
                eprintln!("\n── {}: {}", step.name, step.asks);
                match steps::perform(root, step) {
                    Ok(()) => Outcome::Passed,
                    Err(message) => {
                        eprintln!("{message}");
                        Outcome::Failed(message)
                    }
                }
            };
            Row { step: *step, outcome, took: start.elapsed() }
        })
        .collect();
    println!("\n{}", table(&rows));
    verdict(&rows)
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from("step         outcome        time\n");
    for Row { step, outcome, took } in rows {
        let word = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "FAILED",
            Outcome::LeftOut => "left out",
        };
        text += &format!("{:<12} {word:<9} {:>7.1} s\n", step.name, took.as_secs_f64());
    }
    text
}

fn verdict(rows: &[Row]) -> Result<(), String> {
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|row| match &row.outcome {
            Outcome::Failed(message) => Some(format!(
                "{} failed; alone: {}\n    {}",
                row.step.name,
                steps::how_to_run(&row.step),
                message.lines().last().unwrap_or_default()
            )),
            _ => None,
        })
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n  ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, outcome: Outcome) -> Row {
        let step = *STEPS.iter().find(|s| s.name == name).unwrap();
        Row { step, outcome, took: Duration::from_millis(1500) }
    }

    #[test]
    fn one_failure_fails_the_run_and_says_how_to_repeat_it() {
        let rows = [row("fmt", Outcome::Passed), row("tidy", Outcome::Failed("2 findings".into()))];
        let message = verdict(&rows).unwrap_err();
        assert!(message.contains("tidy failed; alone: cargo xtask tidy"), "{message}");
        assert!(!message.contains("fmt"), "{message}");
        assert!(table(&rows).contains("tidy         FAILED        1.5 s"), "{}", table(&rows));
    }

    #[test]
    fn what_was_left_out_is_not_called_passed() {
        let rows = [row("test", Outcome::LeftOut)];
        assert!(verdict(&rows).is_ok());
        assert!(table(&rows).contains("left out") && !table(&rows).contains("passed"));
    }
}
