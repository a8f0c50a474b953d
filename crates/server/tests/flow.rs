//! A study's life over the wire: turns, charges, failures, restarts.

mod bench;

use aar_api::bundle::{Bundle, BundleStored};
use aar_api::client::ClientError;
use aar_api::error::ErrorCode;
use aar_api::evaluation::{BoardRow, EvaluationView, Submission};
use aar_api::forum::{Finding, FindingType, NewFinding, NewVote};
use aar_api::paths;
use aar_api::study::{Me, TurnView};
use aar_api::work::{Claim, Failure, Job, Outputs, Usage};
use aar_grader::ledger::{Policy, Unit};
use aar_server::event::{Opening, Phase};
use bench::{Bench, ITEMS, margins, opening, refused};

impl Bench {
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
            let usage = Usage { train_operations: 5, ..Usage::default() };
            let outputs = Outputs { margins: margins(hundredths), usage, curve: vec![] };
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
    let ledger = bench.server().snapshot().ledger;
    assert_eq!(ledger.account(Unit::Evaluations).used, 1);
    let bits = ledger.account(Unit::MilliBits);
    assert_eq!((bits.used, bits.reserved), (Policy::Naive { step: 0.05 }.milli_bits(), 0), "failing is not free");
}

#[test]
fn a_spent_ledger_takes_no_more() {
    let bench = Bench::with(Opening { limits: [(Unit::MilliBits, 6_000)].into(), ..opening("plan one") });
    bench.submit("ada", 0, "a").unwrap();
    assert_eq!(refused(bench.submit("boole", 0, "b")), ErrorCode::BudgetSpent, "5.4 of 6 bits are held back");
    bench.work(75);
    assert_eq!(bench.own("ada")[0].feedback.as_ref().unwrap().pgr, Some(0.5));
    assert_eq!(refused(bench.submit("boole", 0, "b")), ErrorCode::BudgetSpent);
}

#[test]
fn a_ladder_answers_a_turn_when_it_is_whole_and_in_the_order_of_names() {
    let policy = Policy::Ladder { step: 0.05 };
    let bench = Bench::with(Opening { policy, ..opening("plan one") });
    bench.submit("boole", 0, "b").unwrap();
    bench.work(90);
    assert_eq!(bench.own("boole")[0].feedback, None, "ada, who comes first, has not moved");
    bench.submit("ada", 0, "a").unwrap();
    bench.work(80);
    let told = |name: &str| bench.own(name)[0].feedback.as_ref().unwrap().pgr.unwrap();
    assert!((told("ada") - 0.65).abs() < 1e-9, "{}", told("ada"));
    assert!((told("boole") - 1.0).abs() < 1e-9, "{}", told("boole"));
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
    get /v1/evaluations/{id}/signal
    get /v1/findings
    get /v1/findings/{id}/comments
    get /v1/integrity
    get /v1/items
    get /v1/leaderboard
    get /v1/me
    get /v1/messages
    get /v1/participants
    get /v1/study
    get /v1/turn/{turn}
    post /v1/bundles
    post /v1/evaluations
    post /v1/findings
    post /v1/findings/{id}/comments
    post /v1/findings/{id}/votes
    post /v1/instructions
    post /v1/integrity
    post /v1/jobs/claim
    post /v1/jobs/{id}/failure
    post /v1/jobs/{id}/heartbeat
    post /v1/jobs/{id}/outputs
    post /v1/jobs/{id}/touched
    post /v1/participants
    post /v1/predictions
    post /v1/retire
    ");
}

#[test]
fn the_last_vote_of_each_counts_and_none_on_what_is_ones_own() {
    let mut bench = Bench::new();
    let post = |by: &str| -> Finding {
        let (kind, key) = (FindingType::Insight, format!("by {by}"));
        let new = NewFinding { kind, title: by.into(), body: String::new(), evaluation: None, turn: None, key };
        bench.client(by).post(paths::FINDINGS, &new).unwrap()
    };
    let (first, second) = (post("ada"), post("boole"));
    let vote = |bench: &Bench, by: &str, on: &Finding, value: i8, turn: Option<u32>| -> Result<Finding, ClientError> {
        bench.client(by).post(&paths::VOTES.replace("{id}", &on.id.to_string()), &NewVote { value, turn })
    };
    assert_eq!(refused(vote(&bench, "ada", &first, 1, None)), ErrorCode::BadRequest);
    assert_eq!(refused(vote(&bench, "ada", &second, 2, None)), ErrorCode::BadRequest);
    assert_eq!(refused(vote(&bench, "ada", &Finding { id: 99, ..second.clone() }, 1, None)), ErrorCode::NotFound);
    for (value, stands) in [(1, 1), (1, 1), (-1, -1), (0, 0), (1, 1)] {
        assert_eq!(vote(&bench, "ada", &second, value, None).unwrap().votes, stands);
    }
    let height = bench.server().receipt().height;
    vote(&bench, "ada", &second, 1, None).unwrap();
    assert_eq!(bench.server().receipt().height, height, "the same vote again is no event");
    // Votes of a turn that is not over are not seen by others who work in turns.
    vote(&bench, "boole", &first, 1, Some(0)).unwrap();
    let seen: Vec<Finding> = bench.client("ada").get(&format!("{}?before=0", paths::FINDINGS)).unwrap();
    assert_eq!(seen.iter().map(|finding| finding.votes).collect::<Vec<_>>(), [0, 1]);
    bench.restart();
    let votes: Vec<i64> = bench.server().snapshot().findings.iter().map(|finding| finding.score()).collect();
    assert_eq!(votes, [1, 1], "and they are in the log");
}
