//! Import real data: the reference's three-file JSONL, with a frozen encoder as the student.
//!
//! `rows` (read and refuse) → `split` (whole clusters) → `teacher` (a bag of words, 16 seeds) and ceilings (16 seeds of the student's
//! head on the truth) → admission by the gap's lower bound → the testbed's folder, written beside `out` and renamed.

use crate::baselines::{SEEDS, recipe};
use crate::seal::{baseline, json, lines, set_mode};
use aar_domain::ids::ItemId;
use aar_domain::item::{Item, SoftLabel};
use aar_domain::problem::{Architecture, Problem, Prompt, Task, Training};
use aar_domain::rung::Split;
use aar_domain::stats::{Bootstrap, Outcomes, Panel};
use aar_domain::testbed::{Check, Origin, SplitRecord, TESTBED_FORMAT, TestbedRecord};
use aar_grader::truth::{self, FrozenRuns, TruthRow, bits};
use aar_methods::pool::{Pool, sigmoid};
use aar_methods::student::encoder::EncoderStudent;
use aar_methods::{Student, train};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rows::{Labelled, Sets};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub mod error;
pub(crate) mod rows;
mod split;
pub(crate) mod teacher;

pub use error::ImportError;

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportSettings {
    /// Folder with train_label.jsonl, train_unlabel.jsonl and test.jsonl.
    pub data: PathBuf,
    /// Folder with the encoder: config.json, model.safetensors, tokenizer.json.
    pub model: PathBuf,
    /// Name of the testbed.
    pub name: String,
    /// `chat`, `math` or `code`.
    pub subject: String,
    /// Seed of splits, ids and draws.
    pub seed: u64,
    /// Threads of the engine.
    pub threads: usize,
}

/// What an import has to say while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportEvent {
    /// The files were read: labelled, pool and test rows.
    Read(usize, usize, usize),
    /// Items of all sets that have been embedded, of how many.
    Embedded(usize, usize),
    /// Frozen runs that are done, of how many.
    Baselines(usize, usize),
    /// Weak and ceiling accuracy on the selection split, and the gap's lower bound.
    Gap(f64, f64, f64),
}

/// The gap's lower 95 % bound must reach this.
pub const LEAST_GAP: f64 = 0.10;
/// Items embedded at a time.
const CHUNK: usize = 200;

/// Import `settings.data` as a testbed at `out`, which must not exist.
pub fn import(
    settings: &ImportSettings,
    out: &Path,
    listen: &mut dyn FnMut(ImportEvent),
) -> Result<TestbedRecord, ImportError> {
    if out.exists() {
        return Err(ImportError::Exists(out.to_owned()));
    }
    let mut sets = rows::read(&settings.data)?;
    listen(ImportEvent::Read(sets.labelled.len(), sets.pool.len(), sets.test.len()));
    let digest = sets.digest.clone();
    anonymise(&mut sets, settings.seed);
    let (feedback, selection) = split::by_cluster(sets.test.clone(), settings.seed);
    let problem = problem(&sets);
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(ImportError::file("create", parent))?;
    let temporary = tempfile::Builder::new()
        .prefix(".import-")
        .tempdir_in(parent)
        .map_err(ImportError::file("write into", parent))?;
    let dir = temporary.path();
    for folder in ["public", "hidden/weak", "hidden/inputs"] {
        fs::create_dir_all(dir.join(folder)).map_err(ImportError::file("create", dir.join(folder)))?;
    }
    copy_model(&settings.model, &dir.join("public/student"))?;
    let parts: [(&str, &[Labelled]); 3] =
        [("public/pool", &sets.pool), ("hidden/inputs/feedback", &feedback), ("hidden/inputs/selection", &selection)];
    let student = embed(settings, &problem, dir, &parts, listen)?;
    let bench = frozen(settings, &sets, &[&feedback, &selection], &student, listen)?;
    let (record, low) = record(settings, digest, &sets, [&feedback, &selection], &bench);
    let split = &record.splits[&Split::Selection];
    listen(ImportEvent::Gap(split.weak.mean, split.ceiling.mean, low));
    if low < LEAST_GAP {
        return Err(ImportError::GapTooSmall { weak: split.weak.mean, ceiling: split.ceiling.mean, low });
    }
    write(dir, &record, &problem, &parts, &bench)?;
    fs::rename(temporary.keep(), out).map_err(ImportError::file("rename to", out))?;
    Ok(record)
}

/// New ids and a new order, so that neither says anything.
fn anonymise(sets: &mut Sets, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for rows in [&mut sets.labelled, &mut sets.pool, &mut sets.test] {
        rows.shuffle(&mut rng);
        for row in rows.iter_mut() {
            let id: ItemId = format!("{:016x}", rand::RngCore::next_u64(&mut rng)).as_str().into();
            match &mut row.item {
                Item::Preference { id: old, .. } | Item::Binary { id: old, .. } => *old = id,
            }
        }
    }
}

fn problem(sets: &Sets) -> Problem {
    let prompt = |row: &Labelled| match &row.item {
        Item::Preference { prompt, .. } => Some(prompt.clone()),
        Item::Binary { .. } => None,
    };
    let first = prompt(&sets.pool[0]);
    // An instruction that all items share says nothing of any of them.
    let shared = sets.labelled.iter().chain(&sets.pool).chain(&sets.test).all(|row| prompt(row) == first);
    let (title, task, body, labels) = match (&first, shared) {
        (Some(prompt), true) => (prompt.as_str(), Task::Preference, "A: {first}\nB: {second}", ["A", "B"]),
        (Some(_), false) => {
            ("Which of two replies is better?", Task::Preference, "{prompt}\nA: {first}\nB: {second}", ["A", "B"])
        }
        (None, _) => ("Is this answer right?", Task::Binary, "{question}\n{choice}", ["True", "False"]),
    };
    Problem {
        title: title.into(),
        task,
        prompt: Prompt { body: body.into(), suffix: "Label:".into(), labels: labels.map(str::to_owned) },
        zero_shot: vec![],
        max_tokens: 256,
        student: Architecture::Encoder,
        training: Training { learning_rate: 1e-3, batch: 32, epochs: 1.0, weight_decay: 1e-3, layers: vec![2, 4, 6] },
        reasoning: None,
    }
}

fn copy_model(from: &Path, to: &Path) -> Result<(), ImportError> {
    fs::create_dir_all(to).map_err(ImportError::file("create", to))?;
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        let source = from.join(name);
        if !source.is_file() {
            return Err(ImportError::Model { path: source });
        }
        fs::copy(&source, to.join(name)).map_err(ImportError::file("copy", source))?;
    }
    Ok(())
}

/// Embed all items once, in chunks, and keep the features beside the items.
fn embed(
    settings: &ImportSettings,
    problem: &Problem,
    dir: &Path,
    parts: &[(&str, &[Labelled])],
    listen: &mut dyn FnMut(ImportEvent),
) -> Result<EncoderStudent, ImportError> {
    let folder = dir.join("public/student");
    let mut student = EncoderStudent::open(problem, &folder, &[], settings.threads)?;
    let total = parts.iter().map(|(_, rows)| rows.len()).sum();
    let mut done = 0;
    for (name, rows) in parts {
        let items: Vec<Item> = rows.iter().map(|row| row.item.clone()).collect();
        for chunk in items.chunks(CHUNK) {
            student.remember(chunk)?;
            done += chunk.len();
            listen(ImportEvent::Embedded(done, total));
        }
        student.write_cache(&items, &dir.join(format!("{name}.features.safetensors")))?;
    }
    Ok(student)
}

/// The frozen runs.
struct Bench {
    /// Soft labels on the pool, the bench teacher's last: `[17][pool]`.
    soft: Vec<Vec<f32>>,
    /// Correctness `[splits][16][items]`.
    weak: [Vec<Vec<bool>>; 2],
    ceiling: [Vec<Vec<bool>>; 2],
}

fn frozen(
    settings: &ImportSettings,
    sets: &Sets,
    tests: &[&[Labelled]; 2],
    student: &EncoderStudent,
    listen: &mut dyn FnMut(ImportEvent),
) -> Result<Bench, ImportError> {
    let mut bench = Bench { soft: vec![], weak: Default::default(), ceiling: Default::default() };
    let total = 2 * SEEDS + 1;
    for seed in 0..=SEEDS {
        let teacher = teacher::train(&sets.labelled, settings.seed, seed as u64);
        bench.soft.push(teacher.margins(&sets.pool).into_iter().map(sigmoid).collect());
        for (out, rows) in bench.weak.iter_mut().zip(tests).filter(|_| seed < SEEDS) {
            out.push(rows::correct(&teacher.margins(rows), rows));
        }
        listen(ImportEvent::Baselines(seed + 1, total));
    }
    let plain = recipe("plain").map_err(|error| ImportError::Recipe(error.to_string()))?;
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed ^ 0x5eed);
    for seed in 0..SEEDS {
        // A head on frozen features has one optimum; what varies between seeds is which nine tenths of the truth it sees.
        let mut order: Vec<usize> = (0..sets.pool.len()).collect();
        order.shuffle(&mut rng);
        order.truncate(sets.pool.len() * 9 / 10);
        let items = order.iter().map(|&i| sets.pool[i].item.clone()).collect();
        let labels = order.iter().map(|&i| f32::from(u8::from(sets.pool[i].positive))).collect();
        let trained = train::train(&plain, &Pool::new(items, labels), student as &dyn Student, seed as u64)?;
        for (out, rows) in bench.ceiling.iter_mut().zip(tests) {
            let items: Vec<Item> = rows.iter().map(|row| row.item.clone()).collect();
            out.push(rows::correct(&trained.margins(student, &items)?, rows));
        }
        listen(ImportEvent::Baselines(SEEDS + 2 + seed, total));
    }
    Ok(bench)
}

fn record(
    settings: &ImportSettings,
    digest: String,
    sets: &Sets,
    tests: [&[Labelled]; 2],
    bench: &Bench,
) -> (TestbedRecord, f64) {
    let mut splits = BTreeMap::new();
    let mut low = f64::INFINITY;
    for (at, (split, rows)) in Split::ALL.into_iter().zip(tests).enumerate() {
        let panel = Panel::new(rows.iter().map(|row| row.cluster.as_str()), None);
        let mean = |row: &Vec<bool>| row.iter().filter(|&&right| right).count() as f64 / row.len().max(1) as f64;
        splits.insert(
            split,
            SplitRecord {
                items: rows.len(),
                clusters: panel.clusters,
                in_distribution: None,
                weak: baseline(bench.weak[at].iter().map(mean)),
                ceiling: baseline(bench.ceiling[at].iter().map(mean)),
            },
        );
        if split == Split::Selection {
            let bootstrap = Bootstrap::new(&panel, 2000, settings.seed);
            let replicate = |runs: &[Vec<bool>], base: u64| {
                bootstrap
                    .accuracy(&Outcomes { seeds: (base..base + runs.len() as u64).collect(), correct: runs.to_vec() })
            };
            let (weak, ceiling) = (replicate(&bench.weak[at], 1000), replicate(&bench.ceiling[at], 2000));
            let mut gaps: Vec<f64> = ceiling.draws.iter().zip(&weak.draws).map(|(c, w)| c - w).collect();
            gaps.sort_by(f64::total_cmp);
            low = gaps[gaps.len() / 40];
        }
    }
    let note = format!(
        "weak teacher: bag of words, {} rows; student: frozen encoder, layers 2, 4, 6, L2 1e-3; test split by cluster, one third feedback",
        sets.labelled.len()
    );
    let gap =
        Check { name: "gap, lower 95 % bound".into(), value: low, bounds: (Some(LEAST_GAP), None), report_only: false };
    let record = TestbedRecord {
        format: TESTBED_FORMAT,
        name: settings.name.clone(),
        subject: settings.subject.clone(),
        origin: Origin::Imported { digest, note },
        truth_public: false,
        pool_rows: sets.pool.len(),
        splits,
        checks: vec![gap],
    };
    (record, low)
}

fn write(
    dir: &Path,
    record: &TestbedRecord,
    problem: &Problem,
    parts: &[(&str, &[Labelled])],
    bench: &Bench,
) -> Result<(), ImportError> {
    set_mode(dir, 0o755)?;
    json(&dir.join("testbed.json"), record)?;
    json(&dir.join("public/problem.json"), problem)?;
    for (name, rows) in parts {
        lines(&dir.join(format!("{name}.jsonl")), rows.iter().map(|row| &row.item))?;
    }
    let pool = parts[0].1;
    for (seed, soft) in bench.soft.iter().enumerate() {
        let name = if seed == SEEDS { "public/weak.jsonl".into() } else { format!("hidden/weak/{seed:02}.jsonl") };
        lines(&dir.join(name), pool.iter().zip(soft).map(|(row, &p)| SoftLabel { id: row.item.id().clone(), p }))?;
    }
    let (mut truth, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for (at, split) in Split::ALL.into_iter().enumerate() {
        truth.insert(split, parts[at + 1].1.iter().map(truth_row).collect());
        let runs = |runs: &[Vec<bool>]| runs.iter().map(|run| bits(run)).collect();
        frozen.insert(split, FrozenRuns { weak: runs(&bench.weak[at]), ceiling: runs(&bench.ceiling[at]) });
    }
    truth::write(dir, &truth, &frozen)?;
    truth::write_pool(dir, &pool.iter().map(truth_row).collect::<Vec<_>>())?;
    set_mode(&dir.join("hidden"), 0o700)?;
    Ok(())
}

fn truth_row(row: &Labelled) -> TruthRow {
    TruthRow {
        id: row.item.id().0.clone(),
        label: row.positive,
        // Clusters are named by a hash: their names are questions.
        cluster: hex::encode(&Sha256::digest(&row.cluster)[..8]),
        distribution: None,
    }
}
