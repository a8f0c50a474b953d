//! A server with a tiny testbed, for tests; none of them uses all of it.
#![allow(dead_code)]

use aar_api::bundle::{Bundle, BundleStored};
use aar_api::client::{Address, Client, ClientError};
use aar_api::error::ErrorCode;
use aar_api::evaluation::{EvaluationView, Submission};
use aar_api::paths;
use aar_domain::item::Distribution;
use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::{Policy, Unit};
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use aar_server::event::{Opening, Participant, Phase, Role, Seed};
use aar_server::{Server, ServerConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Items per split.
pub const ITEMS: usize = 200;

pub struct Bench {
    /// Everything it writes.
    pub dir: tempfile::TempDir,
    /// Runs until it is dropped.
    pub server: Option<Server>,
    /// What its study was opened with.
    pub opening: Opening,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(opening("plan one"))
    }

    pub fn with(opening: Opening) -> Self {
        let dir = tempfile::tempdir().unwrap();
        testbed(dir.path());
        let mut bench = Self { dir, server: None, opening };
        bench.start();
        bench
    }

    pub fn start(&mut self) {
        self.server = Some(serve(&config(self.dir.path()), &self.opening, 2, true));
    }

    pub fn restart(&mut self) {
        self.server = None;
        self.start();
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub fn client(&self, name: &str) -> Client {
        client(self.dir.path(), name)
    }
}

/// A server whose study is running, with two researchers and a worker.
pub fn serve(config: &ServerConfig, opening: &Opening, evaluations: u32, turns: bool) -> Server {
    let server = Server::start(config).unwrap();
    server.open(opening).unwrap();
    for (name, role) in [("ada", Role::Researcher), ("boole", Role::Researcher), ("worker", Role::Worker)] {
        let researcher = role == Role::Researcher;
        let participant = Participant {
            name: name.into(),
            role,
            kind: researcher.then_some(Kind::Search),
            direction: Some("confidence".into()),
            seed: 1,
            evaluations,
            turns: turns && researcher,
            token_hash: token_hash(name),
        };
        server.join(&participant).unwrap();
    }
    server.enter(Phase::Running).unwrap();
    server
}

/// Of the token that [`Bench::client`] sends.
pub fn token_hash(name: &str) -> String {
    hex::encode(Sha256::digest(format!("token of {name}")))
}

/// A client of the server whose socket lies in `dir`.
pub fn client(dir: &Path, name: &str) -> Client {
    Client::new(&Address::Unix(dir.join("api.sock")), &format!("token of {name}")).unwrap()
}

/// Where a server of `dir` keeps and finds things.
pub fn config(dir: &Path) -> ServerConfig {
    ServerConfig { log: dir.join("study.db"), testbed: dir.to_owned(), socket: Some(dir.join("api.sock")), http: None }
}

/// Right on `hundredths` of the items.
pub fn margins(hundredths: usize) -> Vec<f32> {
    (0..ITEMS).map(|i| if (i % 100 < hundredths) == (i % 2 == 0) { 1.0 } else { -1.0 }).collect()
}

/// Right on as many, and on others.
pub fn others(hundredths: usize) -> Vec<f32> {
    (0..ITEMS).map(|i| if (99 - i % 100 < hundredths) == (i % 2 == 0) { 1.0 } else { -1.0 }).collect()
}

pub fn opening(plan: &str) -> Opening {
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
        contract: Default::default(),
    }
}

/// Labels alternate; weak is right on 6 of 10, the ceiling on 9 of 10.
pub fn testbed(dir: &Path) {
    testbed_of(dir, ITEMS);
}

/// With so many items per split.
pub fn testbed_of(dir: &Path, items: usize) {
    std::fs::create_dir_all(dir.join("hidden/inputs")).unwrap();
    let (mut rows, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for split in Split::ALL {
        let row = |i: usize| TruthRow {
            id: format!("{i}"),
            label: i.is_multiple_of(2),
            cluster: i.to_string(),
            distribution: Some(if i % 4 == 3 { Distribution::Out } else { Distribution::In }),
        };
        let lines: String =
            (0..items).map(|i| format!("{{\"id\":\"{i}\",\"question\":\"q\",\"choice\":\"c\"}}\n")).collect();
        std::fs::write(dir.join(format!("hidden/inputs/{}.jsonl", split.name())), lines).unwrap();
        rows.insert(split, (0..items).map(row).collect());
        let runs = |tenths: usize| {
            (0..4).map(|seed| (0..items).map(|i| if (i + seed) % 10 < tenths { '1' } else { '0' }).collect()).collect()
        };
        frozen.insert(split, FrozenRuns { weak: runs(6), ceiling: runs(9) });
    }
    truth::write(dir, &rows, &frozen).unwrap();
}

pub fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorCode {
    match result.unwrap_err() {
        ClientError::Refused(body) => body.code,
        other => panic!("{other:?}"),
    }
}

/// Store a recipe that is its own key, and submit it.
pub fn submit(client: &Client, key: &str) -> Result<EvaluationView, ClientError> {
    submit_recipe(client, key, key)
}

/// Store a recipe, and submit it under a key.
pub fn submit_recipe(client: &Client, recipe: &str, key: &str) -> Result<EvaluationView, ClientError> {
    let stored: BundleStored = client.post(paths::BUNDLES, &Bundle::of_recipe(recipe))?;
    let submission = Submission {
        bundle: stored.bundle,
        name: key.into(),
        family: "other".into(),
        parent: None,
        key: key.into(),
        turn: None,
    };
    client.post(paths::EVALUATIONS, &submission)
}

/// Every route as `method path`, as the server itself describes them.
pub fn routes(client: &Client) -> Vec<String> {
    let document: Value = client.get(paths::OPENAPI).unwrap();
    let methods = |(path, methods): (&String, &Value)| {
        let names: Vec<String> = methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")).collect();
        names
    };
    document["paths"].as_object().unwrap().iter().flat_map(methods).collect()
}

/// A body that a route can read, so that it is the token that decides.
pub fn body(route: &str) -> Value {
    match route {
        "post /v1/bundles" => json!({"files": [{"path": "recipe.toml", "executable": false, "hex": "00"}]}),
        "post /v1/evaluations" => json!({"bundle": "00", "name": "n", "family": "other", "key": "k"}),
        "post /v1/predictions" => json!({"answers": [1], "name": "n", "key": "k"}),
        "post /v1/participants" => json!({"name": "", "kind": "human", "evaluations": 1}),
        "post /v1/instructions" => json!({"researcher": "nobody-of-this-name", "instruction": {"do": "pause"}}),
        "post /v1/findings/{id}/votes" => json!({"value": 1}),
        "post /v1/integrity" => json!({"do": "uphold", "verdict": 1, "reason": "r"}),
        "post /v1/jobs/{id}/touched" => json!({"files": []}),
        "post /v1/findings" => json!({"kind": "insight", "title": "t", "body": "b", "key": "k"}),
        "post /v1/findings/{id}/comments" => json!({"body": "b", "key": "k"}),
        "post /v1/jobs/claim" => json!({"worker": "w", "wait_ms": 1}),
        "post /v1/jobs/{id}/outputs" => json!({"margins": [], "usage": {
            "train_operations": 0, "train_cpu_ms": 0, "predict_cpu_ms": 0, "wall_ms": 0}}),
        "post /v1/jobs/{id}/failure" => json!({"reason": "r"}),
        "post /v1/jobs/{id}/heartbeat" | "post /v1/retire" => json!({}),
        other => panic!("{other} is a new route: say here what a call of it looks like"),
    }
}
