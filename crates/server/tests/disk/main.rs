//! Disks that lose what nobody waited for, that are full, that fail.
//!
//! A server runs on a disk that keeps a journal (`journal.c`, preloaded). `replay` makes up the disks that a loss of power could have left at any
//! moment; on each of them everything that was acknowledged before must be there.

#![allow(clippy::print_stdout)]

#[path = "../bench/mod.rs"]
mod bench;
mod replay;

use aar_api::client::ClientError;
use aar_api::error::ErrorCode;
use aar_api::forum::{Finding, FindingType, NewFinding};
use aar_api::paths;
use aar_api::work::{Claim, Job, Outputs, Usage};
use aar_domain::rung::Split;
use aar_grader::ledger::{Policy, Unit};
use aar_server::event::{Opening, Seed};
use aar_server::record::Status;
use aar_server::{Server, audit};
use bench::{client, config, margins, opening, refused, serve, submit_recipe};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use replay::{Journal, Loss};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Moments at which power is lost; a longer run sets `AAR_DISK_MOMENTS`.
const MOMENTS: usize = 60;
/// Rounds of the load: each a submission, a finding, a job. Enough for the log to be written back into the file while it goes on.
const ROUNDS: usize = 40;

fn wide() -> Opening {
    let limits = [(Unit::Evaluations, 1 << 40), (Unit::MilliBits, 1 << 40)];
    Opening {
        policy: Policy::Naive { step: 0.05 },
        seeds: [(Split::Feedback, vec![Seed { seed: 1, teacher: 1 }])].into(),
        limits: limits.into(),
        ..opening("plan disk")
    }
}

fn start(dir: &Path) -> Server {
    serve(&config(dir), &wide(), u32::MAX, false)
}

/// Compile the journal; why not, where that is not possible.
fn journal(dir: &Path) -> Result<PathBuf, String> {
    let source = dir.join("journal.c");
    std::fs::write(&source, include_str!("journal.c")).unwrap();
    let library = dir.join("journal.so");
    let compiled =
        Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-lpthread").output();
    match compiled {
        Ok(output) if output.status.success() => Ok(library),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("cc failed").to_owned()),
        Err(_) => Err("no C compiler (cc) on this host".into()),
    }
}

/// This program again, as the part `part`, on the disk `dir` with its journal.
fn child(part: &str, dir: &Path, outside: &Path, library: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([part, "--exact", "--nocapture"]).env("AAR_DISK", dir).env("LD_PRELOAD", library);
    command.env("DISK_ROOT", dir).env("DISK_JOURNAL", outside.join("journal")).env("DISK_FAULT", outside.join("fault"));
    command.env("AAR_DISK_FAULT", outside.join("fault"));
    command
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn disk() -> Option<PathBuf> {
    std::env::var_os("AAR_DISK").map(PathBuf::from)
}

/// Write down, on the same disk, what was acknowledged.
fn note(dir: &Path, what: &str, id: i64) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(dir.join("acknowledged")).unwrap();
    file.write_all(format!("{what} {id}\n").as_bytes()).unwrap();
}

/// One round of the load; notes what was acknowledged.
fn round(dir: &Path, key: &str, bytes: usize) -> Result<(), ClientError> {
    let (ada, worker) = (client(dir, "ada"), client(dir, "worker"));
    let recipe = format!("{key} {}", "#".repeat(bytes));
    note(dir, "evaluation", submit_recipe(&ada, &recipe, key)?.id);
    let finding = NewFinding {
        kind: FindingType::Insight,
        title: key.into(),
        body: "b".into(),
        evaluation: None,
        turn: None,
        key: key.into(),
    };
    note(dir, "finding", ada.post::<_, Finding>(paths::FINDINGS, &finding)?.id);
    let job: Option<Job> = worker.post(paths::CLAIM, &Claim { worker: "w".into(), wait_ms: 0 })?;
    let Some(job) = job else { return Ok(()) };
    let outputs = Outputs { margins: margins(70), usage: Usage::default(), curve: vec![] };
    let _: Value = worker.post(&paths::OUTPUTS.replace("{id}", &job.id.to_string()), &outputs)?;
    note(dir, "job", job.id);
    Ok(())
}

/// What `note` wrote, of a disk.
fn noted(text: &str) -> Vec<(String, i64)> {
    let pair = |line: &str| line.split_once(' ').and_then(|(what, id)| Some((what.to_owned(), id.parse().ok()?)));
    text.lines().filter_map(pair).collect()
}

/// What of it is not there. An error where the log can't be opened at all, or is not as it was written.
fn missing(dir: &Path, acknowledged: &[(String, i64)]) -> Result<usize, String> {
    let server = Server::start(&config(dir)).map_err(|error| error.to_string())?;
    let now = server.snapshot();
    let there = |(what, id): &&(String, i64)| {
        let place = *id as usize - 1;
        match what.as_str() {
            "evaluation" => now.evaluations.get(place).is_some(),
            "finding" => now.findings.get(place).is_some(),
            _ => now.jobs.get(place).is_some_and(|job| job.status == Status::Done),
        }
    };
    let account = now.ledger.account(Unit::Evaluations);
    if account.used + account.reserved != now.evaluations.len() as u64 {
        return Err(format!("{} evaluations, account {account:?}", now.evaluations.len()));
    }
    let missing = acknowledged.iter().filter(|one| !there(one)).count();
    drop(server);
    let audit = audit::verify(&dir.join("study.db"), &[]).map_err(|error| error.to_string())?;
    if audit.faults.is_empty() { Ok(missing) } else { Err(format!("{:?}", audit.faults)) }
}

/// The child: does nothing unless it was started by a test below.
#[test]
fn load_a_disk() {
    let Some(dir) = disk() else { return };
    let _server = start(&dir);
    for at in 0..ROUNDS {
        round(&dir, &format!("k{at}"), 60_000).unwrap();
    }
    // No orderly end: nothing is written back that was not.
    std::process::abort();
}

/// Load a disk, then make up what a loss of power leaves at many moments. Returns (disks, unacknowledged ones lost, damaged).
fn lose_power(lies: bool) -> Option<(usize, usize, Vec<String>)> {
    let (outside, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let library = match journal(outside.path()) {
        Ok(library) => library,
        Err(why) => {
            println!("skipped: {why}, so no disk loses power");
            return None;
        }
    };
    bench::testbed(dir.path());
    let mut command = child("load_a_disk", dir.path(), outside.path(), &library);
    if lies {
        command.env("DISK_LIES", "1");
    }
    let output = command.output().unwrap();
    let journal = Journal::read(&outside.path().join("journal"));
    let all = noted(&journal.text_at(journal.len(), "acknowledged"));
    assert_eq!(all.len(), 3 * ROUNDS, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        journal.written_back("study.db") > 500_000,
        "the log was not written back into the file, which is the hardest moment"
    );
    let moments = std::env::var("AAR_DISK_MOMENTS").ok().and_then(|moments| moments.parse().ok()).unwrap_or(MOMENTS);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let first = journal.first("acknowledged");
    let (mut lost, mut damaged) = (0, vec![]);
    for moment in 0..moments {
        let at = rng.random_range(first..=journal.len());
        let loss = [Loss::All, Loss::Some, Loss::Torn][moment % 3];
        let left = tempfile::tempdir().unwrap();
        journal.lose(at, loss, &mut rng, left.path());
        std::os::unix::fs::symlink(dir.path().join("hidden"), left.path().join("hidden")).unwrap();
        let acknowledged = noted(&journal.text_at(at, "acknowledged"));
        match missing(left.path(), &acknowledged) {
            Ok(missing) => lost += missing,
            Err(what) => damaged.push(format!("at {at} of {}, {loss:?}: {what}", journal.len())),
        }
    }
    Some((moments, lost, damaged))
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power() {
    let Some((disks, lost, damaged)) = lose_power(false) else { return };
    println!("{disks} losses of power: nothing acknowledged lost");
    assert!(lost == 0 && damaged.is_empty(), "{lost} lost; {damaged:#?}");
}

/// The same on a disk whose waits are lies: were they not needed, the test above would show nothing.
#[test]
fn a_disk_that_lies_loses_it() {
    let Some((_, lost, damaged)) = lose_power(true) else { return };
    assert!(lost > 0 || !damaged.is_empty());
}

/// The child: a disk that fails while it is written to, or waited for.
#[test]
fn work_on_a_failing_disk() {
    let Some(dir) = disk() else { return };
    let fault = PathBuf::from(std::env::var_os("AAR_DISK_FAULT").unwrap());
    let how = std::env::var("AAR_DISK_HOW").unwrap();
    let _server = start(&dir);
    round(&dir, "before", 100).unwrap();
    std::fs::write(&fault, &how).unwrap();
    let fails = |key: &str| assert_eq!(refused(round(&dir, key, 100)), ErrorCode::Unavailable, "{how} {key}");
    fails("while");
    fails("still");
    let nobody = client(&dir, "nobody");
    assert_eq!(refused(nobody.get::<Value>(paths::HEALTH)), ErrorCode::Unavailable, "it says so");
    let ada = client(&dir, "ada");
    let own: Vec<Value> = ada.get(paths::EVALUATIONS).unwrap();
    assert_eq!(own.len(), 1, "what can't be recorded has no effect, and what is there can be read");
    std::fs::remove_file(&fault).unwrap();
    if how == "S" {
        // Room was made: it goes on by itself.
        round(&dir, "after", 100).unwrap();
        let _: Value = nobody.get(paths::HEALTH).unwrap();
    } else {
        // Nobody knows what such a disk kept: it goes on after a restart, when the log was read again.
        fails("after");
        drop(_server);
        let _server = start(&dir);
        round(&dir, "again", 100).unwrap();
    }
}

#[test]
fn a_full_or_failing_disk_is_an_error_and_no_damage() {
    for how in ["S", "W", "F"] {
        let (outside, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let library = match journal(outside.path()) {
            Ok(library) => library,
            Err(why) => return println!("skipped: {why}, so no disk fails"),
        };
        bench::testbed(dir.path());
        let mut command = child("work_on_a_failing_disk", dir.path(), outside.path(), &library);
        command.env("AAR_DISK_HOW", how);
        run(command);
        let acknowledged = noted(&std::fs::read_to_string(dir.path().join("acknowledged")).unwrap());
        assert_eq!(missing(dir.path(), &acknowledged), Ok(0), "{how}");
    }
}

/// The child: a file system that has no more room, and then has.
#[test]
fn work_on_a_full_disk() {
    let Some(dir) = disk() else { return };
    bench::testbed(&dir);
    let ballast = dir.join("ballast");
    // The log is written back into the file when it is 4 MB long: that needs as much again.
    std::fs::write(&ballast, vec![1; 6 << 20]).unwrap();
    let server = start(&dir);
    let full = (0..200).find_map(|at| round(&dir, &format!("k{at}"), 60_000).err());
    let Some(ClientError::Refused(refusal)) = full else { panic!("never full: {full:?}") };
    assert_eq!(refusal.code, ErrorCode::Unavailable, "{refusal:?}");
    assert!(refusal.message.contains("full"), "{refusal:?}");
    std::fs::remove_file(ballast).unwrap();
    round(&dir, "after", 100).unwrap();
    drop(server);
    let acknowledged = noted(&std::fs::read_to_string(dir.join("acknowledged")).unwrap());
    assert_eq!(missing(&dir, &acknowledged), Ok(0));
    println!("{} acknowledged", acknowledged.len());
}

#[test]
fn a_file_system_without_room_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let size = (11 << 20).to_string();
    let mut command = Command::new("bwrap");
    command.args(["--dev-bind", "/", "/", "--size", &size, "--tmpfs"]).arg(dir.path()).arg("--");
    let works = Command::new(command.get_program()).args(command.get_args()).arg("true").output();
    if !works.is_ok_and(|output| output.status.success()) {
        return println!("skipped: no bubblewrap here, so no file system of its own is full");
    }
    command.arg(std::env::current_exe().unwrap()).args(["work_on_a_full_disk", "--exact", "--nocapture"]);
    command.env("AAR_DISK", dir.path());
    run(command);
}
