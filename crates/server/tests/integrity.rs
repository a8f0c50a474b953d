//! Verdicts: what is found on its own, what follows, what an operator may say about it.

mod bench;

use aar_api::bundle::{Bundle, BundleFile, BundleStored};
use aar_api::client::{Client, ClientError};
use aar_api::error::ErrorCode;
use aar_api::evaluation::{BoardRow, EvaluationView, Submission};
use aar_api::integrity::{Check, Decision, Integrity, Ruling, Signal};
use aar_api::paths;
use aar_api::work::{Claim, Job, Outputs, Touched, Usage};
use aar_grader::ledger::Unit;
use aar_server::event::{Opening, Participant, Role};
use bench::{Bench, ITEMS, config, opening, refused, serve, submit, token_hash};
use serde_json::Value;

/// Two researchers of four evaluations each, an operator and a viewer.
fn start() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    bench::testbed(dir.path());
    let opening = Opening { limits: [(Unit::Evaluations, 8)].into(), ..opening("plan one") };
    let mut bench = Bench { dir, server: None, opening };
    restart(&mut bench);
    bench
}

fn restart(bench: &mut Bench) {
    bench.server = None;
    let server = serve(&config(bench.dir.path()), &bench.opening, 4, false);
    for (name, role) in [("operator", Role::Operator), ("viewer", Role::Viewer)] {
        let participant = Participant::service(name, role, token_hash(name));
        server.join(&participant).unwrap();
    }
    bench.server = Some(server);
}

/// Margins that differ from item to item; `method` and `run` draw two parts of them.
fn drawn(method: u64, run: u64) -> Vec<f32> {
    let part = |seed: u64, item: usize| {
        let mixed = (seed << 32 | item as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ mixed >> 32) & 0xffff) as f32 / 65536.0 - 0.5
    };
    (0..ITEMS).map(|item| part(method, item) + 0.5 * part(1000 + run, item) + 0.01).collect()
}

/// Do all open jobs; the margins are the method's, by the job's seed.
fn work(bench: &Bench, margins: impl Fn(&Job) -> Vec<f32>) {
    let worker = bench.client("worker");
    while let Some(job) =
        worker.post::<_, Option<Job>>(paths::CLAIM, &Claim { worker: "w".into(), wait_ms: 1 }).unwrap()
    {
        let outputs = Outputs { margins: margins(&job), usage: Usage::default(), curve: vec![] };
        let _: Value = worker.post(&paths::OUTPUTS.replace("{id}", &job.id.to_string()), &outputs).unwrap();
    }
}

fn rule(client: &Client, decision: Decision, reason: &str) -> Result<Integrity, ClientError> {
    client.post(paths::INTEGRITY, &Ruling { decision, reason: reason.into() })
}

fn ranks(bench: &Bench) -> Vec<(i64, Option<usize>)> {
    bench.server().board().graded().map(|row| (row.record.id, row.rank)).collect()
}

#[test]
fn the_same_training_under_another_name_is_charged_tied_and_not_ranked() {
    let mut bench = start();
    for (by, key) in [("ada", "first"), ("boole", "second"), ("ada", "another")] {
        submit(&bench.client(by), key).unwrap();
    }
    // The second is the first with a grain of something else in it; the third is another method.
    work(&bench, |job| {
        let method = if job.evaluation == 3 { 2 } else { 1 };
        let mut margins = drawn(method, job.seed);
        margins[0] += 0.001 * job.evaluation as f32;
        margins
    });
    let found: Integrity = bench.client("viewer").get(paths::INTEGRITY).unwrap();
    let told: Vec<_> =
        found.verdicts.iter().map(|view| (view.verdict.evaluation, view.verdict.check, view.verdict.of)).collect();
    assert_eq!(told, [(2, Check::NearDuplicate, Some(1))]);
    assert!(found.verdicts[0].binds() && found.verdicts[0].verdict.evidence.contains("the same training"));
    let marked = ranks(&bench).into_iter().filter(|(_, rank)| rank.is_none()).map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!((marked, ranks(&bench).last().map(|row| row.0)), (vec![2], Some(2)), "shown, last, without a rank");
    assert_eq!(bench.server().snapshot().ledger.account(Unit::Evaluations).used, 3, "charged");
    let board: Vec<BoardRow> = bench.client("ada").get(paths::LEADERBOARD).unwrap();
    let marks: Vec<_> = board.iter().filter_map(|row| row.mark.clone()).collect();
    assert_eq!(marks, ["near-duplicate of #1"], "researchers see it too");

    let operator = bench.client("operator");
    assert_eq!(refused(rule(&operator, Decision::Overturn { verdict: 1 }, " ")), ErrorCode::BadRequest);
    assert_eq!(refused(rule(&operator, Decision::Overturn { verdict: 7 }, "why")), ErrorCode::NotFound);
    assert_eq!(refused(rule(&bench.client("viewer"), Decision::Overturn { verdict: 1 }, "why")), ErrorCode::Forbidden);
    rule(&operator, Decision::Overturn { verdict: 1 }, "two people had the same idea").unwrap();
    assert!(ranks(&bench).iter().all(|(_, rank)| rank.is_some()), "an overturned verdict binds nothing");
    restart(&mut bench);
    let found = bench.server().snapshot().integrity;
    assert_eq!(
        found.verdicts[0].appeal.as_ref().map(|appeal| appeal.reason.as_str()),
        Some("two people had the same idea")
    );
    rule(&bench.client("operator"), Decision::Uphold { verdict: 1 }, "on second thoughts").unwrap();
    assert!(ranks(&bench).contains(&(2, None)));
}

#[test]
fn a_script_run_again_with_numbers_of_its_own_is_tied_to_the_first() {
    let bench = start();
    let script = |client: &Client, text: &str| {
        let file = BundleFile { path: "train".into(), executable: true, hex: hex::encode(text) };
        let stored: BundleStored = client.post(paths::BUNDLES, &Bundle { files: vec![file] }).unwrap();
        let submission = Submission {
            bundle: stored.bundle,
            name: "a script".into(),
            family: "other".into(),
            parent: None,
            key: text.into(),
            turn: None,
        };
        client.post::<_, EvaluationView>(paths::EVALUATIONS, &submission).unwrap();
    };
    script(&bench.client("ada"), "#!/bin/sh\nSEED=12 lab train");
    script(&bench.client("ada"), "#!/bin/sh\nSEED=99 lab train");
    script(&bench.client("ada"), "#!/bin/sh\nSEED=99 lab train --recipe probe");
    work(&bench, |job| drawn(if job.evaluation == 3 { 2 } else { 1 }, job.seed + 50 * job.evaluation as u64));
    let found = bench.server().snapshot().integrity.verdicts;
    let told: Vec<_> = found.iter().map(|view| (view.verdict.evaluation, view.verdict.of)).collect();
    assert_eq!(told, [(2, Some(1))], "{found:?}");
    assert!(found[0].verdict.evidence.contains("run again"), "{found:?}");
}

#[test]
fn a_refused_method_is_not_ranked_and_a_word_may_be_taken_back() {
    let bench = start();
    let mine = submit(&bench.client("ada"), "mine").unwrap();
    assert_eq!(
        refused(rule(&bench.client("operator"), Decision::Refuse { evaluation: mine.id }, "too early")),
        ErrorCode::Conflict
    );
    work(&bench, |job| drawn(1, job.seed));
    let refuse = Decision::Refuse { evaluation: mine.id };
    rule(&bench.client("operator"), refuse, "its labels come from elsewhere").unwrap();
    assert_eq!(ranks(&bench), [(1, None)]);
    let found = rule(&bench.client("operator"), Decision::SignOff { evaluation: 1 }, "explained").unwrap();
    assert_eq!((found.signatures.len(), found.signatures[0].signed_off, ranks(&bench)), (1, true, vec![(1, Some(1))]));
}

#[test]
fn who_looks_for_labels_gets_nothing_and_is_on_record() {
    let mut bench = start();
    let look = |bench: &Bench, who: &str, path: &str| refused(bench.client(who).get::<Value>(path));
    for path in ["/v1/labels", "/v1/Truth/feedback", "/v1/evaluations/1/labels"] {
        assert_eq!(look(&bench, "ada", path), ErrorCode::NotFound);
    }
    assert_eq!(look(&bench, "boole", "/v1/weather"), ErrorCode::NotFound, "an honest mistake is not on record");
    for _ in 0..30 {
        look(&bench, "ada", "/v1/labels");
        look(&bench, "a stranger", &format!("/v1/secret/{}", rand_path()));
    }
    restart(&mut bench);
    let touches = bench.server().snapshot().integrity.touches;
    let told: Vec<_> = touches.iter().map(|touch| (touch.by.as_str(), touch.what.as_str(), touch.times)).collect();
    assert_eq!(
        told,
        [
            ("ada", "/v1/labels", 20),
            ("ada", "/v1/Truth/feedback", 1),
            ("ada", "/v1/evaluations/1/labels", 1),
            ("nobody", "a path that looks like labels", 20),
        ],
        "counted, and nobody fills the log with it"
    );
}

#[test]
fn a_bundle_that_opens_a_decoy_is_bound() {
    let bench = start();
    submit(&bench.client("ada"), "thief").unwrap();
    submit(&bench.client("boole"), "honest").unwrap();
    let worker = bench.client("worker");
    let job: Option<Job> = worker.post(paths::CLAIM, &Claim { worker: "w".into(), wait_ms: 1 }).unwrap();
    let path = paths::TOUCHED.replace("{id}", &job.as_ref().unwrap().id.to_string());
    let touched = Touched { files: vec!["/srv/testbed/labels/pool.jsonl".into()] };
    let _: Value = worker.post(&path, &touched).unwrap();
    let _: Value = worker.post(&path, &touched).unwrap();
    let outputs = Outputs { margins: drawn(1, 1), usage: Usage::default(), curve: vec![] };
    let _: Value = worker.post(&paths::OUTPUTS.replace("{id}", &job.unwrap().id.to_string()), &outputs).unwrap();
    work(&bench, |job| drawn(job.evaluation as u64, job.seed));
    let found = bench.server().snapshot().integrity;
    assert_eq!((found.touches[0].by.as_str(), found.touches[0].times, found.verdicts.len()), ("ada", 2, 1));
    assert_eq!((found.verdicts[0].verdict.check, found.verdicts[0].binds()), (Check::Decoy, true));
    assert_eq!(
        ranks(&bench).iter().map(|(id, rank)| (*id, rank.is_some())).collect::<Vec<_>>(),
        [(2, true), (1, false)]
    );
}

fn rand_path() -> usize {
    std::sync::atomic::AtomicUsize::fetch_add(&PATHS, 1, std::sync::atomic::Ordering::Relaxed)
}

static PATHS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

#[test]
fn a_signal_receipt_names_every_answer_that_was_there_to_see() {
    let bench = start();
    submit(&bench.client("ada"), "first").unwrap();
    let blind = submit(&bench.client("boole"), "blind").unwrap();
    work(&bench, |job| drawn(job.evaluation as u64, job.seed));
    let seeing = submit(&bench.client("boole"), "seeing").unwrap();
    let signal =
        |id: i64| -> Signal { bench.client("operator").get(&paths::SIGNAL.replace("{id}", &id.to_string())).unwrap() };
    assert!(signal(blind.id).told.is_empty());
    let found = signal(seeing.id);
    let told: Vec<_> =
        found.told.iter().map(|answer| (answer.evaluation, answer.by.as_str(), answer.pgr.is_some())).collect();
    assert_eq!(told, [(1, "ada", true), (2, "boole", true)]);
    assert!((found.bits - 2.0 * 41f64.log2()).abs() < 0.01, "{}", found.bits);
    let path = paths::SIGNAL.replace("{id}", "1");
    assert_eq!(
        refused(bench.client("ada").get::<Signal>(&path)),
        ErrorCode::Forbidden,
        "researchers get the ledger's answers only"
    );
}

#[test]
fn a_card_is_frozen_with_the_submission_and_its_denials_are_compared() {
    let bench = start();
    let file = |path: &str, text: &str| BundleFile { path: path.into(), executable: false, hex: hex::encode(text) };
    let files = vec![file("recipe.toml", "name = \"x\""), file("card.md", "It does not use the teacher's labels.")];
    let stored: BundleStored = bench.client("ada").post(paths::BUNDLES, &Bundle { files }).unwrap();
    let submission = Submission {
        bundle: stored.bundle,
        name: "x".into(),
        family: "other".into(),
        parent: None,
        key: "x".into(),
        turn: None,
    };
    let _: EvaluationView = bench.client("ada").post(paths::EVALUATIONS, &submission).unwrap();
    let snapshot = bench.server().snapshot();
    assert_eq!(snapshot.evaluations[0].asked.card.as_ref().map(String::len), Some(64));
    let verdict = &snapshot.integrity.verdicts[0];
    assert_eq!((verdict.verdict.check, verdict.binds()), (Check::MethodCard, false), "a property binds nothing");
    assert!(verdict.verdict.evidence.contains("uses the teacher's labels"), "{verdict:?}");
}
