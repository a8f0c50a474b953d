//! Bodies, numbers and names of every kind on every route: an answer or a refusal, never a failure, and a log that can be read again.

mod bench;

use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::{Policy, Unit};
use aar_server::audit;
use aar_server::event::{Opening, Participant, Role, Seed};
use bench::{Bench, ITEMS, body, config, margins, opening, routes, serve, token_hash};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::time::Duration;

/// Calls; a longer run sets `AAR_FUZZ_CASES`.
const CASES: u32 = 2500;

/// What is done to a body that would be right.
#[derive(Clone, Debug)]
enum Damage {
    /// Nothing: the study is to get somewhere.
    None,
    /// Values at some places replaced by others.
    Values(Vec<(Index, Value)>),
    /// A key or an element taken out.
    Without(Index),
    /// Bytes flipped.
    Flip(Vec<(Index, u8)>),
    /// Only a first part is left.
    Cut(Index),
    /// Something else altogether.
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Call {
    route: Index,
    who: Index,
    id: String,
    query: String,
    damage: Damage,
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3..300i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1e308)),
        ".{0,40}".prop_map(Value::from),
        "[a-z0-9-]{0,12}".prop_map(Value::from),
        Just(json!("x".repeat(30_000))),
        Just(json!("../../etc/passwd\u{0}\u{202e}")),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::from),
        Just(json!([[[[[[{}]]]]]])),
        Just(json!(vec![1; ITEMS])),
        Just(json!({"do": "budget", "evaluations": u32::MAX})),
        Just(json!({"do": "say", "text": "\u{1b}[2J"})),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        2 => Just(Damage::None),
        6 => prop::collection::vec((any::<Index>(), value()), 1..4).prop_map(Damage::Values),
        1 => any::<Index>().prop_map(Damage::Without),
        1 => prop::collection::vec((any::<Index>(), 1..=255u8), 1..6).prop_map(Damage::Flip),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Damage::Bytes),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let id = prop_oneof![
        4 => (0..40i64).prop_map(|id| id.to_string()),
        1 => any::<i64>().prop_map(|id| id.to_string()),
        1 => prop::collection::vec(any::<u8>(), 0..8).prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02x}")).collect()),
        1 => "[a-z0-9.-]{1,70}",
    ];
    let number = || {
        prop_oneof![any::<i64>().prop_map(|n| n.to_string()), (0..9i64).prop_map(|n| n.to_string()), "[a-z%0-9]{0,6}"]
    };
    let query = (number(), number()).prop_map(|(before, after)| format!("?before={before}&after={after}"));
    let query = prop_oneof![3 => Just(String::new()), 1 => query, 1 => "[?&=%a-z0-9]{0,20}".prop_map(|text| format!("?{text}"))];
    (any::<Index>(), any::<Index>(), id, query, damage()).prop_map(|(route, who, id, query, damage)| Call {
        route,
        who,
        id,
        query,
        damage,
    })
}

impl Damage {
    /// Bodies that make a route wait are cut short: a long poll is no failure, only slow.
    fn apply(&self, mut value: Value) -> Vec<u8> {
        match self {
            Damage::Values(changes) => {
                for (at, other) in changes {
                    let pointers = pointers(&value);
                    if let Some(place) = value.pointer_mut(&pointers[at.index(pointers.len())]) {
                        *place = other.clone();
                    }
                }
            }
            Damage::Without(at) => {
                if let Some(fields) = value.as_object_mut().filter(|fields| !fields.is_empty()) {
                    let key = fields.keys().nth(at.index(fields.len())).cloned().unwrap_or_default();
                    fields.remove(&key);
                }
            }
            _ => {}
        }
        if value["wait_ms"].as_u64().is_some_and(|wait| wait > 1) {
            value["wait_ms"] = json!(1);
        }
        let mut bytes = value.to_string().into_bytes();
        match self {
            Damage::Flip(flips) => flips.iter().for_each(|(at, mask)| {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }),
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Bytes(other) => bytes.clone_from(other),
            _ => {}
        }
        bytes
    }
}

/// JSON pointers of all places of a value.
fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(at, value)| (at.to_string(), value)).take(5).collect(),
        _ => vec![],
    };
    let deeper =
        inner.into_iter().flat_map(|(key, value)| pointers(value).into_iter().map(move |rest| format!("/{key}{rest}")));
    std::iter::once(String::new()).chain(deeper).collect()
}

const WHO: [&str; 6] = ["ada", "boole", "worker", "operator", "viewer", "nobody"];

fn study() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    bench::testbed(dir.path());
    let seeds = vec![Seed { seed: 1, teacher: 1 }];
    let opening = Opening {
        policy: Policy::Ladder { step: 0.05 },
        seeds: [(Split::Feedback, seeds)].into(),
        limits: [(Unit::Evaluations, 1 << 40), (Unit::MilliBits, 1 << 50)].into(),
        ..opening("plan hostile")
    };
    let server = serve(&config(dir.path()), &opening, u32::MAX / 2, false);
    for (name, role) in [("operator", Role::Operator), ("viewer", Role::Viewer)] {
        let (kind, token_hash) = (None::<Kind>, token_hash(name));
        let participant = Participant { kind, ..Participant::service(name, role, token_hash) };
        server.join(&participant).unwrap();
    }
    Bench { dir, server: Some(server), opening }
}

/// A right body; jobs are given back with margins that fit, so that evaluations end.
fn right(route: &str, bundle: &str, key: usize) -> Value {
    let mut value = body(route);
    match route {
        "post /v1/evaluations" => value["bundle"] = json!(bundle),
        "post /v1/jobs/{id}/outputs" => value["margins"] = json!(margins(70)),
        _ => {}
    }
    if value.get("key").is_some() {
        value["key"] = json!(format!("k{key}"));
    }
    value
}

#[test]
fn every_route_takes_anything_without_failing() {
    let mut bench = study();
    let cases = std::env::var("AAR_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let routes = routes(&bench.client("nobody"));
    let http = reqwest::blocking::Client::builder()
        .unix_socket(bench.dir.path().join("api.sock"))
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let bundle = bench::submit(&bench.client("ada"), "first").unwrap().bundle;
    let made = std::cell::Cell::new(0);
    let (taken, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&call(), |call| {
        made.set(made.get() + 1);
        let route = &routes[call.route.index(routes.len())];
        let (method, path) = route.split_once(' ').unwrap();
        let url = format!("http://aar{}{}", path.replace("{id}", &call.id).replace("{turn}", &call.id), call.query);
        let token = format!("token of {}", WHO[call.who.index(WHO.len())]);
        let request = match method {
            "get" => http.get(url),
            _ => http.post(url).body(call.damage.apply(right(route, &bundle, made.get()))),
        };
        let answer = request.bearer_auth(token).header("content-type", "application/json").send();
        let answer = answer.map_err(|error| TestCaseError::fail(format!("{route}: {error:?}")))?;
        let status = answer.status();
        let counted = if status.is_success() { &taken } else { &refused };
        counted.set(counted.get() + 1);
        prop_assert!(!status.is_server_error(), "{route}: {status} {}", answer.text().unwrap_or_default());
        let text = answer.bytes().map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(serde_json::from_slice::<Value>(&text).is_ok(), "{route}: {status} is not JSON");
        Ok(())
    });
    outcome.unwrap();
    println!("{} calls taken, {} refused", taken.get(), refused.get());
    assert!(taken.get() > cases / 20 && refused.get() > cases / 4, "one-sided: {} {}", taken.get(), refused.get());
    let before = bench.server().snapshot();
    bench.server = None;
    bench.server = Some(serve(&config(bench.dir.path()), &bench.opening, u32::MAX / 2, false));
    let after = bench.server().snapshot();
    assert_eq!(before.ledger, after.ledger);
    assert_eq!((before.findings.len(), before.evaluations.len()), (after.findings.len(), after.evaluations.len()));
    let found = audit::verify(&bench.dir.path().join("study.db"), &[]).unwrap();
    assert!(found.faults.is_empty(), "{found:?}");
}

/// However early it is refused, and however long it is: who sends a body hears why it was not taken.
#[test]
fn who_sends_a_body_that_nobody_wants_hears_why() {
    let bench = study();
    let http = reqwest::blocking::Client::builder().unix_socket(bench.dir.path().join("api.sock")).build().unwrap();
    let send = |path: &str, bytes: usize| {
        let request = http.post(format!("http://aar{path}")).header("content-type", "application/json");
        let answer = request.bearer_auth("token of nobody").body(vec![b' '; bytes]).send();
        let answer = answer.unwrap_or_else(|error| panic!("{path}, {bytes} bytes: {error:?}"));
        let status = answer.status().as_u16();
        (status, serde_json::from_slice::<Value>(&answer.bytes().unwrap()).unwrap()["code"].clone())
    };
    for _ in 0..20 {
        assert_eq!(send("/v1/jobs/none/outputs", 3 << 20), (400, json!("bad-request")));
        assert_eq!(send("/v1/nowhere", 3 << 20), (404, json!("not-found")));
        assert_eq!(send("/v1/me", 3 << 20), (405, json!("bad-request")));
    }
    assert_eq!(send("/v1/bundles", 40 << 20), (413, json!("too-large")));
}

/// What a worker says it used is a claim, and may be any number.
#[test]
fn accounts_of_any_size_are_summed_without_wrapping() {
    let bench = study();
    let (ada, worker) = (bench.client("ada"), bench.client("worker"));
    for key in ["a", "b"] {
        bench::submit(&ada, key).unwrap();
        let job: Value = worker.post("/v1/jobs/claim", &json!({"worker": "w", "wait_ms": 0})).unwrap();
        let usage =
            json!({"train_operations": u64::MAX, "train_cpu_ms": u64::MAX, "predict_cpu_ms": u64::MAX, "wall_ms": 1});
        let outputs = json!({"margins": margins(70), "usage": usage});
        worker.post::<_, Value>(&format!("/v1/jobs/{}/outputs", job["id"]), &outputs).unwrap();
    }
    let ledger = bench.server().snapshot().ledger;
    assert_eq!((ledger.account(Unit::Operations).used, ledger.account(Unit::CpuMs).used), (u64::MAX, u64::MAX));
}
