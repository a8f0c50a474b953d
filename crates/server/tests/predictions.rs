//! The predictions contract: answers to items that are handed out.

mod bench;

use aar_api::client::Client;
use aar_api::error::ErrorCode;
use aar_api::evaluation::{EvaluationView, Predictions, Submission};
use aar_api::paths;
use aar_api::study::StudyView;
use aar_domain::rung::Split;
use aar_grader::ledger::{Policy, Unit};
use aar_server::event::{Contract, Opening, Seed};
use bench::{Bench, ITEMS, config, opening, refused, serve};
use serde_json::Value;

fn contract(policy: Policy, evaluations: u64) -> Opening {
    let seed = |seed| vec![Seed { seed, teacher: 0 }];
    Opening {
        contract: Contract::Predictions,
        seeds: [(Split::Feedback, seed(1)), (Split::Selection, seed(2))].into(),
        policy,
        limits: [(Unit::Evaluations, evaluations), (Unit::MilliBits, 1 << 40)].into(),
        ..opening("plan predictions")
    }
}

fn start(policy: Policy, evaluations: u64) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    bench::testbed(dir.path());
    let opening = contract(policy, evaluations);
    let server = Some(serve(&config(dir.path()), &opening, 100, false));
    Bench { dir, server, opening }
}

/// Right on `hundredths` of the items of each split: label 1 where an item's number is even.
fn answers(client: &Client, hundredths: usize) -> Vec<u8> {
    let items: Vec<Value> = client.get(paths::ITEMS).unwrap();
    let number = |item: &Value| item["id"].as_str().unwrap().parse::<usize>().unwrap();
    items.iter().map(|item| u8::from((number(item) % 100 < hundredths) == (number(item) % 2 == 0))).collect()
}

fn hand_in(client: &Client, answers: Vec<u8>, key: &str) -> Result<EvaluationView, aar_api::client::ClientError> {
    let predictions = Predictions { answers, name: format!("method {key}"), family: "other".into(), key: key.into() };
    client.post(paths::PREDICTIONS, &predictions)
}

#[test]
fn answers_are_scored_on_the_feedback_items_and_kept_for_the_close() {
    let bench = start(Policy::Naive { step: 0.05 }, 10);
    let ada = bench.client("ada");
    let study: StudyView = ada.get(paths::STUDY).unwrap();
    assert_eq!(study.contract, "predictions");
    let items: Vec<Value> = ada.get(paths::ITEMS).unwrap();
    assert_eq!(items.len(), 2 * ITEMS, "both splits are in it, and nothing says which");
    assert!(items.iter().all(|item| item.as_object().unwrap().len() == 3), "id and texts alone");
    // Weak is right on 60 of 100, the ceiling on 90: 75 is half of the gap.
    let view = hand_in(&ada, answers(&ada, 75), "a").unwrap();
    assert_eq!((view.status.as_str(), view.seeds_done), ("done", 1));
    assert!((view.feedback.unwrap().pgr.unwrap() - 0.5).abs() < 1e-9);
    assert!(view.receipt.is_some());
    let again = hand_in(&ada, answers(&ada, 75), "a").unwrap();
    assert_eq!(again.id, view.id, "the same key is the same submission");
    assert_eq!(refused(hand_in(&ada, answers(&ada, 80), "a")), ErrorCode::Conflict);
    assert_eq!(bench.server().snapshot().ledger.account(Unit::Evaluations).used, 1);
    // What was kept is scored at the close, and again is no second time.
    let finalist = bench.server().replicate_predictions(view.id).unwrap().unwrap();
    assert_eq!(bench.server().replicate_predictions(view.id).unwrap(), Some(finalist));
    let score = bench.server().score(finalist).unwrap();
    assert!((score.accuracy - 0.75).abs() < 1e-9, "{}", score.accuracy);
}

#[test]
fn everything_is_there_again_after_a_restart_and_the_audit_finds_nothing() {
    let mut bench = start(Policy::Ladder { step: 0.05 }, 10);
    let ada = bench.client("ada");
    hand_in(&ada, answers(&ada, 90), "a").unwrap();
    hand_in(&bench.client("boole"), answers(&ada, 70), "b").unwrap();
    let before: Vec<Option<f64>> = bench.server().snapshot().evaluations.iter().map(|record| record.answer).collect();
    assert_eq!(before, [Some(1.0), Some(1.0)], "the ladder stays at the best");
    bench.server = None;
    bench.server = Some(serve(&config(bench.dir.path()), &bench.opening, 100, false));
    let after: Vec<Option<f64>> = bench.server().snapshot().evaluations.iter().map(|record| record.answer).collect();
    assert_eq!(before, after);
    let audit = aar_server::audit::verify(&bench.dir.path().join("study.db"), &[]).unwrap();
    assert!(audit.faults.is_empty() && audit.blobs == 2, "{audit:?}");
}

#[test]
fn what_is_not_one_answer_per_item_is_refused_and_costs_nothing() {
    let bench = start(Policy::Naive { step: 0.05 }, 10);
    let ada = bench.client("ada");
    let check = |answers: Vec<u8>| assert_eq!(refused(hand_in(&ada, answers, "k")), ErrorCode::BadRequest);
    check(vec![]);
    check(vec![1; 2 * ITEMS - 1]);
    check(vec![1; 2 * ITEMS + 1]);
    check([vec![0; 2 * ITEMS - 1], vec![2]].concat());
    assert_eq!(bench.server().snapshot().ledger.account(Unit::Evaluations).used, 0);
}

#[test]
fn the_team_s_ledger_holds_when_everybody_hands_in_at_once() {
    let bench = start(Policy::Naive { step: 0.05 }, 25);
    let right = answers(&bench.client("ada"), 80);
    let told: usize = std::thread::scope(|scope| {
        let one = |name: &'static str, lane: usize| {
            let (client, right) = (bench.client(name), right.clone());
            scope.spawn(move || {
                let tries = (0..5).map(|at| hand_in(&client, right.clone(), &format!("{lane}-{at}")));
                tries.filter(Result::is_ok).count()
            })
        };
        let lanes: Vec<_> = (0..16).map(|lane| one(if lane % 2 == 0 { "ada" } else { "boole" }, lane)).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).sum()
    });
    assert_eq!(told, 25, "as many as the ledger allows");
    let account = bench.server().snapshot().ledger.account(Unit::Evaluations);
    assert_eq!((account.used, account.reserved), (25, 0));
}

#[test]
fn a_study_takes_what_its_contract_says() {
    let bench = start(Policy::Naive { step: 0.05 }, 10);
    let submission = Submission {
        bundle: "00".into(),
        name: "n".into(),
        family: "other".into(),
        parent: None,
        key: "k".into(),
        turn: None,
    };
    let answer = bench.client("ada").post::<_, EvaluationView>(paths::EVALUATIONS, &submission);
    assert_eq!(refused(answer), ErrorCode::Conflict);
    let bundles = Bench::new();
    assert_eq!(refused(hand_in(&bundles.client("ada"), vec![1], "k")), ErrorCode::Conflict);
    assert_eq!(refused(bundles.client("ada").get::<Value>(paths::ITEMS)), ErrorCode::Conflict);
}
