//! Write a minted world as a testbed's folder.

use crate::baselines::SEEDS;
use crate::draw::{Sample, share};
use crate::error::WorldError;
use crate::mint::Minted;
use crate::secret::Secret;
use aar_domain::ids::ItemId;
use aar_domain::item::{Distribution, SoftLabel};
use aar_domain::rung::Split;
use aar_domain::testbed::{Baseline, Origin, SplitRecord, TESTBED_FORMAT, TestbedRecord};
use aar_grader::truth::{self, TruthRow};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Write `minted` to `out`, which must not exist: into a folder beside it first, which is then renamed, so that nothing half written
/// is left. `secret` is the mint's; `truth_public` marks a demonstration.
pub fn seal(
    minted: &Minted,
    secret: &Secret,
    name: &str,
    truth_public: bool,
    out: &Path,
) -> Result<TestbedRecord, WorldError> {
    if out.exists() {
        return Err(WorldError::Exists(out.to_owned()));
    }
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(WorldError::file("create", parent))?;
    let temporary =
        tempfile::Builder::new().prefix(".mint-").tempdir_in(parent).map_err(WorldError::file("write into", parent))?;
    let record = record(minted, secret, name, truth_public);
    write(minted, secret, &record, temporary.path())?;
    fs::rename(temporary.keep(), out).map_err(WorldError::file("rename to", out))?;
    Ok(record)
}

fn record(minted: &Minted, secret: &Secret, name: &str, truth_public: bool) -> TestbedRecord {
    let splits = [(Split::Feedback, &minted.tests.feedback), (Split::Selection, &minted.tests.selection)];
    let splits = splits.into_iter().enumerate().map(|(at, (split, sample))| {
        let inside = sample.rows.iter().filter(|row| row.distribution == Distribution::In).count();
        let record = SplitRecord {
            items: sample.items.len(),
            clusters: sample.items.len(),
            in_distribution: Some(inside),
            weak: baseline(minted.baselines.weak.iter().map(|run| share(&run[at]))),
            ceiling: baseline(minted.baselines.ceiling.iter().map(|run| share(&run[at]))),
        };
        (split, record)
    });
    TestbedRecord {
        format: TESTBED_FORMAT,
        name: name.into(),
        subject: minted.subject.name().into(),
        origin: Origin::Minted {
            generator: minted.subject.generator(),
            commitment: secret.commitment(),
            mechanism: minted.draw.world.mechanism().describe(minted.draw.world.cue()),
            attempts: minted.attempts.len() as u32,
            models: minted.subject.pair.map(|pair| pair.to_string()),
        },
        truth_public,
        pool_rows: minted.draw.pool.items.len(),
        splits: splits.collect(),
        checks: minted.checks.clone(),
    }
}

/// Mean and standard error over the frozen seeds.
pub(crate) fn baseline(values: impl Iterator<Item = f64>) -> Baseline {
    let values: Vec<f64> = values.collect();
    let n = values.len().max(2) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Baseline { mean, se: (variance / n).sqrt(), seeds: values.len() }
}

fn write(minted: &Minted, secret: &Secret, record: &TestbedRecord, dir: &Path) -> Result<(), WorldError> {
    let draw = &minted.draw;
    for folder in ["public/student", "hidden/weak", "hidden/inputs"] {
        fs::create_dir_all(dir.join(folder)).map_err(WorldError::file("create", dir.join(folder)))?;
    }
    // The temporary folder is private; what is renamed must be readable like any other.
    set_mode(dir, 0o755)?;
    json(&dir.join("testbed.json"), record)?;
    json(&dir.join("public/problem.json"), &draw.problem)?;
    lines(&dir.join("public/pool.jsonl"), draw.pool.items.iter())?;
    let ids: Vec<ItemId> = draw.pool.items.iter().map(|item| item.id().clone()).collect();
    for (seed, soft) in minted.baselines.soft.iter().enumerate() {
        let name = if seed == SEEDS { "public/weak.jsonl".into() } else { format!("hidden/weak/{seed:02}.jsonl") };
        lines(&dir.join(name), ids.iter().zip(soft).map(|(id, &p)| SoftLabel { id: id.clone(), p }))?;
    }
    draw.student.model().save(&dir.join("public/student"))?;
    draw.tokenizer.save(&dir.join("public/student"))?;
    let splits = [(Split::Feedback, &minted.tests.feedback), (Split::Selection, &minted.tests.selection)];
    let (mut truth, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for (at, (split, sample)) in splits.into_iter().enumerate() {
        lines(&dir.join(format!("hidden/inputs/{}.jsonl", split.name())), sample.items.iter())?;
        truth.insert(split, truth_rows(sample));
        frozen.insert(split, minted.baselines.frozen(at));
    }
    truth::write(dir, &truth, &frozen)?;
    truth::write_pool(dir, &truth_rows(&draw.pool))?;
    json(&dir.join("hidden/secret.json"), &serde_json::json!({"secret": secret.reveal()}))?;
    lines(&dir.join("hidden/attempts.jsonl"), minted.attempts.iter())?;
    set_mode(&dir.join("hidden"), 0o700)
}

pub(crate) fn truth_rows(sample: &Sample) -> Vec<TruthRow> {
    let row = |row: &crate::subject::LabelledItem| TruthRow {
        id: row.item.id().0.clone(),
        label: row.positive,
        // A minted world is a fixed population and its items are drawn independently: each is a cluster of its own.
        cluster: row.item.id().0.clone(),
        distribution: Some(row.distribution),
    };
    sample.rows.iter().map(row).collect()
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), WorldError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(WorldError::file("set the mode of", path))
}

pub(crate) fn json(path: &Path, value: &impl Serialize) -> Result<(), WorldError> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    fs::write(path, text).map_err(WorldError::file("write", path))
}

pub(crate) fn lines<T: Serialize>(path: &Path, rows: impl Iterator<Item = T>) -> Result<(), WorldError> {
    let text: String = rows.map(|row| serde_json::to_string(&row).unwrap_or_default() + "\n").collect();
    fs::write(path, text).map_err(WorldError::file("write", path))
}
