//! The bench as somebody types at it: what is printed, what is refused, and with which exit code.

use aar_grader::ledger::Policy;
use aar_server::event::{Opening, Participant, Phase, Role};
use aar_server::{Server, ServerConfig};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with the program under its other name.
struct Bench {
    dir: tempfile::TempDir,
}

/// How it ended and what it printed.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_aar"), dir.path().join("lab")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("lab"));
        command.current_dir(self.dir.path()).args(args);
        command.env("AAR_DATA", harbour().join("public")).env_remove("AAR_API").env_remove("AAR_TOKEN");
        command
    }

    fn lab(&self, args: &[&str]) -> Said {
        said(self.command(args).output().unwrap())
    }

    /// The public half of the world that ships, its pool cut to `rows`.
    fn small_data(&self, rows: usize) {
        let public = harbour().join("public");
        for name in ["pool.jsonl", "weak.jsonl"] {
            let text = std::fs::read_to_string(public.join(name)).unwrap();
            self.write(&format!("data/{name}"), text.lines().take(rows).map(|l| format!("{l}\n")).collect::<String>());
        }
        std::fs::copy(public.join("problem.json"), self.path("data/problem.json")).unwrap();
        std::os::unix::fs::symlink(public.join("student"), self.path("data/student")).unwrap();
    }
}

fn harbour() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour").canonicalize().unwrap()
}

fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn help_names_every_command() {
    let said = Bench::new().lab(&["--help"]);
    assert_eq!(said.code, 0);
    insta::assert_snapshot!(said.out);
}

#[test]
fn bad_input_is_named_and_has_its_exit_code() {
    let bench = Bench::new();
    bench.small_data(40);
    bench.write("odd.toml", "name = \"odd\"\nfamily = \"confidence-weighting\"\n[labels]\nsource = \"weak\"\n");
    bench.write("binary.jsonl", b"{\"id\": \"a\xff\"}\n");
    bench.write("row.jsonl", "\n{\"id\": 1}\n");
    bench.write("folder/file", "");
    for (args, code, part) in [
        (&["check", "odd.toml"][..], 65, "labels"),
        (&["check", "missing.toml"], 65, "neither a file nor a recipe that ships"),
        (&["score", "--data", "data", "--items", "binary.jsonl"], 65, "binary.jsonl"),
        (&["score", "--data", "data", "--items", "row.jsonl"], 65, "row.jsonl line 2"),
        (&["score", "--data", "nowhere"], 65, "nowhere"),
        (&["label", "--data", "data", "--out", "nowhere/labels.jsonl"], 73, "nowhere/labels.jsonl"),
        (&["label", "--data", "data", "--out", "folder"], 73, "folder"),
        (&["embed", "--data", "data", "--out", "folder/file/features"], 73, "folder/file/features"),
        (
            &["label", "--data", "data", "--recipe", "self-training"],
            65,
            "self-training makes its labels while it trains",
        ),
        (&["try", "plain", "--held-out-rows", "0"], 64, "no rows"),
        (&["try", "plain", "--train-rows", "many"], 64, "--train-rows"),
        (&["leaderboard"], 64, "AAR_API is not set"),
        (&["leaderboard", "--api", "ftp://x", "--token", "t"], 64, "ftp://x"),
        (&["status", "--api", "unix:/nowhere/api.sock", "--token", "t"], 69, "is a study running?"),
    ] {
        let said = bench.lab(args);
        assert!(said.code == code && said.err.contains(part), "{args:?}: {} {}", said.code, said.err);
    }
    assert!(!bench.path("nowhere").exists());
}

#[test]
fn ideas_are_tried_without_any_server() {
    let bench = Bench::new();
    bench.small_data(120);
    let labels = bench.lab(&["label", "--data", "data"]);
    assert_eq!((labels.code, labels.out.lines().count()), (0, 120), "{}", labels.err);
    let tried = ["try", "confident", "--data", "data", "--train-rows", "60", "--held-out-rows", "30", "--json"];
    let tried = bench.lab(&tried);
    let report: serde_json::Value = serde_json::from_str(&tried.out).unwrap();
    assert!((0.0..=1.0).contains(&report["agrees_with_teacher"].as_f64().unwrap()), "{report}");
}

#[test]
fn a_reader_that_leaves_is_no_error_and_a_full_disk_is() {
    let bench = Bench::new();
    let mut child = bench.command(&["label"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let left = said(child.wait_with_output().unwrap());
    assert_eq!((left.code, left.err.as_str()), (0, ""));
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let full = said(bench.command(&["recipes"]).stdout(full).output().unwrap());
    assert!(full.code == 74 && full.err.contains("standard output"), "{} {}", full.code, full.err);
}

#[test]
fn posts_that_begin_alike_are_all_kept_and_one_sent_twice_is_one() {
    let bench = Bench::new();
    let server = Server::start(&ServerConfig {
        log: bench.path("log.db"),
        testbed: harbour(),
        socket: None,
        http: Some(([127, 0, 0, 1], 0).into()),
    });
    let server = server.unwrap();
    let opening = Opening {
        study: "posts".into(),
        testbed: "harbour".into(),
        subject: "chat".into(),
        plan: "0".repeat(64),
        key_commitment: String::new(),
        seeds: [].into(),
        policy: Policy::Naive { step: 0.05 },
        limits: [].into(),
        contract: Default::default(),
    };
    server.open(&opening).unwrap();
    let ada = Participant {
        name: "ada".into(),
        role: Role::Researcher,
        kind: None,
        direction: None,
        seed: 0,
        evaluations: 1,
        turns: false,
        token_hash: hex::encode(Sha256::digest("ada's token")),
    };
    server.join(&ada).unwrap();
    server.enter(Phase::Running).unwrap();
    let address = format!("http://{}", server.http().unwrap());
    let lab = |args: &[&str]| {
        let said = said(bench.command(args).env("AAR_API", &address).env("AAR_TOKEN", "ada's token").output().unwrap());
        assert_eq!(said.code, 0, "{args:?}: {}", said.err);
        said.out
    };
    let long = "the same beginning, ".repeat(15);
    for end in ["one", "two", "two"] {
        let body = format!("{long}{end}");
        lab(&["forum", "post", "--kind", "insight", "--title", "t", "--body", &body]);
        lab(&["forum", "comment", "1", "--body", &body]);
    }
    let list = lab(&["forum"]);
    assert!(list.contains("2 findings") && list.contains("(2 comments)"), "{list}");
    // Nobody votes on what is one's own.
    let vote = bench.command(&["forum", "vote", "1"]).env("AAR_API", &address).env("AAR_TOKEN", "ada's token").output();
    let vote = said(vote.unwrap());
    assert!(vote.code != 0 && vote.err.contains("somebody else's"), "{}", vote.err);
    assert!(lab(&["forum", "show", "1"]).contains("one\n"));
    assert!(lab(&["status"]).contains("ada"));
}
