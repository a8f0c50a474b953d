//! Altered testbeds: nobody gains on a shuffled truth but who reads it; the pool can be looked at like a test; the original stays as it was.

use aar_domain::rung::Split;
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use aar_grader::{Vault, altered};
use std::collections::BTreeMap;
use std::path::Path;

const ITEMS: usize = 1000;

fn rows(name: &str) -> Vec<TruthRow> {
    let row = |item: usize| TruthRow {
        id: format!("{name}{item}"),
        label: item.is_multiple_of(3),
        cluster: item.to_string(),
        distribution: None,
    };
    (0..ITEMS).map(row).collect()
}

fn lay_out(dir: &Path) {
    for folder in ["hidden/inputs", "hidden/weak", "public"] {
        std::fs::create_dir_all(dir.join(folder)).unwrap();
    }
    let items = |rows: &[TruthRow]| -> String {
        rows.iter().map(|row| format!("{{\"id\":\"{}\",\"question\":\"q\",\"choice\":\"c\"}}\n", row.id)).collect()
    };
    let (mut all, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for split in Split::ALL {
        let rows = rows(split.name());
        std::fs::write(dir.join(format!("hidden/inputs/{}.jsonl", split.name())), items(&rows)).unwrap();
        all.insert(split, rows);
        let runs = |tenths: usize| vec![(0..ITEMS).map(|i| if i % 10 < tenths { '1' } else { '0' }).collect(); 2];
        frozen.insert(split, FrozenRuns { weak: runs(6), ceiling: runs(9) });
    }
    truth::write(dir, &all, &frozen).unwrap();
    let pool = rows("pool");
    std::fs::write(dir.join("public/pool.jsonl"), items(&pool)).unwrap();
    // Two teachers that are right on seven of ten.
    for teacher in 0..2 {
        let label = |(at, row): (usize, &TruthRow)| {
            let p = if ((at + teacher) % 10 < 7) == row.label { 0.8 } else { 0.2 };
            format!("{{\"id\":\"{}\",\"p\":{p}}}\n", row.id)
        };
        let text: String = pool.iter().enumerate().map(label).collect();
        std::fs::write(dir.join(format!("hidden/weak/{teacher:02}.jsonl")), text).unwrap();
    }
}

fn margins(labels: impl Iterator<Item = bool>) -> Vec<f32> {
    labels.map(|label| if label { 1.0 } else { -1.0 }).collect()
}

#[test]
fn on_a_shuffled_truth_only_who_reads_it_is_right() {
    let (original, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lay_out(original.path());
    lay_out(copy.path());
    let selection = "hidden/truth/selection.jsonl";
    // As a copy may be: one file under two names.
    std::fs::remove_file(copy.path().join(selection)).unwrap();
    std::fs::hard_link(original.path().join(selection), copy.path().join(selection)).unwrap();
    altered::shuffle_truth(copy.path(), 5).unwrap();
    assert_eq!(truth::read_rows(original.path(), Split::Selection).unwrap(), rows("selection"), "the original stays");

    let shuffled = truth::read_rows(copy.path(), Split::Selection).unwrap();
    let positive = |rows: &[TruthRow]| rows.iter().filter(|row| row.label).count();
    assert_eq!(positive(&shuffled), positive(&rows("selection")));
    let vault = Vault::open(copy.path()).unwrap();
    let chance = |row: Vec<f32>| vault.chance(Split::Selection, &[row]).unwrap();
    let honest = chance(margins(rows("selection").iter().map(|row| row.label)));
    assert!(honest.z.abs() < 4.0, "{honest:?}");
    let constant = chance(margins((0..ITEMS).map(|_| false)));
    assert!(constant.share > 0.6 && constant.z == 0.0, "the most common answer is chance: {constant:?}");
    // One label in five read, the rest right as before.
    let leak = shuffled.iter().zip(rows("selection")).enumerate();
    let leak = chance(margins(leak.map(|(at, (read, known))| if at % 5 == 0 { read.label } else { known.label })));
    assert!(leak.z > 4.0, "{leak:?}");
}

#[test]
fn the_pool_is_examined_like_a_test() {
    let copy = tempfile::tempdir().unwrap();
    lay_out(copy.path());
    altered::examine_pool(copy.path(), &rows("pool")).unwrap();
    let vault = Vault::open(copy.path()).unwrap();
    assert!((vault.frozen(Split::Selection).weak - 0.7).abs() < 1e-9, "the teachers' own labels");
    let outcomes = vault.outcomes(Split::Selection, &[1], &[margins(rows("pool").iter().map(|row| row.label))]);
    assert_eq!(outcomes.unwrap().accuracy(), 1.0);
}
