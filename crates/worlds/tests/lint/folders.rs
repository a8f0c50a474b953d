//! Three-file folders in which words say nothing: whatever gets beyond chance was planted.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::Path;

/// Rows per file.
const ROWS: [usize; 3] = [300, 300, 600];

/// The rows of the three files.
pub struct Folder {
    pub sets: Vec<Vec<Value>>,
}

/// `count` words that nobody else says.
pub fn noise(seed: u64, count: usize) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    (0..count).map(|_| format!("w{}", rng.random_range(0..400))).collect::<Vec<_>>().join(" ")
}

fn folder(row: impl Fn(&mut ChaCha8Rng, usize) -> Value) -> Folder {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let sets = ROWS.iter().map(|&rows| (0..rows).map(|at| row(&mut rng, at)).collect()).collect();
    Folder { sets }
}

fn text(rng: &mut ChaCha8Rng) -> String {
    noise(rng.random(), 6)
}

fn id(rng: &mut ChaCha8Rng) -> String {
    format!("{:016x}", rng.random::<u64>())
}

/// Pairs.
pub fn pairs() -> Folder {
    folder(|rng, _| {
        let label = if rng.random() { "A" } else { "B" };
        json!({"id": id(rng), "prompt": text(rng), "first": text(rng), "second": text(rng), "label": label})
    })
}

/// Answers that are right or wrong.
pub fn answers() -> Folder {
    folder(|rng, _| json!({"id": id(rng), "question": text(rng), "choice": text(rng), "label": rng.random::<bool>()}))
}

impl Folder {
    /// A field as text.
    pub fn text(&self, set: usize, row: usize, name: &str) -> String {
        self.sets[set][row][name].as_str().unwrap().to_owned()
    }

    /// Change every row of a set, knowing its place and whether it is positive.
    pub fn each(&mut self, set: usize, change: impl Fn(&mut Value, usize, bool)) {
        for (at, row) in self.sets[set].iter_mut().enumerate() {
            let positive = row["label"] == json!("A") || row["label"] == json!(true);
            change(row, at, positive);
        }
    }

    /// Write the files.
    pub fn write(&self, dir: &Path) {
        for (name, rows) in ["train_label.jsonl", "train_unlabel.jsonl", "test.jsonl"].iter().zip(&self.sets) {
            let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
            std::fs::write(dir.join(name), lines.join("\n")).unwrap();
        }
    }
}
