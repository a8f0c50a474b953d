//! MCP over a process's own standard input and output. This program is the client; called with `serve` it is the server, so that any
//! other client can be tried on it: `serve API LAB WORK DATA`, with the token in AAR_TOKEN.

mod double;

use aar_agent::settings::Settings;
use aar_agent::tools::{Platform, platform_tools};
use aar_api::client::{Address, Client};
use double::{Place, Server, TOKEN};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", api, lab, work, data] => serve(api, lab, work, data),
        // A double of the server for a client that is not ours; ends with its standard input.
        ["double"] => stand(),
        // `cargo test -- --list` and the like ask what there is.
        args if args.contains(&"--list") => say("speaks_json_rpc_over_pipes: test"),
        _ => speaks_json_rpc_over_pipes(),
    }
}

/// For whoever runs this program.
fn say(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn serve(api: &str, lab: &str, work: &str, data: &str) {
    let settings = Settings { lab: lab.into(), work: work.into(), data: data.into(), ..Settings::inside("") };
    let token = std::env::var("AAR_TOKEN").unwrap();
    let client = Client::new(&api.parse::<Address>().unwrap(), &token).unwrap();
    aar_agent::mcp::serve_stdio(Platform::new(settings, client, &token)).unwrap();
}

/// Its arguments for `serve`.
fn arguments(server: &Server, place: &Place) -> Vec<String> {
    let paths = [&place.settings.lab, &place.settings.work, &place.settings.data];
    let paths = paths.map(|path| path.to_str().unwrap().to_owned());
    [vec!["serve".to_owned(), server.address.clone()], paths.to_vec()].concat()
}

fn stand() {
    let (server, place) = (Server::start(), Place::new());
    server.state.lock().unwrap().evaluations.push(double::evaluation(1, "running"));
    say(&json!({"args": arguments(&server, &place), "token": TOKEN}).to_string());
    std::io::stdin().lines().for_each(drop);
}

fn spawn(server: &Server, place: &Place) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments(server, place)).env("AAR_TOKEN", TOKEN);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn speaks_json_rpc_over_pipes() {
    let (server, place) = (Server::start(), Place::new());
    let mut child = spawn(&server, &place);
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let asked = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}),
        json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "budget", "arguments": {}}}),
    ];
    let mut answers = Vec::new();
    for message in asked {
        writeln!(input, "{message}").unwrap();
        if message["id"].is_number() {
            let line = lines.next().unwrap().unwrap();
            answers.push(serde_json::from_str::<Value>(&line).unwrap());
        }
    }
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "aar");
    assert_eq!(answers[1]["result"]["tools"].as_array().unwrap().len(), platform_tools("bundles").count());
    let said = answers[2]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.starts_with("Evaluations: 5 left"), "{said}");
    // The client leaves; so does the server.
    drop(input);
    assert!(child.wait().unwrap().success());
    say("test speaks_json_rpc_over_pipes ... ok");
}
