//! Load: durable submissions with an answer through the predictions contract, ledger and log chain on.
//!
//! `cargo run --release -p aar-server --example load [CLIENTS] [SECONDS]` prints submissions per second and how long one
//! waits, then audits the log and compares what it holds with what was acknowledged.

#![allow(clippy::print_stdout)]

use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::{Policy, Unit};
use aar_grader::truth::{self, FrozenRuns, TruthRow};
use aar_server::event::{Contract, Opening, Participant, Phase, Role, Seed};
use aar_server::{Server, ServerConfig, audit};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Feedback items, as many as the study's hidden test had; the selection split adds a few that are not answered.
const ITEMS: usize = 1263;
const SELECTION: usize = 64;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>().expect("a number is needed"));
    let (clients, seconds) = (args.next().unwrap_or(100), args.next().unwrap_or(10));
    let dir = tempfile::tempdir().expect("make a folder");
    testbed(dir.path());
    let log = dir.path().join("study.db");
    let http = Some(([127, 0, 0, 1], 0).into());
    let server = Server::start(&ServerConfig { log: log.clone(), testbed: dir.path().into(), socket: None, http });
    let server = server.expect("start the server");
    open(&server, clients);
    let url = format!("http://{}/v1/predictions", server.http().expect("an address"));
    let mut waits = run(&url, clients, Duration::from_secs(seconds as u64));
    drop(server);
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{clients} clients, {ITEMS} items, ladder, synchronous=FULL, hash chain, {seconds} s");
    println!("submissions acknowledged   {}", waits.len());
    println!("per second                 {:.0}", waits.len() as f64 / seconds as f64);
    println!("wait, ms                   median {:.1}   p99 {:.1}   most {:.1}", at(0.5), at(0.99), at(1.0));
    let bytes = std::fs::metadata(&log).map_or(0, |metadata| metadata.len());
    println!("log                        {:.1} kB a submission", bytes as f64 / 1e3 / waits.len() as f64);
    let audit = audit::verify(&log, &[]).expect("audit the log");
    println!("audit                      {} events, {} faults", audit.events, audit.faults.len());
    assert!(audit.faults.is_empty() && audit.blobs >= waits.len(), "the log lost what was acknowledged");
}

fn token(client: usize) -> String {
    format!("token of client {client}")
}

fn open(server: &Server, clients: usize) {
    let seed = |seed| vec![Seed { seed, teacher: 0 }];
    let opening = Opening {
        study: "load".into(),
        testbed: "made up".into(),
        subject: "chat".into(),
        plan: "0".repeat(64),
        key_commitment: String::new(),
        seeds: [(Split::Feedback, seed(1)), (Split::Selection, seed(2))].into(),
        policy: Policy::Ladder { step: 0.05 },
        limits: [(Unit::Evaluations, 1 << 40), (Unit::MilliBits, 1 << 50)].into(),
        contract: Contract::Predictions,
    };
    server.open(&opening).expect("open the study");
    for client in 0..clients {
        let participant = Participant {
            name: format!("client-{client}"),
            role: Role::Researcher,
            kind: Some(Kind::Human),
            direction: None,
            seed: 0,
            evaluations: u32::MAX,
            turns: false,
            token_hash: hex::encode(Sha256::digest(token(client))),
        };
        server.join(&participant).expect("join");
    }
    server.enter(Phase::Running).expect("start");
}

/// Every client hands in one submission after the other, each different from all others. Returns how long each waited.
fn run(url: &str, clients: usize, time: Duration) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("make a runtime");
    let end = Instant::now() + time;
    runtime.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().expect("make a client");
        let client = |client: usize| {
            let (http, url) = (http.clone(), url.to_owned());
            async move {
                let mut random = ChaCha8Rng::seed_from_u64(client as u64);
                let mut waits = Vec::new();
                while Instant::now() < end {
                    let answers: Vec<u8> = (0..ITEMS + SELECTION).map(|_| random.random_range(0..2)).collect();
                    let key = format!("{client} {}", waits.len());
                    let body = serde_json::json!({"answers": answers, "name": key, "key": key});
                    let asked = Instant::now();
                    let answer = http.post(&url).bearer_auth(token(client)).json(&body).send().await.expect("ask");
                    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
                    answer.bytes().await.expect("read the answer");
                    waits.push(asked.elapsed());
                }
                waits
            }
        };
        let tasks: Vec<_> = (0..clients).map(|at| tokio::spawn(client(at))).collect();
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(task.await.expect("a client"));
        }
        waits
    })
}

fn testbed(dir: &Path) {
    std::fs::create_dir_all(dir.join("hidden/inputs")).expect("make a folder");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut rows, mut frozen) = (BTreeMap::new(), BTreeMap::new());
    for (split, items) in [(Split::Feedback, ITEMS), (Split::Selection, SELECTION)] {
        let row = |i: usize| format!("{{\"id\":\"{}-{i}\",\"question\":\"q\",\"choice\":\"c\"}}\n", split.name());
        let lines: String = (0..items).map(row).collect();
        std::fs::write(dir.join(format!("hidden/inputs/{}.jsonl", split.name())), lines).expect("write inputs");
        let mut truth = |i: usize| TruthRow {
            id: format!("{}-{i}", split.name()),
            label: random.random_bool(0.5),
            cluster: i.to_string(),
            distribution: None,
        };
        rows.insert(split, (0..items).map(&mut truth).collect());
        let mut runs = |right: f64| -> Vec<String> {
            (0..4).map(|_| (0..items).map(|_| if random.random_bool(right) { '1' } else { '0' }).collect()).collect()
        };
        frozen.insert(split, FrozenRuns { weak: runs(0.55), ceiling: runs(0.85) });
    }
    truth::write(dir, &rows, &frozen).expect("write the truth");
}
