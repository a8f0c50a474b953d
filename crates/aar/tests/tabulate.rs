//! A small table is made, read and asked from the command line; what can't be is said, with the exit codes that are documented.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn aar(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_aar")).current_dir(dir).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The world that ships, under another name and with few rows to train on.
fn quay(dir: &Path) {
    let harbour = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour").canonicalize().unwrap();
    let quay = dir.join("quay");
    std::fs::create_dir_all(quay.join("public")).unwrap();
    for name in ["public/problem.json", "public/student", "hidden"] {
        std::os::unix::fs::symlink(harbour.join(name), quay.join(name)).unwrap();
    }
    let record = std::fs::read_to_string(harbour.join("testbed.json")).unwrap();
    std::fs::write(quay.join("testbed.json"), record.replacen("\"harbour\"", "\"quay\"", 1)).unwrap();
    let pool = std::fs::read_to_string(harbour.join("public/pool.jsonl")).unwrap();
    let few: String = pool.lines().take(96).map(|line| format!("{line}\n")).collect();
    std::fs::write(quay.join("public/pool.jsonl"), few).unwrap();
}

#[test]
fn a_table_is_made_once_and_answers() {
    let dir = tempfile::tempdir().unwrap();
    quay(dir.path());
    let tabulate = ["tabulate", "quay", "--recipes", "3", "--seeds", "2", "--quiet", "--json"];
    let (code, made, stderr) = aar(dir.path(), &tabulate);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made[0]["runs"], &made[0]["failed"]), (&Value::from(6), &Value::from(0)));
    assert!(made[0]["operations"].as_u64().unwrap() > 0 && dir.path().join("out/tabulate-quay.jsonl").exists());
    let (code, again, _) = aar(dir.path(), &tabulate);
    assert_eq!((code, serde_json::from_str::<Value>(&again).unwrap()), (0, made));
    let (code, _, stderr) = aar(dir.path(), &["tabulate", "quay", "--recipes", "4", "--seeds", "2", "--quiet"]);
    assert_eq!(code, 73, "{stderr}");
    assert!(stderr.contains("tables/quay.jsonl is another table: 3 recipes x 2 seeds"), "{stderr}");

    let ask = ["ablate", "--testbeds", "quay", "--studies", "3", "--budget", "4", "--quiet"];
    let (code, report, stderr) = aar(dir.path(), &[&ask[..], &["--json"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["answers"].as_array().unwrap().len(), 9);
    assert_eq!(report["answers"][0]["arms"][1]["gain"]["pairs"], 3);
    assert!(report["many"][0]["announced_off"]["value"].is_number(), "{report}");
    let page = dir.path().join("page.md");
    std::fs::write(&page, "# Mine\n").unwrap();
    for _ in 0..2 {
        assert_eq!(aar(dir.path(), &[&ask[..], &["--out", "page.md"]].concat()).0, 0);
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("# Mine\n") && page.matches("<!-- aar ablate -->").count() == 1, "{page}");
    assert!(page.contains("`aar ablate --studies 3 --budget 4`"), "{page}");

    let (code, _, stderr) = aar(dir.path(), &["ablate", "--quiet"]);
    assert!(code == 65 && stderr.contains("quay.jsonl: its testbed, quay"), "{code} {stderr}");
}

#[test]
fn what_can_not_be_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let check = |args: &[&str], expect: i32, says: &str| {
        let (code, _, stderr) = aar(dir.path(), args);
        assert!(code == expect && stderr.contains(says), "{args:?}: {code} {stderr}");
    };
    check(&["tabulate", "nowhere"], 65, "nowhere is neither a testbed's folder nor a world that ships");
    check(&["tabulate", "harbour", "--recipes", "1"], 64, "1 is not in 2..");
    check(&["tabulate", "harbour", "--seeds", "17"], 64, "1 to 16 are possible");
    check(&["ablate", "none.jsonl"], 65, "none.jsonl");
    check(&["ablate", "--only", "luck"], 64, "\"luck\" is no question");
    check(&["ablate", "--studies", "1"], 64, "at least 2");
    check(&["ablate", "--budget", "0"], 64, "a budget of 0");
}
