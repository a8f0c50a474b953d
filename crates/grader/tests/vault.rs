//! The vault answers with scores, and refuses a testbed whose truth does not fit its inputs.

use aar_domain::item::Distribution;
use aar_domain::rung::Split;
use aar_grader::Vault;
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use std::collections::BTreeMap;
use std::path::Path;

const ITEMS: usize = 400;

fn label(item: usize) -> bool {
    item.is_multiple_of(2)
}

/// Weak is right on 6 of 10 items, the ceiling on 9 of 10.
fn lay_out(dir: &Path, swap_inputs: bool) {
    std::fs::create_dir_all(dir.join("hidden/inputs")).unwrap();
    let rows = |split: Split| -> Vec<TruthRow> {
        let row = |item: usize| TruthRow {
            id: format!("{}{item}", split.name()),
            label: label(item),
            cluster: (item / 2).to_string(),
            distribution: Some(if item < ITEMS / 2 { Distribution::In } else { Distribution::Out }),
        };
        (0..ITEMS).map(row).collect()
    };
    let runs = |tenths: usize| {
        (0..4).map(|seed| (0..ITEMS).map(|i| if (i / 2 + seed) % 10 < tenths { '1' } else { '0' }).collect()).collect()
    };
    let (mut truth, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for split in Split::ALL {
        let rows = rows(split);
        let mut ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        if swap_inputs {
            ids.swap(0, 1);
        }
        let lines: String =
            ids.iter().map(|id| format!("{{\"id\":\"{id}\",\"question\":\"q\",\"choice\":\"c\"}}\n")).collect();
        std::fs::write(dir.join(format!("hidden/inputs/{}.jsonl", split.name())), lines).unwrap();
        truth.insert(split, rows);
        frozen.insert(split, FrozenRuns { weak: runs(6), ceiling: runs(9) });
    }
    truth::write(dir, &truth, &frozen).unwrap();
}

#[test]
fn half_of_the_gap_is_a_pgr_of_one_half() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), false);
    let vault = Vault::open(dir.path()).unwrap();
    // Right on 75 of 100: half way between 60 and 90.
    let margins: Vec<f32> = (0..ITEMS).map(|item| if (item / 2 % 4 < 3) == label(item) { 2.0 } else { -1.0 }).collect();
    let outcomes = vault.outcomes(Split::Feedback, &[7, 8], &[margins.clone(), margins]).unwrap();
    let score = vault.score(Split::Feedback, &outcomes);
    let pgr = score.pgr.unwrap();
    assert!((pgr.value - 0.5).abs() < 0.01 && pgr.low < 0.5 && 0.5 < pgr.high, "{pgr:?}");
    assert!((score.accuracy - 0.75).abs() < 1e-9);
    assert_eq!((score.accuracy_in, score.accuracy_out), (Some(0.75), Some(0.75)));
}

#[test]
fn an_answer_of_zero_is_right_for_nobody_and_odd_margins_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), false);
    let vault = Vault::open(dir.path()).unwrap();
    let outcomes = vault.outcomes(Split::Selection, &[1], &[vec![0.0; ITEMS]]).unwrap();
    assert_eq!(outcomes.accuracy(), 0.0);
    assert!(vault.outcomes(Split::Selection, &[1], &[vec![0.0; ITEMS - 1]]).is_none());
    assert!(vault.outcomes(Split::Selection, &[1], &[vec![f32::NAN; ITEMS]]).is_none());
    assert!(vault.outcomes(Split::Selection, &[1, 2], &[vec![0.0; ITEMS]]).is_none());
}

#[test]
fn truth_in_another_order_than_the_inputs_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), true);
    let error = Vault::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("line 1 is about item feedback0, the input there is feedback1"), "{error}");
}

#[test]
fn a_vault_does_not_print_its_labels() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), false);
    assert_eq!(
        format!("{:?}", Vault::open(dir.path()).unwrap()),
        r#"Vault { items: [("feedback", 400), ("selection", 400)] }"#
    );
}
