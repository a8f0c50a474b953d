//! Read a testbed's directory, and find where it breaks its own contract (ARCHITECTURE.md, "A testbed directory").

use super::material::{Columns, Material, Role, Row, Set, item, objects};
use super::{LintError, Notes, Severity};
use aar_domain::item::{Distribution, Item};
use aar_domain::rung::Split;
use aar_domain::testbed::{Origin, TestbedRecord};
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Read it.
pub fn read(dir: &Path, notes: &mut Notes) -> Result<Material, LintError> {
    let path = dir.join("testbed.json");
    let text = std::fs::read(&path).map_err(LintError::file(&path))?;
    let record: TestbedRecord = serde_json::from_slice(&text)
        .map_err(|error| LintError::Content { path: path.clone(), detail: error.to_string() })?;
    let soft = soft_labels(&dir.join("public/weak.jsonl"))?;
    let pool = public_rows(dir, "public/pool.jsonl", notes)?;
    let said: Vec<Option<f64>> = pool.iter().map(|(item, _)| soft.get(item.id().0.as_str()).copied()).collect();
    teachers(dir, &pool, &said, notes)?;
    let rows = pool.into_iter().zip(&said).map(|((item, columns), p)| {
        let cluster = item.id().0.clone();
        row(item, columns, p.map(|p| p > 0.5), cluster)
    });
    let mut sets = vec![Set { name: "public/pool.jsonl".into(), role: Role::Pool, rows: rows.collect() }];
    if record.pool_rows != sets[0].rows.len() {
        let what = format!("testbed.json says {} pool rows, the file has {}", record.pool_rows, sets[0].rows.len());
        contract(notes, "public/pool.jsonl", what);
    }
    let frozen = truth::read_baselines(dir)?;
    for split in Split::ALL {
        sets.push(test(dir, split, frozen.get(&split), notes)?);
    }
    let minted = matches!(record.origin, Origin::Minted { .. });
    Ok(Material { sets, frozen: Some(frozen), minted })
}

fn contract(notes: &mut Notes, place: &str, what: impl Into<String>) {
    notes.find("contract", Severity::Refused, place, what, "make the testbed again with `aar mint` or `aar import`");
}

fn row(item: Item, columns: Columns, label: Option<bool>, cluster: String) -> Row {
    Row { item, label, cluster, answer: None, columns, private: Columns::new() }
}

/// Items as researchers and students see them: a column more is a leak by its presence.
fn public_rows(dir: &Path, name: &str, notes: &mut Notes) -> Result<Vec<(Item, Columns)>, LintError> {
    let path = dir.join(name);
    let mut rows = Vec::new();
    let mut more: BTreeMap<String, usize> = BTreeMap::new();
    for (line, mut object) in objects(&path)? {
        let item = item(&path, line, &mut object)?;
        object.keys().for_each(|key| *more.entry(key.clone()).or_default() += 1);
        rows.push((item, object));
    }
    for (column, count) in more {
        notes.find(
            "column",
            Severity::Refused,
            name,
            format!("{count} rows have a column {column:?} that is no part of the item"),
            format!("take {column:?} out: what a researcher or a student reads holds the id and the item's texts only"),
        );
    }
    Ok(rows)
}

fn soft_labels(path: &Path) -> Result<HashMap<String, f64>, LintError> {
    let read = |(line, object): (usize, Columns)| {
        let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
        let p = object.get("p").and_then(Value::as_f64).filter(|p| (0.0..=1.0).contains(p));
        id.zip(p).ok_or_else(|| LintError::Row {
            path: path.to_owned(),
            line,
            detail: "a soft label is {\"id\",\"p\"} with p in [0, 1]".into(),
        })
    };
    objects(path)?.into_iter().map(read).collect()
}

/// Every pool row has a soft label, and the bench's teacher is none of those that evaluations use.
fn teachers(dir: &Path, pool: &[(Item, Columns)], said: &[Option<f64>], notes: &mut Notes) -> Result<(), LintError> {
    let missing = said.iter().filter(|p| p.is_none()).count();
    if missing > 0 {
        contract(notes, "public/weak.jsonl", format!("{missing} pool rows have no soft label"));
    }
    for seed in 0..16 {
        let name = format!("hidden/weak/{seed:02}.jsonl");
        let hidden = soft_labels(&dir.join(&name))?;
        let same = pool.iter().zip(said).filter(|((item, _), p)| hidden.get(item.id().0.as_str()).copied() == **p);
        if same.count() == pool.len() {
            notes.find(
                "teacher",
                Severity::Refused,
                format!("public/weak.jsonl, {name}"),
                "the bench's soft labels are those of a teacher that evaluations use",
                "give the bench a teacher of its own draw: what is tuned on the bench would be tuned on the evaluation",
            );
        }
    }
    Ok(())
}

/// Inputs with their truth beside them.
fn test(dir: &Path, split: Split, frozen: Option<&FrozenRuns>, notes: &mut Notes) -> Result<Set, LintError> {
    let name = format!("hidden/inputs/{}.jsonl", split.name());
    let inputs = public_rows(dir, &name, notes)?;
    let labels = truth::read_rows(dir, split)?;
    let same = inputs.len() == labels.len() && inputs.iter().zip(&labels).all(|((item, _), row)| item.id().0 == row.id);
    if !same {
        contract(notes, &name, "inputs and truth are not the same items in the same order");
    }
    let runs = frozen.iter().flat_map(|runs| runs.weak.iter().chain(&runs.ceiling));
    let broken = runs.filter(|run| run.len() != labels.len() || !run.bytes().all(|bit| matches!(bit, b'0' | b'1')));
    if frozen.is_none() || broken.count() > 0 {
        contract(notes, "hidden/truth/baselines.json", format!("does not hold one bit per item of {}", split.name()));
    }
    let by_id: HashMap<&str, &TruthRow> = labels.iter().map(|row| (row.id.as_str(), row)).collect();
    let rows = inputs.into_iter().map(|(item, columns)| {
        let known = by_id.get(item.id().0.as_str());
        let label = known.map(|row| row.label);
        let cluster = known.map_or_else(|| item.id().0.clone(), |row| row.cluster.clone());
        let mut row = row(item, columns, label, cluster);
        // The distribution is hidden, so it may say nothing only of the label; it is looked at as `meta.jsonl` is.
        if let Some(part) = known.and_then(|row| row.distribution) {
            let part = if part == Distribution::In { "in" } else { "out" };
            row.private.insert("distribution".into(), part.into());
        }
        row
    });
    Ok(Set { name, role: Role::Test, rows: rows.collect() })
}
