//! A study exported, and read back by the tools it is exported for.

#[path = "../../server/tests/bench/mod.rs"]
mod bench;
#[path = "../../server/tests/large/mod.rs"]
mod large;

use aar_server::Server;
use aar_server::pages::TABLES;
use aar_server::record::Status;
use aar_study::export::{Form, write};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const SIZE: large::Size = large::Size { researchers: 5, evaluations: 40, findings: 30, items: 200, closes: true };
const FORMS: [Form; 4] = [Form::Csv, Form::Parquet, Form::Mlflow, Form::Tensorboard];

fn exported(out: &Path) -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    large::write(dir.path(), 11, SIZE);
    let server = Server::start(&bench::config(dir.path())).unwrap();
    for form in FORMS {
        let written = write(&server, form, out).unwrap();
        let counted = written.iter().any(|written| written.count == SIZE.evaluations);
        assert!(counted, "{form:?}: {written:?}");
    }
    (dir, server)
}

#[test]
fn every_form_is_written_again_over_itself() {
    let out = tempfile::tempdir().unwrap();
    let (_dir, server) = exported(out.path());
    let files = || {
        let (mut found, mut open) = (vec![], vec![out.path().to_owned()]);
        while let Some(folder) = open.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() { open.push(path) } else { found.push((path.clone(), std::fs::read(path).unwrap())) }
            }
        }
        found.sort();
        found
    };
    let first = files();
    for name in TABLES {
        let parquet = std::fs::read(out.path().join(name.replace(".csv", ".parquet"))).unwrap();
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"), "{name}");
    }
    for form in FORMS {
        write(&server, form, out.path()).unwrap();
    }
    assert!(files() == first, "an export is the same every time");
}

#[test]
fn what_was_written_is_what_its_tools_read() {
    let Some(python) = std::env::var_os("AAR_EXPORT_PYTHON") else {
        eprintln!(
            "skipped: AAR_EXPORT_PYTHON names no Python with pyarrow, mlflow and tensorboard, so no export was read back"
        );
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let (_dir, server) = exported(out.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/exports/read_back.py");
    let read = Command::new(python).arg(script).arg(out.path()).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    tables(&server, &read["parquet"]);
    runs(&server, &read["mlflow"], &read["tensorboard"]);
}

fn tables(server: &Server, read: &Value) {
    for name in TABLES {
        let (table, read) = (server.table(name).unwrap(), &read[name.trim_end_matches(".csv")]);
        assert_eq!(read["rows"], table.rows.len(), "{name}");
        assert_eq!(read["kinds"].as_object().unwrap().len(), table.names.len(), "{name}");
        for (column, cell) in table.names.iter().zip(table.rows.first().into_iter().flatten()) {
            let value = &read["first"][0][column];
            let same = match value {
                Value::Null => cell.is_empty(),
                Value::String(text) => text == cell,
                Value::Number(number) => number.as_f64() == cell.parse().ok(),
                _ => false,
            };
            assert!(same, "{name}: {column} is {value}, written was {cell:?}");
        }
    }
    let kind = |table: &str, column: &str| read[table]["kinds"][column].as_str().unwrap().to_owned();
    assert_eq!(kind("leaderboard", "pgr"), "double");
    assert_eq!(kind("seeds", "seed"), "uint64");
    assert_eq!(kind("findings", "votes"), "int64");
    assert_eq!(kind("findings", "body"), "string");
}

fn runs(server: &Server, mlflow: &Value, tensorboard: &Value) {
    let (board, snapshot) = (server.board(), server.snapshot());
    assert_eq!(mlflow["experiments"], serde_json::json!(["large"]));
    assert_eq!(mlflow["runs"].as_object().unwrap().len(), SIZE.evaluations);
    for record in &snapshot.evaluations {
        let id = record.id.to_string();
        let (run, events) = (&mlflow["runs"][&id], &tensorboard[&id]);
        assert_eq!((run["name"].as_str(), run["by"].as_str()), (Some(&*record.asked.name), Some(&*record.asked.by)));
        let status = match record.status {
            Status::Queued => "SCHEDULED",
            Status::Running => "RUNNING",
            Status::Done => "FINISHED",
            Status::Failed => "FAILED",
        };
        assert_eq!(run["status"], status);
        let pgr = board.row(record.id).and_then(|row| row.pgr());
        assert_eq!(run["pgr"].as_f64(), pgr, "#{id}");
        assert_eq!(events["pgr"][0][1].as_f64().map(|value| value as f32), pgr.map(|value| value as f32), "#{id}");
        let curve = &snapshot.jobs[record.jobs[0] as usize - 1].curve;
        for read in [&run["loss"], &events["loss/seed-0"]] {
            let points = read.as_array().unwrap().iter();
            let point = |point: &Value| (point[0].as_u64().unwrap() as u32, point[1].as_f64().unwrap() as f32);
            assert_eq!(&points.map(point).collect::<Vec<_>>(), curve, "#{id}");
        }
    }
}
