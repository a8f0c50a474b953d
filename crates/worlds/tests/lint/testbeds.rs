//! A small testbed's directory, and ways of spoiling it.

use super::folders;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::Path;

/// Rows of the pool, of feedback and of selection.
const ROWS: [usize; 3] = [300, 300, 2000];

fn save(path: &Path, rows: &[Value]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).unwrap();
}

fn load(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A clean one.
pub fn write(dir: &Path) {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut items = |rows: usize| -> Vec<Value> {
        let text = |rng: &mut ChaCha8Rng| folders::noise(rng.random(), 6);
        let id = |rng: &mut ChaCha8Rng| format!("{:016x}", rng.random::<u64>());
        let rng = &mut rng;
        (0..rows)
            .map(|_| json!({"id": id(rng), "prompt": text(rng), "first": text(rng), "second": text(rng)}))
            .collect()
    };
    let [pool, feedback, selection] = ROWS.map(&mut items);
    save(&dir.join("public/pool.jsonl"), &pool);
    let mut said = |name: String| {
        let rows: Vec<Value> = pool.iter().map(|row| json!({"id": row["id"], "p": rng.random::<f32>()})).collect();
        save(&dir.join(name), &rows);
    };
    (0..16).for_each(|seed| said(format!("hidden/weak/{seed:02}.jsonl")));
    said("public/weak.jsonl".into());
    let mut baselines = json!({});
    for (name, items) in [("feedback", &feedback), ("selection", &selection)] {
        save(&dir.join(format!("hidden/inputs/{name}.jsonl")), items);
        let truth = |row: &Value| json!({"id": row["id"], "label": rng.random::<bool>(), "cluster": row["id"]});
        save(&dir.join(format!("hidden/truth/{name}.jsonl")), &items.iter().map(truth).collect::<Vec<_>>());
        let mut runs = |right: f64| -> Vec<String> {
            let run =
                |rng: &mut ChaCha8Rng| items.iter().map(|_| if rng.random_bool(right) { '1' } else { '0' }).collect();
            (0..16).map(|_| run(&mut rng)).collect()
        };
        baselines[name] = json!({"weak": runs(0.6), "ceiling": runs(0.85)});
    }
    std::fs::write(dir.join("hidden/truth/baselines.json"), baselines.to_string()).unwrap();
    let base = json!({"mean": 0.6, "se": 0.01, "seeds": 16});
    let split = |items: usize| json!({"items": items, "clusters": items, "in_distribution": null, "weak": base, "ceiling": base});
    let record = json!({
        "format": 1, "name": "small", "subject": "chat", "truth_public": false, "pool_rows": ROWS[0],
        "origin": {"kind": "imported", "digest": "00", "note": "planted"},
        "splits": {"feedback": split(ROWS[1]), "selection": split(ROWS[2])},
    });
    std::fs::write(dir.join("testbed.json"), record.to_string()).unwrap();
}

/// Change every row of a file.
pub fn lines(dir: &Path, name: &str, change: fn(&mut Value, usize)) {
    let mut rows = load(&dir.join(name));
    rows.iter_mut().enumerate().for_each(|(at, row)| change(row, at));
    save(&dir.join(name), &rows);
}

/// Turn a file's order round.
pub fn reverse(dir: &Path, name: &str) {
    let mut rows = load(&dir.join(name));
    rows.reverse();
    save(&dir.join(name), &rows);
}

/// Leave the last rows out.
pub fn cut(dir: &Path, name: &str, rows: usize) {
    let all = load(&dir.join(name));
    save(&dir.join(name), &all[..all.len() - rows]);
}

/// The pool in the order of the bench teacher's soft labels.
pub fn sort_pool_by_teacher(dir: &Path) {
    let soft = load(&dir.join("public/weak.jsonl"));
    let p = |row: &Value| soft.iter().find(|said| said["id"] == row["id"]).and_then(|said| said["p"].as_f64()).unwrap();
    let mut rows = load(&dir.join("public/pool.jsonl"));
    rows.sort_by(|a, b| p(a).total_cmp(&p(b)));
    save(&dir.join("public/pool.jsonl"), &rows);
}

/// The texts of the first row of one file into the first row of another.
pub fn copy_row(dir: &Path, from: &str, to: &str) {
    let source = load(&dir.join(from));
    let mut rows = load(&dir.join(to));
    for name in ["prompt", "first", "second"] {
        rows[0][name] = source[0][name].clone();
    }
    save(&dir.join(to), &rows);
}

/// A ceiling no better than the teacher.
pub fn level(dir: &Path) {
    let path = dir.join("hidden/truth/baselines.json");
    let mut all: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    all["selection"]["ceiling"] = all["selection"]["weak"].clone();
    std::fs::write(&path, all.to_string()).unwrap();
}
