//! Who may call what: every route with every role, as one table.

mod bench;

use aar_api::client::ClientError;
use aar_api::error::ErrorCode;
use aar_api::paths;
use aar_server::event::{Participant, Role};
use bench::{Bench, body, routes, token_hash};
use serde_json::Value;

const ROLES: [(&str, Role); 4] = [
    ("operator", Role::Operator),
    ("worker", Role::Worker),
    ("researcher", Role::Researcher),
    ("viewer", Role::Viewer),
];

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
        let service = Participant::service(name, role, token_hash(name));
        let participant = Participant { evaluations: 9, ..service };
        bench.server().join(&participant).unwrap();
    }
    let mut table = format!("{:40} {:9} {:9} {:9} {:9} nobody\n", "", "operator", "worker", "researcher", "viewer");
    // Retiring changes what may be done afterwards, so it is called last.
    let mut routes = routes(&bench.client("nobody"));
    routes.sort_by_key(|route| (route.ends_with(paths::RETIRE), route.clone()));
    for route in routes {
        let cells: Vec<&str> = ROLES.iter().map(|(name, _)| try_call(&bench, name, &route)).collect();
        let nobody = try_call(&bench, "nobody", &route);
        assert_eq!(nobody, "-", "{route} answers somebody without a token");
        table += &format!("{route:40} {:9} {:9} {:9} {:9} {nobody}\n", cells[0], cells[1], cells[2], cells[3]);
    }
    insta::assert_snapshot!(table);
}
