//! The engine and PyTorch in turns on the same shapes.
//!
//! Each side is a program that prints one JSON object per line, one per shape and task, and may
//! print anything else beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::figures::Spread;
use super::{Options, start};

const ENGINE: &[&str] = &["--package", "aar-lm", "--example", "bench_engine"];
const PYTORCH: &str = "crates/lm/bench/pytorch.py";

/// What one side measured in one round.
#[derive(Debug, Clone, Deserialize)]
struct Measured {
    shape: String,
    task: String,
    tokens_per_s: f64,
    /// Floating-point operations of the measured work, as that side counts them.
    operations: Option<f64>,
    /// Share of this machine's measured GEMM peak.
    peak_share: Option<f64>,
}

/// One shape and task over all rounds.
#[derive(Debug, Serialize)]
pub struct Row {
    shape: String,
    task: String,
    engine_tokens_per_s: Spread,
    engine_operations: Option<f64>,
    engine_peak_share: Option<Spread>,
    pytorch_tokens_per_s: Option<Spread>,
    pytorch_operations: Option<f64>,
    /// Engine over PyTorch, formed within a round.
    ratio: Option<Spread>,
}

/// Measures all rounds; the sides change places who goes first.
pub fn measure(root: &Path, options: &Options) -> Result<Vec<Row>, String> {
    let engine = start::built(root, ENGINE)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        let pytorch = |theirs: &mut Vec<_>| -> Result<(), String> {
            if options.pytorch {
                theirs.push(one_side(Command::new(&options.python).arg(root.join(PYTORCH)))?);
            }
            Ok(())
        };
        if round % 2 == 1 {
            pytorch(&mut theirs)?;
        }
        ours.push(one_side(&mut Command::new(&engine))?);
        if round % 2 == 0 {
            pytorch(&mut theirs)?;
        }
    }
    rows(&ours, &theirs)
}

fn one_side(command: &mut Command) -> Result<Vec<Measured>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    // One thread on both sides, whatever library does the arithmetic.
    let single = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"].map(|k| (k, "1"));
    let output = command.envs(single).stderr(Stdio::inherit()).output();
    let output = output.map_err(|e| format!("cannot run {name}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{name} ended with {}", output.status));
    }
    let measured = parse(&String::from_utf8_lossy(&output.stdout));
    if measured.is_empty() { Err(format!("{name} printed no measurement")) } else { Ok(measured) }
}

fn parse(text: &str) -> Vec<Measured> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn rows(ours: &[Vec<Measured>], theirs: &[Vec<Measured>]) -> Result<Vec<Row>, String> {
    let key = |m: &Measured| (m.shape.clone(), m.task.clone());
    let by_key = |rounds: &[Vec<Measured>]| -> Vec<BTreeMap<_, _>> {
        rounds.iter().map(|round| round.iter().map(|m| (key(m), m.clone())).collect()).collect()
    };
    let (ours, theirs) = (by_key(ours), by_key(theirs));
    let mut rows = Vec::new();
    for key in ours.first().into_iter().flat_map(|round| round.keys()) {
        let speed = |rounds: &[BTreeMap<_, Measured>]| -> Vec<f64> {
            rounds.iter().filter_map(|round| round.get(key)).map(|m| m.tokens_per_s).collect()
        };
        let (a, b) = (speed(&ours), speed(&theirs));
        if !theirs.is_empty() && a.len() != b.len() {
            return Err(format!("shape {}, {}: measured on one side only", key.0, key.1));
        }
        let first = |rounds: &[BTreeMap<_, Measured>]| rounds.first()?.get(key)?.operations;
        let shares = ours.iter().filter_map(|round| round.get(key)?.peak_share).collect();
        rows.push(Row {
            shape: key.0.clone(),
            task: key.1.clone(),
            ratio: Spread::of(a.iter().zip(&b).map(|(a, b)| a / b).collect()),
            engine_tokens_per_s: Spread::of(a).ok_or("no measurement")?,
            engine_operations: first(&ours),
            engine_peak_share: Spread::of(shares),
            pytorch_tokens_per_s: Spread::of(b),
            pytorch_operations: first(&theirs),
        });
    }
    Ok(rows)
}

/// For the terminal: medians, and the least and most ratio of a round.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("shape  task         engine t/s  of peak    Gop   pytorch t/s    Gop   ratio  [least, most]\n");
    let giga = |n: Option<f64>| n.map_or("–".to_owned(), |n| format!("{:.1}", n / 1e9));
    for row in rows {
        let peak = row.engine_peak_share.map_or("–".to_owned(), |s| format!("{:.0} %", s.median * 100.0));
        let theirs = row.pytorch_tokens_per_s.map_or("–".to_owned(), |s| format!("{:.0}", s.median));
        let ratio = row.ratio.map_or("–".to_owned(), |s| format!("{:.2}  [{:.2}, {:.2}]", s.median, s.least, s.most));
        text += &format!(
            "{:<6} {:<10} {:>12.0} {peak:>8} {:>6} {theirs:>13} {:>6}   {ratio}\n",
            row.shape,
            row.task,
            row.engine_tokens_per_s.median,
            giga(row.engine_operations),
            giga(row.pytorch_operations),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(train: f64, infer: f64) -> Vec<Measured> {
        parse(&format!(
            "peak 80 GFLOP/s\n{{\"shape\":\"A\",\"task\":\"train\",\"tokens_per_s\":{train}}}\n\
             {{\"shape\":\"A\",\"task\":\"infer\",\"tokens_per_s\":{infer},\"operations\":2e9}}\n"
        ))
    }

    #[test]
    fn ratios_are_formed_within_a_round() {
        // The machine is twice as fast in the second round: the ratio does not move.
        let rows = rows(&[round(130.0, 10.0), round(260.0, 20.0)], &[round(100.0, 8.0), round(200.0, 16.0)]);
        let rows = rows.unwrap();
        let train = rows.iter().find(|row| row.task == "train").unwrap();
        assert_eq!(train.ratio, Some(Spread { median: 1.3, least: 1.3, most: 1.3 }));
        assert_eq!(train.engine_tokens_per_s.median, 195.0);
        assert!(table(&rows).contains("1.25  [1.25, 1.25]"), "{}", table(&rows));
    }

    #[test]
    fn one_side_alone_has_no_ratio_and_half_a_comparison_is_refused() {
        assert_eq!(rows(&[round(1.0, 1.0)], &[]).unwrap()[0].ratio, None);
        let half = round(1.0, 1.0)[..1].to_vec();
        assert!(rows(&[round(1.0, 1.0)], &[half]).is_err());
    }
}
