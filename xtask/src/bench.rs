//! `cargo xtask bench`: how fast it starts, and how fast the engine is beside PyTorch.
//!
//! A machine's speed drifts while one measures, so the two sides take turns, round by round, and a
//! ratio is formed within a round; what is shown is the median of the rounds with its extremes.

mod figures;
mod sides;
mod start;

use std::path::{Path, PathBuf};

use figures::Spread;

/// What to measure, and how often.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Measure PyTorch too, on the same shapes, in turns with the engine
    #[arg(long)]
    pytorch: bool,
    /// The Python that has torch
    #[arg(long, env = "AAR_PYTHON", default_value = "python3", value_name = "FILE")]
    python: PathBuf,
    /// How many rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only the start-up time
    #[arg(long, conflicts_with = "pytorch")]
    start: bool,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub fn run(root: &Path, options: &Options) -> Result<(), String> {
    let start = start::measure(root)?;
    let rows = if options.start { Vec::new() } else { sides::measure(root, options)? };
    if options.json {
        let value = serde_json::json!({ "version_ms": start, "engine": rows });
        println!("{value}");
        return Ok(());
    }
    if !rows.is_empty() {
        println!("{}", sides::table(&rows));
    }
    let Spread { median, least, most } = start;
    println!("aar --version: {median:.1} ms (median of 20; {least:.1} to {most:.1})");
    Ok(())
}
