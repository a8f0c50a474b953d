//! A study's life over the wire: turns, charges, failures, restarts.

use aar_api::bundle::{Bundle, BundleStored};
use aar_api::client::{Address, Client, ClientError};
use aar_api::error::ErrorCode;
use aar_api::evaluation::{BoardRow, EvaluationView, Submission};
use aar_api::forum::{Finding, FindingType, NewFinding};
use aar_api::paths;
use aar_api::study::{Me, TurnView};
use aar_api::work::{Claim, Failure, Job, Outputs, Usage};
use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::{Policy, Unit};
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use aar_server::event::{Opening, Participant, Phase, Role, Seed};
use aar_server::{Server, ServerConfig};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

const ITEMS: usize = 200;

struct Bench {
    dir: tempfile::TempDir,
    server: Option<Server>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        testbed(dir.path());
        let mut bench = Self { dir, server: None };
        bench.start();
        bench
    }

    fn config(&self) -> ServerConfig {
        ServerConfig {
            log: self.dir.path().join("study.db"),
            testbed: self.dir.path().to_owned(),
            socket: Some(self.dir.path().join("api.sock")),
            http: None,
        }
    }

    fn start(&mut self) {
        let server = Server::start(&self.config()).unwrap();
        server.open(&opening("plan one")).unwrap();
        for (name, role, turns) in
            [("ada", Role::Researcher, true), ("boole", Role::Researcher, true), ("worker", Role::Worker, false)]
        {
            server
                .join(&Participant {
                    name: name.into(),
                    role,
                    kind: (role == Role::Researcher).then_some(Kind::Search),
                    direction: Some("confidence".into()),
                    seed: 1,
                    evaluations: 2,
                    turns,
                    token_hash: hex::encode(Sha256::digest(format!("token of {name}"))),
                })
                .unwrap();
        }
        server.enter(Phase::Running).unwrap();
        self.server = Some(server);
    }

    fn restart(&mut self) {
        self.server = None;
        self.start();
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn client(&self, name: &str) -> Client {
        Client::new(&Address::Unix(self.dir.path().join("api.sock")), &format!("token of {name}")).unwrap()
    }

    fn submit(&self, name: &str, turn: u32, recipe: &str) -> Result<EvaluationView, ClientError> {
        let client = self.client(name);
        let stored: BundleStored = client.post(paths::BUNDLES, &Bundle::of_recipe(recipe))?;
        client.post(
            paths::EVALUATIONS,
            &Submission {
                bundle: stored.bundle,
                name: recipe.into(),
                family: "ensemble".into(),
                parent: None,
                key: format!("turn {turn}"),
                turn: Some(turn),
            },
        )
    }

    fn claim(&self) -> Option<Job> {
        self.client("worker").post(paths::CLAIM, &Claim { worker: "w".into(), wait_ms: 10 }).unwrap()
    }

    /// Work off the queue: right on `hundredths` of the items.
    fn work(&self, hundredths: usize) -> usize {
        let mut done = 0;
        while let Some(job) = self.claim() {
            let margins = (0..ITEMS).map(|i| if (i % 100 < hundredths) == (i % 2 == 0) { 1.0 } else { -1.0 }).collect();
            let usage = Usage { train_operations: 5, ..Usage::default() };
            let outputs = Outputs { margins, usage, curve: vec![] };
            let path = paths::OUTPUTS.replace("{id}", &job.id.to_string());
            let _: serde_json::Value = self.client("worker").post(&path, &outputs).unwrap();
            done += 1;
        }
        done
    }

    fn own(&self, name: &str) -> Vec<EvaluationView> {
        self.client(name).get(paths::EVALUATIONS).unwrap()
    }
}

fn opening(plan: &str) -> Opening {
    let seeds =
        |base: u64, count: u64| (base..base + count).map(|seed| Seed { seed, teacher: (seed % 16) as u32 }).collect();
    Opening {
        study: "test".into(),
        testbed: "tiny".into(),
        subject: "chat".into(),
        plan: format!("{plan:0>20}"),
        key_commitment: "00".into(),
        seeds: [(Split::Feedback, seeds(0, 2)), (Split::Selection, seeds(10, 3))].into(),
        policy: Policy::Naive { step: 0.05 },
        limits: [(Unit::Evaluations, 3), (Unit::MilliBits, 100_000)].into(),
    }
}

/// Labels alternate; weak is right on 6 of 10, the ceiling on 9 of 10.
fn testbed(dir: &Path) {
    std::fs::create_dir_all(dir.join("hidden/inputs")).unwrap();
    let (mut rows, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for split in Split::ALL {
        let row = |i: usize| TruthRow {
            id: format!("{i}"),
            label: i.is_multiple_of(2),
            cluster: i.to_string(),
            distribution: None,
        };
        let lines: String =
            (0..ITEMS).map(|i| format!("{{\"id\":\"{i}\",\"question\":\"q\",\"choice\":\"c\"}}\n")).collect();
        std::fs::write(dir.join(format!("hidden/inputs/{}.jsonl", split.name())), lines).unwrap();
        rows.insert(split, (0..ITEMS).map(row).collect());
        let runs = |tenths: usize| {
            (0..4).map(|seed| (0..ITEMS).map(|i| if (i + seed) % 10 < tenths { '1' } else { '0' }).collect()).collect()
        };
        frozen.insert(split, FrozenRuns { weak: runs(6), ceiling: runs(9) });
    }
    truth::write(dir, &rows, &frozen).unwrap();
}

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorCode {
    match result.unwrap_err() {
        ClientError::Refused(body) => body.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_turn_begins_when_all_have_moved_and_all_is_evaluated() {
    let bench = Bench::new();
    assert_eq!(refused(bench.submit("ada", 1, "a")), ErrorCode::Conflict);
    bench.submit("ada", 0, "a").unwrap();
    bench.submit("boole", 0, "b").unwrap();
    assert_eq!(refused(bench.submit("ada", 1, "c")), ErrorCode::Conflict, "turn 0 is not evaluated yet");
    assert_eq!(bench.work(75), 4);
    let view: TurnView = bench.client("ada").get(&paths::TURN.replace("{turn}", "1")).unwrap();
    assert!(view.ready && !view.closed);
    let board: Vec<BoardRow> = bench.client("ada").get("/v1/leaderboard?before=9").unwrap();
    assert_eq!(board.len(), 2);
    assert_eq!(board[0].feedback.pgr, Some(0.5));
    bench.submit("ada", 1, "c").unwrap();
    let board: Vec<BoardRow> = bench.client("boole").get("/v1/leaderboard?before=9").unwrap();
    assert_eq!(board.len(), 2, "nobody sees a turn that is not over");
    assert_eq!(refused(bench.submit("boole", 1, "d")), ErrorCode::BudgetSpent, "the team has three evaluations");
}

#[test]
fn the_same_key_is_the_same_evaluation_and_charged_once() {
    let mut bench = Bench::new();
    let first = bench.submit("ada", 0, "a").unwrap();
    assert_eq!(bench.submit("ada", 0, "a").unwrap().id, first.id);
    assert_eq!(refused(bench.submit("ada", 0, "b")), ErrorCode::Conflict);
    bench.restart();
    assert_eq!(bench.submit("ada", 0, "a").unwrap().id, first.id);
    let me: Me = bench.client("ada").get(paths::ME).unwrap();
    assert_eq!((me.evaluations_used, me.evaluations_left), (1, 1));
    bench.work(60);
    let account = bench.server().snapshot().ledger.account(Unit::Evaluations);
    assert_eq!((account.used, account.reserved), (1, 0));
    assert_eq!(bench.server().snapshot().ledger.account(Unit::Operations).used, 10);
}

#[test]
fn a_restart_keeps_what_is_done_and_gives_out_again_what_was_not() {
    let mut bench = Bench::new();
    bench.submit("ada", 0, "a").unwrap();
    let job = bench.claim().unwrap();
    let path = paths::OUTPUTS.replace("{id}", &job.id.to_string());
    let outputs = Outputs { margins: vec![1.0; ITEMS], usage: Usage::default(), curve: vec![(0, 0.7)] };
    let _: serde_json::Value = bench.client("worker").post(&path, &outputs).unwrap();
    let lost = bench.claim().unwrap();
    bench.restart();
    assert_eq!(bench.own("ada")[0].seeds_done, 1);
    let again = bench.claim().unwrap();
    assert_eq!(again, lost);
    let before = bench.server().snapshot();
    assert_eq!(before.jobs[0].curve, vec![(0, 0.7)]);
}

#[test]
fn a_failed_bundle_is_charged_and_a_failed_worker_is_not_its_fault() {
    let bench = Bench::new();
    bench.submit("ada", 0, "a").unwrap();
    let fail = |job: &Job, worker_fault: bool| {
        let failure = Failure { reason: "train exited with 1".into(), log_tail: "boom".into(), worker_fault };
        let path = paths::FAILURE.replace("{id}", &job.id.to_string());
        let _: serde_json::Value = bench.client("worker").post(&path, &failure).unwrap();
    };
    let job = bench.claim().unwrap();
    fail(&job, true);
    assert_eq!(bench.claim().unwrap().id, job.id);
    fail(&job, false);
    let view = &bench.own("ada")[0];
    assert_eq!((view.status.as_str(), view.reason.as_deref()), ("failed", Some("train exited with 1\nboom")));
    assert_eq!(bench.claim(), None, "the other seeds of a failed evaluation are not run");
    assert_eq!(bench.server().snapshot().ledger.account(Unit::Evaluations).used, 1);
}

#[test]
fn wrong_margins_and_wrong_tokens_are_refused() {
    let bench = Bench::new();
    bench.submit("ada", 0, "a").unwrap();
    let job = bench.claim().unwrap();
    let post = |by: &str, margins: Vec<f32>| -> Result<serde_json::Value, _> {
        let outputs = Outputs { margins, usage: Usage::default(), curve: vec![] };
        bench.client(by).post(&paths::OUTPUTS.replace("{id}", &job.id.to_string()), &outputs)
    };
    assert_eq!(refused(post("worker", vec![1.0; ITEMS - 1])), ErrorCode::BadRequest);
    assert_eq!(refused(post("ada", vec![1.0; ITEMS])), ErrorCode::Forbidden);
    assert_eq!(refused(post("nobody", vec![1.0; ITEMS])), ErrorCode::Unauthorized);
    assert_eq!(refused(bench.client("ada").get::<EvaluationView>("/v1/evaluations/99")), ErrorCode::NotFound);
    assert_eq!(refused(bench.client("ada").get::<Bundle>("/v1/bundles/99")), ErrorCode::NotFound);
}

#[test]
fn a_finding_is_posted_once_and_a_result_names_its_evaluation() {
    let bench = Bench::new();
    let finding = |kind, evaluation| NewFinding {
        kind,
        title: "t".into(),
        body: "b".into(),
        evaluation,
        turn: Some(0),
        key: "k".into(),
    };
    let post = |new: NewFinding| bench.client("ada").post::<_, Finding>(paths::FINDINGS, &new);
    assert_eq!(refused(post(finding(FindingType::Result, None))), ErrorCode::BadRequest);
    assert_eq!(refused(post(finding(FindingType::Result, Some(7)))), ErrorCode::BadRequest);
    let first = post(finding(FindingType::Insight, None)).unwrap();
    assert_eq!(post(finding(FindingType::Insight, None)).unwrap().id, first.id);
    let seen: Vec<Finding> = bench.client("boole").get(paths::FINDINGS).unwrap();
    assert!(seen.is_empty(), "a finding of this turn is seen in the next");
}

#[test]
fn a_closing_study_takes_no_more_and_another_plan_is_not_this_study() {
    let bench = Bench::new();
    bench.server().enter(Phase::Closing).unwrap();
    assert_eq!(refused(bench.submit("ada", 0, "a")), ErrorCode::Closed);
    let view: TurnView = bench.client("ada").get(&paths::TURN.replace("{turn}", "0")).unwrap();
    assert!(view.closed);
    assert!(bench.server().open(&opening("another")).is_err());
}

#[test]
fn every_route_is_described() {
    let bench = Bench::new();
    let document: serde_json::Value = bench.client("nobody").get(paths::OPENAPI).unwrap();
    let mut routes: Vec<String> = vec![];
    for (path, methods) in document["paths"].as_object().unwrap() {
        routes.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    routes.sort();
    insta::assert_snapshot!(routes.join("\n"), @r"
    get /v1/bundles/{id}
    get /v1/evaluations
    get /v1/evaluations/{id}
    get /v1/findings
    get /v1/findings/{id}/comments
    get /v1/leaderboard
    get /v1/me
    get /v1/study
    get /v1/turn/{turn}
    post /v1/bundles
    post /v1/evaluations
    post /v1/findings
    post /v1/findings/{id}/comments
    post /v1/retire
    post /v1/work/claim
    post /v1/work/{id}/failure
    post /v1/work/{id}/heartbeat
    post /v1/work/{id}/outputs
    ");
}
