//! Who may call what: every route with every role, as one table.

mod bench;

use aar_api::client::ClientError;
use aar_api::error::ErrorCode;
use aar_api::paths;
use aar_server::event::{Participant, Role};
use bench::{Bench, token_hash};
use serde_json::{Value, json};

const ROLES: [(&str, Role); 4] = [
    ("operator", Role::Operator),
    ("worker", Role::Worker),
    ("researcher", Role::Researcher),
    ("viewer", Role::Viewer),
];

/// A body that a route can read, so that it is the token that decides.
fn body(route: &str) -> Value {
    match route {
        "post /v1/bundles" => json!({"files": [{"path": "recipe.toml", "executable": false, "hex": "00"}]}),
        "post /v1/evaluations" => json!({"bundle": "00", "name": "n", "family": "other", "key": "k"}),
        "post /v1/predictions" => json!({"answers": [1], "name": "n", "key": "k"}),
        "post /v1/participants" => json!({"name": "", "kind": "person", "evaluations": 1}),
        "post /v1/instructions" => json!({"researcher": "nobody-of-this-name", "instruction": {"do": "pause"}}),
        "post /v1/findings" => json!({"kind": "insight", "title": "t", "body": "b", "key": "k"}),
        "post /v1/findings/{id}/comments" => json!({"body": "b", "key": "k"}),
        "post /v1/findings/{id}/votes" => json!({"value": 1}),
        "post /v1/jobs/claim" => json!({"worker": "w", "wait_ms": 1}),
        "post /v1/jobs/{id}/outputs" => json!({"margins": [], "usage": {
            "train_operations": 0, "train_cpu_ms": 0, "predict_cpu_ms": 0, "wall_ms": 0}}),
        "post /v1/jobs/{id}/failure" => json!({"reason": "r"}),
        "post /v1/jobs/{id}/heartbeat" | "post /v1/retire" => json!({}),
        other => panic!("{other} is a new route: say here what a call of it looks like"),
    }
}

/// `-` refused for want of a known token, `no` refused for the role, `yes` anything else.
fn try_call(bench: &Bench, token: &str, route: &str) -> &'static str {
    let (method, path) = route.split_once(' ').unwrap();
    let path = path.replace("{id}", "1").replace("{turn}", "0");
    let client = bench.client(token);
    let answer: Result<Value, ClientError> =
        if method == "get" { client.get(&path) } else { client.post(&path, &body(route)) };
    match answer {
        Err(ClientError::Refused(refusal)) if refusal.code == ErrorCode::Unauthorized => "-",
        Err(ClientError::Refused(refusal)) if refusal.code == ErrorCode::Forbidden => "no",
        Err(ClientError::Refused(_)) | Ok(_) => "yes",
        Err(other) => panic!("{route}: {other}"),
    }
}

#[test]
fn every_route_knows_whom_it_serves() {
    let bench = Bench::new();
    for (name, role) in ROLES {
        let participant = Participant {
            name: name.into(),
            role,
            kind: None,
            direction: None,
            seed: 0,
            evaluations: 9,
            turns: false,
            token_hash: token_hash(name),
        };
        bench.server().join(&participant).unwrap();
    }
    let document: Value = bench.client("nobody").get(paths::OPENAPI).unwrap();
    let mut table = format!("{:40} {:9} {:9} {:9} {:9} nobody\n", "", "operator", "worker", "researcher", "viewer");
    // Retiring changes what may be done afterwards, so it is called last.
    let mut routes: Vec<String> = vec![];
    for (path, methods) in document["paths"].as_object().unwrap() {
        routes.extend(methods.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    routes.sort_by_key(|route| (route.ends_with(paths::RETIRE), route.clone()));
    for route in routes {
        let cells: Vec<&str> = ROLES.iter().map(|(name, _)| try_call(&bench, name, &route)).collect();
        let nobody = try_call(&bench, "nobody", &route);
        assert_eq!(nobody, "-", "{route} answers somebody without a token");
        table += &format!("{route:40} {:9} {:9} {:9} {:9} {nobody}\n", cells[0], cells[1], cells[2], cells[3]);
    }
    insta::assert_snapshot!(table);
}
