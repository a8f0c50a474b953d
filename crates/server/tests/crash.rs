//! A server that is killed loses nothing it has acknowledged, and charges nothing twice.

mod bench;

use aar_api::client::ClientError;
use aar_api::forum::{Finding, FindingType, NewFinding};
use aar_api::paths;
use aar_api::work::{Claim, Job, Outputs, Usage};
use aar_domain::rung::Split;
use aar_grader::ledger::{Policy, Unit};
use aar_server::event::{Opening, Seed};
use aar_server::handle::Snapshot;
use aar_server::record::{JobRecord, Status};
use bench::{client, config, margins, opening, serve, submit};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Kills; a longer run sets `AAR_CRASH_ROUNDS`.
const ROUNDS: usize = 50;
/// Names the folder to the child that serves it.
const SERVE: &str = "AAR_CRASH_SERVE";

/// A study without limits that matter here.
fn wide() -> Opening {
    let seeds = (0..2).map(|seed| Seed { seed, teacher: seed as u32 }).collect();
    let limits = [(Unit::Evaluations, 1 << 40), (Unit::MilliBits, 1 << 40)];
    Opening {
        policy: Policy::Naive { step: 0.05 },
        seeds: [(Split::Feedback, seeds)].into(),
        limits: limits.into(),
        ..opening("plan crash")
    }
}

fn start(dir: &Path) -> aar_server::Server {
    serve(&config(dir), &wide(), u32::MAX, false)
}

/// The child: does nothing unless it was started by the test below.
#[test]
fn serve_until_killed() {
    let Some(dir) = std::env::var_os(SERVE).map(PathBuf::from) else { return };
    let _server = start(&dir);
    std::fs::write(dir.join("up"), "").unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

fn spawn(dir: &Path) -> Child {
    let _ = std::fs::remove_file(dir.join("up"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["serve_until_killed", "--exact"])
        .env(SERVE, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !dir.join("up").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the server did not come up again");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

/// What was acknowledged: keys with the numbers they were given.
#[derive(Default)]
struct Acknowledged {
    evaluations: BTreeMap<(String, String), i64>,
    findings: BTreeMap<(String, String), i64>,
    done: BTreeMap<i64, u64>,
}

fn count(seen: &Mutex<Acknowledged>) -> usize {
    let seen = seen.lock().unwrap();
    seen.evaluations.len() + seen.findings.len() + seen.done.len()
}

/// Submit and post until the server is gone. The first request repeats the one that may have been cut off.
fn research(dir: &Path, name: &str, next: &mut u64, seen: &Mutex<Acknowledged>) {
    let client = client(dir, name);
    loop {
        let key = format!("{name} {next}");
        let Ok(id) = submit(&client, &key).map(|view| view.id) else { return };
        let known = seen.lock().unwrap().evaluations.insert((name.into(), key.clone()), id);
        assert!(known.is_none_or(|known| known == id), "{key} was #{known:?}, now #{id}");
        let finding = NewFinding {
            kind: FindingType::Insight,
            title: key.clone(),
            body: "b".into(),
            evaluation: None,
            turn: None,
            key: key.clone(),
        };
        let Ok(posted) = client.post::<_, Finding>(paths::FINDINGS, &finding) else { return };
        seen.lock().unwrap().findings.insert((name.into(), key), posted.id);
        *next += 1;
    }
}

/// Work off the queue until the server is gone.
fn work(dir: &Path, seen: &Mutex<Acknowledged>) {
    let client = client(dir, "worker");
    loop {
        let claimed: Result<Option<Job>, _> = client.post(paths::CLAIM, &Claim { worker: "w".into(), wait_ms: 5 });
        let Ok(claimed) = claimed else { return };
        let Some(job) = claimed else { continue };
        let usage = Usage { train_operations: job.id as u64, ..Usage::default() };
        let outputs = Outputs { margins: margins(70), usage, curve: vec![] };
        let path = paths::OUTPUTS.replace("{id}", &job.id.to_string());
        match client.post::<_, serde_json::Value>(&path, &outputs) {
            Ok(_) => seen.lock().unwrap().done.insert(job.id, usage.train_operations),
            Err(ClientError::Refused(refusal)) => panic!("job {}: {}", job.id, refusal.message),
            Err(_) => return,
        };
    }
}

/// Everything acknowledged is there once, and the account is that of what is there.
fn check(now: &Snapshot, seen: &Acknowledged) {
    let mut keys: Vec<_> = now.evaluations.iter().map(|record| (&record.asked.by, &record.asked.key)).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "an evaluation is there twice");
    for ((by, key), id) in &seen.evaluations {
        let record = &now.evaluations[*id as usize - 1];
        assert_eq!((&record.asked.by, &record.asked.key), (by, key));
    }
    for ((by, key), id) in &seen.findings {
        let finding = &now.findings[*id as usize - 1];
        assert_eq!((&finding.posted.by, &finding.posted.key), (by, key));
    }
    for (job, operations) in &seen.done {
        let record = &now.jobs[*job as usize - 1];
        assert_eq!((record.status, record.usage.train_operations), (Status::Done, *operations));
    }
    let account = now.ledger.account(Unit::Evaluations);
    assert_eq!(account.used + account.reserved, now.evaluations.len() as u64, "charges and evaluations differ");
    // An evaluation is charged when its last seed is in.
    let ended = |job: &&JobRecord| now.evaluations[job.evaluation as usize - 1].ended();
    let ran: u64 = now.jobs.iter().filter(ended).map(|job| job.usage.train_operations).sum();
    assert_eq!(now.ledger.account(Unit::Operations).used, ran, "operations charged and operations run differ");
}

#[test]
fn killed_at_any_moment_it_keeps_what_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    bench::testbed(dir);
    let rounds = std::env::var("AAR_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let seen = Mutex::new(Acknowledged::default());
    let (mut ada, mut boole) = (0, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..rounds {
        let mut child = spawn(dir);
        std::thread::scope(|scope| {
            scope.spawn(|| research(dir, "ada", &mut ada, &seen));
            scope.spawn(|| research(dir, "boole", &mut boole, &seen));
            scope.spawn(|| work(dir, &seen));
            // A few at the very start, most amid work, also on a busy machine; the pause puts them anywhere within a request.
            let (enough, latest) = (count(&seen) + rng.random_range(0..10), Instant::now() + Duration::from_secs(5));
            while count(&seen) < enough && Instant::now() < latest {
                std::thread::sleep(Duration::from_micros(300));
            }
            std::thread::sleep(Duration::from_micros(rng.random_range(0..10_000)));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let server = start(dir);
        check(&server.snapshot(), &seen.lock().unwrap());
    }
    let seen = seen.into_inner().unwrap();
    println!(
        "{rounds} kills: {} submissions, {} findings, {} jobs acknowledged, none lost",
        seen.evaluations.len(),
        seen.findings.len(),
        seen.done.len()
    );
    assert!(seen.evaluations.len() > rounds && seen.done.len() > rounds, "the load was too small to show anything");
}
