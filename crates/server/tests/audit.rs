//! A log that was tampered with is found out, in every way of tampering there is.

use aar_api::bundle::{Bundle, BundleStored};
use aar_api::client::{Address, Client};
use aar_api::evaluation::{EvaluationView, Submission};
use aar_api::paths;
use aar_api::receipt::Receipt;
use aar_api::study::Me;
use aar_api::work::{Claim, Job, Outputs, Usage};
use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::Policy;
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use aar_server::audit::{self, Audit};
use aar_server::event::{Opening, Participant, Phase, Role, Seed};
use aar_server::{Server, ServerConfig};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor, SqliteConnection};
use std::path::{Path, PathBuf};

const ITEMS: usize = 20;

struct Study {
    dir: tempfile::TempDir,
}

impl Study {
    /// A study in which one bundle was submitted and evaluated.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        testbed(dir.path());
        let study = Self { dir };
        let server = study.start();
        let stored: BundleStored = study.client("ada").post(paths::BUNDLES, &Bundle::of_recipe("a")).unwrap();
        let submission = Submission {
            bundle: stored.bundle,
            name: "a".into(),
            family: "ensemble".into(),
            parent: None,
            key: "k".into(),
            turn: None,
        };
        let view: EvaluationView = study.client("ada").post(paths::EVALUATIONS, &submission).unwrap();
        study.keep("submitted", &view.receipt.unwrap());
        let claim = Claim { worker: "w".into(), wait_ms: 10 };
        let job: Option<Job> = study.client("worker").post(paths::CLAIM, &claim).unwrap();
        let outputs = Outputs { margins: vec![1.0; ITEMS], usage: Usage::default(), curve: vec![] };
        let path = paths::OUTPUTS.replace("{id}", &job.unwrap().id.to_string());
        let _: serde_json::Value = study.client("worker").post(&path, &outputs).unwrap();
        let me: Me = study.client("ada").get(paths::ME).unwrap();
        study.keep("ended", &me.receipt);
        drop(server);
        study
    }

    fn start(&self) -> Server {
        let server = Server::start(&ServerConfig {
            log: self.log(),
            testbed: self.dir.path().to_owned(),
            socket: Some(self.dir.path().join("api.sock")),
            http: None,
        })
        .unwrap();
        server.open(&opening()).unwrap();
        for (name, role) in [("ada", Role::Researcher), ("worker", Role::Worker)] {
            server.join(&participant(name, role)).unwrap();
        }
        server.enter(Phase::Running).unwrap();
        server
    }

    fn client(&self, name: &str) -> Client {
        Client::new(&Address::Unix(self.dir.path().join("api.sock")), &format!("token of {name}")).unwrap()
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("study.db")
    }

    fn keep(&self, name: &str, receipt: &Receipt) {
        let text = serde_json::to_string(&serde_json::json!({ "receipt": receipt })).unwrap();
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn sql(&self, statement: &str) {
        self.block(async |mut connection| {
            connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
        });
    }

    fn block<T>(&self, act: impl AsyncFnOnce(SqliteConnection) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url = format!("sqlite://{}", self.log().display());
            act(SqliteConnection::connect(&url).await.unwrap()).await
        })
    }

    fn audit(&self, receipts: &[&str]) -> Audit {
        let receipts: Vec<PathBuf> = receipts.iter().map(|name| self.dir.path().join(name)).collect();
        audit::verify(&self.log(), &receipts).unwrap()
    }

    /// The first fault, in words.
    fn fault(&self, receipts: &[&str]) -> String {
        let audit = self.audit(receipts);
        let first = audit.faults.first().unwrap_or_else(|| panic!("nothing was found: {audit:?}"));
        format!("{} {}", first.event.map_or("-".into(), |event| event.to_string()), first.what)
    }

    /// Someone who may write everything here takes the heads beside the log away too.
    fn forget_heads(&self) {
        std::fs::remove_file(self.dir.path().join("study.heads")).unwrap();
    }
}

fn opening() -> Opening {
    let seeds = |seed| vec![Seed { seed, teacher: 0 }];
    Opening {
        study: "test".into(),
        testbed: "tiny".into(),
        subject: "chat".into(),
        plan: "00".repeat(16),
        key_commitment: "00".into(),
        seeds: [(Split::Feedback, seeds(0)), (Split::Selection, seeds(1))].into(),
        policy: Policy::Naive { step: 0.05 },
        limits: [].into(),
        contract: Default::default(),
    }
}

fn participant(name: &str, role: Role) -> Participant {
    Participant {
        name: name.into(),
        role,
        kind: (role == Role::Researcher).then_some(Kind::Human),
        direction: None,
        seed: 1,
        evaluations: 2,
        turns: false,
        token_hash: hex::encode(Sha256::digest(format!("token of {name}"))),
    }
}

fn testbed(dir: &Path) {
    std::fs::create_dir_all(dir.join("hidden/inputs")).unwrap();
    let row = |i: usize| TruthRow {
        id: i.to_string(),
        label: i.is_multiple_of(2),
        cluster: i.to_string(),
        distribution: None,
    };
    let runs = |right: usize| vec![(0..ITEMS).map(|i| if i < right { '1' } else { '0' }).collect::<String>(); 2];
    let inputs: String = (0..ITEMS).map(|i| format!("{{\"id\":\"{i}\"}}\n")).collect();
    for split in Split::ALL {
        std::fs::write(dir.join(format!("hidden/inputs/{}.jsonl", split.name())), &inputs).unwrap();
    }
    let rows = Split::ALL.map(|split| (split, (0..ITEMS).map(row).collect())).into();
    let frozen = Split::ALL.map(|split| (split, FrozenRuns { weak: runs(12), ceiling: runs(18) })).into();
    truth::write(dir, &rows, &frozen).unwrap();
}

#[test]
fn a_log_that_nobody_touched_holds() {
    let study = Study::new();
    let audit = study.audit(&["submitted", "ended"]);
    assert_eq!(audit.faults, []);
    assert_eq!((audit.events, audit.blobs, audit.receipts), (8, 2, 2), "{audit:?}");
    assert_eq!(audit.heads as i64, audit.events, "every head was kept");
    drop(study.start());
    assert_eq!(study.audit(&["submitted", "ended"]).faults, [], "opened again, it is the same log");
}

#[test]
fn an_edit_is_found() {
    let check = |edit: &str, expect: &str| {
        let study = Study::new();
        study.forget_heads();
        study.sql(edit);
        let fault = study.fault(&[]);
        assert!(fault.starts_with(expect), "{edit}: {fault}");
    };
    check(
        "UPDATE events SET body = replace(body, '\"evaluations\":2', '\"evaluations\":9') WHERE id = 2",
        "2 its hash",
    );
    check("UPDATE events SET at_ms = at_ms - 1 WHERE id = 5", "5 its hash");
    check("UPDATE events SET chain = (SELECT chain FROM events WHERE id = 4) WHERE id = 6", "6 its hash");
    check("UPDATE blobs SET bytes = zeroblob(80) WHERE length(bytes) = 80", "8 its margins were changed");
    check(
        "UPDATE blobs SET bytes = CAST(replace(CAST(bytes AS TEXT), '61', '62') AS BLOB) WHERE length(bytes) <> 80",
        "5 its bundle were changed",
    );
    check("UPDATE events SET body = '{}' WHERE id = 8", "8 its hash");
}

#[test]
fn a_loss_is_found() {
    let check = |edit: &str, expect: &str| {
        let study = Study::new();
        study.forget_heads();
        study.sql(edit);
        let fault = study.fault(&[]);
        assert!(fault.starts_with(expect), "{edit}: {fault}");
    };
    check("DELETE FROM events WHERE id = 1", "1 is not there");
    check("DELETE FROM events WHERE id = 5", "5 is not there: after event 4 comes 6");
    // The gap closed up again.
    check("DELETE FROM events WHERE id = 7; UPDATE events SET id = 7 WHERE id = 8", "7 its hash");
    check("DELETE FROM blobs WHERE length(bytes) = 80", "8 its margins are gone");
}

#[test]
fn a_change_of_order_is_found() {
    let study = Study::new();
    study.forget_heads();
    study.sql("UPDATE events SET id = 99 WHERE id = 2; UPDATE events SET id = 2 WHERE id = 3; UPDATE events SET id = 3 WHERE id = 99");
    assert!(study.fault(&[]).starts_with("2 its hash"));
}

#[test]
fn a_forged_event_is_found() {
    let study = Study::new();
    study.sql(r#"INSERT INTO events (at_ms, body, chain) VALUES (1, '{"event":"retired","by":"ada"}', 'ab')"#);
    assert!(study.fault(&[]).starts_with("9 its hash"));
}

#[test]
fn a_tail_that_was_cut_off_is_found_by_kept_heads_and_by_receipts() {
    let study = Study::new();
    study.sql("DELETE FROM events WHERE id = 8");
    assert!(study.fault(&[]).contains("the heads beside the log saw 8 events, the chain holds up to 7"));
    study.forget_heads();
    assert_eq!(study.audit(&[]).faults, [], "without a witness nothing can be known");
    assert_eq!(study.audit(&["submitted"]).faults, [], "this receipt is of an earlier moment");
    assert!(study.fault(&["ended"]).contains("saw 8 events, the chain holds up to 7"));
}

#[test]
fn a_history_made_up_anew_is_found_by_a_receipt() {
    let study = Study::new();
    // Everything written again by the same program: a chain that holds by itself.
    for name in ["study.db", "study.heads"] {
        std::fs::remove_file(study.dir.path().join(name)).unwrap();
    }
    let server = study.start();
    for at in 0..10 {
        server.note("filler", serde_json::json!(at)).unwrap();
    }
    drop(server);
    assert_eq!(study.audit(&[]).faults, []);
    assert!(study.fault(&["submitted"]).contains("knew another history up to here"));
}

#[test]
fn a_log_of_format_1_opens_and_is_chained_from_then_on() {
    let study = Study::new();
    study.forget_heads();
    study.sql("ALTER TABLE events DROP COLUMN chain; PRAGMA user_version = 1");
    let error = audit::verify(&study.log(), &[]).unwrap_err().to_string();
    assert!(error.contains("has format 1 and no hash chain yet: `aar report`"), "{error}");
    let server = study.start();
    let snapshot = server.snapshot();
    assert_eq!(snapshot.evaluations.len(), 1);
    assert_eq!((snapshot.notes.len(), snapshot.notes[0].kind.as_str()), (1, "chained"));
    drop(server);
    // The events are the old ones, so the old receipts hold.
    let audit = study.audit(&["submitted", "ended"]);
    assert_eq!((audit.faults, audit.events), (vec![], 9));
    study.sql("UPDATE events SET at_ms = at_ms + 1 WHERE id = 3");
    assert!(study.fault(&[]).starts_with("3 its hash"));
}
