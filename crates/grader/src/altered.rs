//! Testbeds altered on purpose, to see what a method rests on. Each function rewrites a *copy* of a testbed's folder; files are replaced,
//! never written into, because a copy may share them with the original by hard links.

use crate::truth::{self, Baselines, FrozenRuns, TruthRow, VaultError, bits};
use aar_domain::item::SoftLabel;
use aar_domain::rung::Split;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Shuffle the truth of the selection split among its items: what is right about it now, nobody could know. Teachers' labels stay
/// as they are, so an honest method has nothing to gain here.
pub fn shuffle_truth(copy: &Path, seed: u64) -> Result<(), VaultError> {
    let mut rows = read_all(copy)?;
    if let Some(rows) = rows.get_mut(&Split::Selection) {
        let mut labels: Vec<bool> = rows.iter().map(|row| row.label).collect();
        labels.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        rows.iter_mut().zip(labels).for_each(|(row, label)| row.label = label);
    }
    replace(copy, &rows, &truth::read_baselines(copy)?)
}

/// Make the pool the selection split, with this truth: what is answered there are the items that were trained on. The frozen weak runs
/// become the teachers' own labels, the frozen ceilings are right everywhere.
pub fn examine_pool(copy: &Path, pool: &[TruthRow]) -> Result<(), VaultError> {
    let mut rows = read_all(copy)?;
    let mut baselines = truth::read_baselines(copy)?;
    let frozen = baselines.entry(Split::Selection).or_default();
    *frozen = FrozenRuns { weak: teachers(copy, pool)?, ceiling: vec![bits(&vec![true; pool.len()]); 2] };
    rows.insert(Split::Selection, pool.to_vec());
    for suffix in ["jsonl", "features.safetensors"] {
        let (from, to) =
            (copy.join(format!("public/pool.{suffix}")), copy.join(format!("hidden/inputs/selection.{suffix}")));
        truth::remove(&to)?;
        if from.exists() {
            std::fs::copy(&from, &to).map_err(truth::file("copy", &from))?;
        }
    }
    replace(copy, &rows, &baselines)
}

/// Which of the teachers' labels are right on the pool, a string per teacher.
fn teachers(copy: &Path, pool: &[TruthRow]) -> Result<Vec<String>, VaultError> {
    let mut runs = Vec::new();
    for teacher in 0.. {
        let path = copy.join(format!("hidden/weak/{teacher:02}.jsonl"));
        if !path.exists() {
            break;
        }
        let labels: Vec<SoftLabel> = truth::read_lines(&path)?;
        let said: HashMap<&str, f32> = labels.iter().map(|label| (label.id.0.as_str(), label.p)).collect();
        let right = |row: &TruthRow| said.get(row.id.as_str()).is_some_and(|&p| (p > 0.5) == row.label);
        runs.push(bits(&pool.iter().map(right).collect::<Vec<_>>()));
    }
    Ok(runs)
}

fn read_all(copy: &Path) -> Result<BTreeMap<Split, Vec<TruthRow>>, VaultError> {
    Split::ALL.into_iter().map(|split| Ok((split, truth::read_rows(copy, split)?))).collect()
}

fn replace(copy: &Path, rows: &BTreeMap<Split, Vec<TruthRow>>, baselines: &Baselines) -> Result<(), VaultError> {
    truth::forget(copy)?;
    truth::write(copy, rows, baselines)
}
