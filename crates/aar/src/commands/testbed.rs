//! `aar testbed`: look at testbeds. So far `check`.

use crate::failure::{Failure, NOT_HELD};
use aar_worlds::lint::{self, Report, Severity};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Look for copies between splits, labels that leak, shortcuts, imbalance, and whether the sizes can rank anything;
    /// exit status 1 where the testbed is refused
    Check(CheckOptions),
}

#[derive(clap::Args)]
struct CheckOptions {
    /// A testbed's folder, or one with train_label.jsonl, train_unlabel.jsonl and test.jsonl
    directory: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let Command::Check(options) = &options.command;
    let report = lint::check(&options.directory)?;
    if options.json {
        let whole = serde_json::json!({"refused": report.refused(), "report": report});
        aar_lab::say!("{}", serde_json::to_string_pretty(&whole).unwrap_or_default());
    } else {
        print(&report);
    }
    let refused = report.findings.iter().filter(|finding| finding.severity == Severity::Refused).count();
    if refused > 0 {
        let defects = if refused == 1 { "1 defect".into() } else { format!("{refused} defects") };
        let message = format!("{} is refused: {defects}", options.directory.display());
        return Err(Failure::new(NOT_HELD, message).hint("what to do stands beside each of them"));
    }
    Ok(())
}

fn print(report: &Report) {
    let rows: Vec<String> = report.rows.iter().map(|(name, rows)| format!("{name} {rows}")).collect();
    aar_lab::say!("{} · {}\n", report.form, rows.join(" · "));
    for measure in &report.measures {
        match measure.interval {
            Some([low, high]) => aar_lab::say!("{:76} {:6.3}  [{low:.3}, {high:.3}]", measure.name, measure.value),
            None => aar_lab::say!("{:76} {:6.3}", measure.name, measure.value),
        }
    }
    aar_lab::say!("");
    for finding in &report.findings {
        let severity = if finding.severity == Severity::Refused { "REFUSED" } else { "warning" };
        aar_lab::say!("{severity} {} in {}\n  {}\n  → {}", finding.rule, finding.place, finding.what, finding.remedy);
    }
    if report.findings.is_empty() {
        aar_lab::say!("nothing found");
    }
}
