//! A suite of planted leaks: small testbeds that are clean but for one defect each, and each is found by its rule.

mod lint {
    pub mod folders;
    pub mod testbeds;
}

use aar_worlds::lint::{Report, check};
use lint::folders::{self, Folder};
use lint::testbeds;
use serde_json::json;
use std::path::Path;

/// Rules under which something is refused, and all findings for the message.
fn refused(report: &Report) -> (Vec<&'static str>, String) {
    let rules = report.findings.iter().filter(|f| f.severity == aar_worlds::lint::Severity::Refused).map(|f| f.rule);
    (rules.collect(), format!("{:#?}", report.findings))
}

/// The folder is refused under `rule`, in words that name the place and what to do.
fn planted(rule: &str, folder: Folder) {
    let dir = tempfile::tempdir().unwrap();
    folder.write(dir.path());
    let report = check(dir.path()).unwrap();
    let (rules, all) = refused(&report);
    assert!(rules.contains(&rule), "{rule} was not found: {all}");
    let finding = report.findings.iter().find(|finding| finding.rule == rule).unwrap();
    assert!(finding.place.contains(".jsonl") && finding.remedy.len() > 10, "{finding:?}");
}

#[test]
fn clean_folders_are_clean() {
    for folder in [folders::pairs(), folders::answers()] {
        let dir = tempfile::tempdir().unwrap();
        folder.write(dir.path());
        let report = check(dir.path()).unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

#[test]
fn copies_are_found() {
    let copy = |from: usize, to: usize, rows: usize| {
        let mut folder = folders::answers();
        for row in 0..rows {
            let (question, choice) = (folder.text(from, row, "question"), folder.text(from, row, "choice"));
            let label = folder.sets[from][row]["label"].clone();
            let target = &mut folder.sets[to][row];
            (target["question"], target["choice"], target["label"]) = (question.into(), choice.into(), label);
        }
        folder
    };
    planted("duplicate", copy(1, 2, 3));
    planted("duplicate", copy(0, 2, 1));
    planted("duplicate", copy(0, 1, 5));
    let mut turned = folders::pairs();
    for row in 0..3 {
        let [prompt, first, second] = ["prompt", "first", "second"].map(|name| turned.text(1, row, name));
        let flipped = if turned.sets[1][row]["label"] == json!("A") { "B" } else { "A" };
        let target = &mut turned.sets[2][row];
        // In the other order, with other capitals and commas: a reader sees the same.
        (target["prompt"], target["first"], target["second"]) =
            (prompt.to_uppercase().into(), second.into(), first.replace(' ', ", ").into());
        target["label"] = flipped.into();
    }
    planted("duplicate", turned);
    let mut near = folders::answers();
    for row in 0..20 {
        let choice = near.text(1, row, "choice");
        let longer = format!("{choice} {choice} {}", folders::noise(row as u64, 30));
        near.sets[1][row]["choice"] = longer.clone().into();
        near.sets[2][row]["choice"] = format!("{longer} changed").into();
        near.sets[2][row]["question"] = near.text(1, row, "question").into();
    }
    planted("near-duplicate", near);
    let mut question = folders::answers();
    for row in 0..4 {
        question.sets[2][row]["question"] = question.text(0, row, "question").into();
    }
    planted("question", question);
    let mut id = folders::pairs();
    id.sets[2][0]["id"] = id.text(1, 0, "id").into();
    planted("id-twice", id);
    let mut against = folders::answers();
    let (question, choice) = (against.text(2, 0, "question"), against.text(2, 0, "choice"));
    let other = !against.sets[2][0]["label"].as_bool().unwrap();
    let target = &mut against.sets[2][1];
    (target["question"], target["choice"], target["label"]) = (question.into(), choice.into(), other.into());
    planted("contradiction", against);
}

#[test]
fn labels_in_ids_order_and_columns_are_found() {
    let id = |set: usize, make: fn(usize, bool) -> String| {
        let mut folder = folders::pairs();
        folder.each(set, |row, at, label| row["id"] = make(at, label).into());
        folder
    };
    planted("id", id(2, |at, label| format!("{}-{at:04}", if label { "good" } else { "bad" })));
    planted("id", id(1, |at, label| format!("x{}", 2 * at + usize::from(label))));
    planted("id", id(0, |at, label| format!("{:06}", if label { at } else { 5000 + at })));
    planted("id", id(2, |at, label| format!("{:x}{}", at * 7919 + 65536, if label { "1" } else { "" })));
    let mut sorted = folders::pairs();
    sorted.sets[2].sort_by_key(|row| row["label"].to_string());
    planted("order", sorted);
    let mut alternating = folders::answers();
    let (yes, no): (Vec<_>, Vec<_>) = alternating.sets[2].iter().cloned().partition(|row| row["label"] == json!(true));
    alternating.sets[2] = yes.into_iter().zip(no).flat_map(|(a, b)| [a, b]).collect();
    planted("order", alternating);
    let column = |value: fn(usize, bool) -> serde_json::Value| {
        let mut folder = folders::answers();
        folder.each(2, |row, at, label| row["extra"] = value(at, label));
        folder
    };
    planted("column", column(|_, label| json!(if label { "checked" } else { "open" })));
    planted("column", column(|at, label| json!(at as f64 * 0.001 + if label { 0.4 } else { 0.0 })));
    planted("column", column(|at, label| if label && at % 3 > 0 { json!("seen") } else { json!(null) }));
    let mut subset = folders::answers();
    subset.each(2, |row, at, label| row["subset"] = json!(if label ^ (at % 10 < 2) { "strong" } else { "weak" }));
    planted("generator", subset);
    let mut one = folders::answers();
    // One generator of four is uneven: no column tells much over all rows.
    one.each(2, |row, at, label| row["subset"] = json!(if label && at % 3 == 0 { 9 } else { at % 3 }.to_string()));
    planted("generator", one);
}

#[test]
fn positions_and_imbalance_are_found() {
    let mut first = folders::pairs();
    first.each(2, |row, at, label| {
        if !label && at % 2 == 0 {
            let (a, b) = (row["first"].clone(), row["second"].clone());
            (row["first"], row["second"], row["label"]) = (b, a, json!("A"));
        }
    });
    planted("position", first);
    let mut uneven = folders::answers();
    uneven.sets[2].retain(|row| row["label"] == json!(true) || row["id"].as_str().unwrap().as_bytes()[3] % 2 == 0);
    planted("balance", uneven);
}

#[test]
fn shortcuts_are_found() {
    let append = |make: fn(usize, bool) -> String| {
        let mut folder = folders::answers();
        folder.each(2, |row, at, label| {
            let text = row["choice"].as_str().unwrap().to_owned();
            row["choice"] = (text + &make(at, label)).into();
        });
        folder
    };
    planted(
        "looks",
        append(|at, label| if label { format!(" {}", folders::noise(at as u64, 6)) } else { String::new() }),
    );
    planted("looks", append(|_, label| if label { ".".into() } else { String::new() }));
    planted("looks", append(|_, label| if label { "\u{200b}".into() } else { String::new() }));
    planted("looks", append(|_, label| if label { "\n\n".into() } else { String::new() }));
    planted("tell-tale", append(|at, label| if label && at % 5 == 0 { " verified".into() } else { String::new() }));
    let mut longer = folders::pairs();
    longer.each(2, |row, at, label| {
        let side = if label { "first" } else { "second" };
        row[side] = format!("{} {}", row[side].as_str().unwrap(), folders::noise(at as u64, 5)).into();
    });
    planted("looks", longer);
    let mut common = folders::answers();
    // Four answers to a question, two of them alike, and the alike ones are right.
    common.each(2, |row, at, label| {
        row["question"] = format!("q{} {}", at / 4, folders::noise(7000 + (at / 4) as u64, 6)).into();
        let answer = if label { 1000 + at / 4 } else { 2000 + at };
        row["choice"] = format!("{}\n#### {answer}", row["choice"].as_str().unwrap()).into();
    });
    planted("most-common-answer", common);
    let mut words = folders::answers();
    for set in [0, 2] {
        words.each(set, |row, at, label| {
            let word = if label ^ (at % 8 == 0) { ["ka", "ke", "ki"][at % 3] } else { ["lo", "lu", "la"][at % 3] };
            row["choice"] = format!("{} {word}", row["choice"].as_str().unwrap()).into();
        });
    }
    planted("bag-of-words", words);
    let mut asked = folders::answers();
    for set in [0, 2] {
        asked.each(set, |row, at, label| {
            let word = if label ^ (at % 9 == 0) { ["ka", "ke", "ki"][at % 3] } else { ["lo", "lu", "la"][at % 3] };
            row["question"] = format!("{} {word}", row["question"].as_str().unwrap()).into();
        });
    }
    planted("question-alone", asked);
    let mut few = folders::answers();
    few.sets[2].truncate(24);
    planted("resolution", few);
}

#[test]
fn testbeds_that_break_their_contract_are_found() {
    let check = |rule: &str, spoil: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        testbeds::write(dir.path());
        spoil(dir.path());
        let (rules, all) = refused(&check(dir.path()).unwrap());
        assert!(rules.contains(&rule), "{rule} was not found: {all}");
    };
    let clean = tempfile::tempdir().unwrap();
    testbeds::write(clean.path());
    let report = aar_worlds::lint::check(clean.path()).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    let lines = testbeds::lines;
    check("column", &|dir| lines(dir, "public/pool.jsonl", |row, at| row["label"] = json!(at % 2 == 0)));
    check("column", &|dir| lines(dir, "hidden/inputs/selection.jsonl", |row, _| row["cluster"] = json!("c")));
    check("contract", &|dir| testbeds::reverse(dir, "hidden/inputs/feedback.jsonl"));
    check("contract", &|dir| testbeds::cut(dir, "public/weak.jsonl", 5));
    check("teacher", &|dir| {
        std::fs::copy(dir.join("hidden/weak/03.jsonl"), dir.join("public/weak.jsonl")).unwrap();
    });
    check("order", &|dir| testbeds::sort_pool_by_teacher(dir));
    check("duplicate", &|dir| testbeds::copy_row(dir, "public/pool.jsonl", "hidden/inputs/selection.jsonl"));
    check("gap", &|dir| testbeds::level(dir));
    check("position", &|dir| lines(dir, "hidden/truth/selection.jsonl", |row, _| row["label"] = json!(true)));
}

#[test]
fn nothing_is_found_in_the_worlds_that_ship() {
    let worlds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds");
    for world in ["foundry", "orchard"] {
        let report = check(&worlds.join(world)).unwrap();
        assert!(report.findings.is_empty(), "{world}: {:#?}", report.findings);
    }
    let report = check(&worlds.join("harbour")).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    let gap = report.measures.iter().find(|measure| measure.name == "gap, selection").unwrap();
    assert!((gap.value - 0.268).abs() < 0.002, "{gap:?}");
}

#[test]
fn what_is_no_testbed_is_named() {
    let dir = tempfile::tempdir().unwrap();
    assert!(check(dir.path()).unwrap_err().to_string().contains("is no testbed"));
    folders::pairs().write(dir.path());
    let path = dir.path().join("test.jsonl");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap().replacen("\"second\"", "\"secnd\"", 1)).unwrap();
    let error = check(dir.path()).unwrap_err().to_string();
    assert!(error.contains("test.jsonl line 1") && error.contains("\"second\" is missing"), "{error}");
}
