//! JSON-RPC as an agent's client speaks it, line by line.

mod double;

use aar_agent::heartbeat::Heartbeat;
use aar_agent::mcp;
use aar_agent::tools::{Platform, platform_tools};
use double::{Place, Server, TOKEN, evaluation};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

/// The client's side of the line.
struct Line {
    reader: BufReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
    number: i64,
}

impl Line {
    async fn send(&mut self, message: &Value) {
        self.writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// A request and its answer; what else comes in between is left aside.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let id = self.number;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        loop {
            let mut line = String::new();
            assert!(self.reader.read_line(&mut line).await.unwrap() > 0, "{method}: the server left");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == id {
                return answer;
            }
        }
    }

    async fn call(&mut self, name: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": name, "arguments": arguments})).await;
        assert!(answer["error"].is_null(), "{name}: {answer}");
        answer["result"].clone()
    }
}

/// Both sides have said hello.
async fn connected(platform: Platform) -> (Line, tokio::task::JoinHandle<Result<(), mcp::McpError>>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let (input, output) = tokio::io::split(far);
    let serving = tokio::spawn(mcp::serve(platform, input, output));
    let (reader, writer) = tokio::io::split(near);
    let mut line = Line { reader: BufReader::new(reader), writer, number: 0 };
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let answer = line.ask("initialize", hello).await;
    assert_eq!(answer["result"]["serverInfo"]["name"], "aar", "{answer}");
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
    assert!(answer["result"]["instructions"].as_str().unwrap().contains("disqualifies"));
    line.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    (line, serving)
}

/// A client at work on a server's double and a workspace.
fn with_line<F: AsyncFnOnce(&mut Line)>(work: F) -> (Server, Place) {
    let (server, place) = (Server::start(), Place::new());
    serve_line(&server, &place, work);
    (server, place)
}

fn serve_line<F: AsyncFnOnce(&mut Line)>(server: &Server, place: &Place, work: F) {
    server.state.lock().unwrap().evaluations.push(evaluation(1, "running"));
    // The client blocks, so that it is made outside the runtime.
    let platform = Platform::new(place.settings.clone(), server.client(), TOKEN);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut line, serving) = connected(platform).await;
        work(&mut line).await;
        drop(line);
        serving.await.unwrap().unwrap();
    });
}

#[test]
fn the_list_is_the_one_list() {
    with_line(async |line| {
        let answer = line.ask("tools/list", json!({})).await;
        let tools = answer["result"]["tools"].as_array().unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(names, platform_tools("bundles").map(|tool| tool.name).collect::<Vec<_>>());
        for name in
            ["share_finding", "get_leaderboard", "download_snapshot", "submit", "evaluation_status", "search_findings"]
        {
            assert!(names.contains(&name), "{name}");
        }
        assert!(!names.contains(&"shell"));
        assert!(tools.iter().all(|tool| tool["inputSchema"]["type"] == "object" && tool["description"].is_string()));
    });
}

#[test]
fn every_tool_is_called() {
    let calls = [
        ("read_problem", json!({}), "gap of 0.2810"),
        ("try_recipe", json!({"recipe": "plain"}), "swap_consistency"),
        ("submit", json!({"bundle": "plain"}), "Evaluation #1"),
        ("evaluation_status", json!({"evaluation": 1}), "PGR about 0.35"),
        ("evaluations", json!({}), "#1 agreement weights"),
        ("get_leaderboard", json!({}), "| PGR about 0.35"),
        ("share_finding", json!({"kind": "insight", "title": "t", "body": "b"}), "finding #1"),
        ("search_findings", json!({}), "1 of 1 findings"),
        ("read_finding", json!({"finding": 1}), "finding #1 (insight) by ada"),
        ("comment", json!({"finding": 1, "body": "why?"}), "Commented"),
        ("vote", json!({"finding": 1, "vote": "down"}), "stands at -1"),
        ("download_snapshot", json!({"bundle": "cdcdcdcd"}), "card.md"),
        ("budget", json!({}), "5 left"),
    ];
    assert_eq!(calls.len(), platform_tools("bundles").count());
    let (server, _) = with_line(async |line| {
        for (name, arguments, expect) in calls {
            let result = line.call(name, arguments).await;
            assert_eq!(result["isError"], false, "{name}: {result}");
            assert!(result["content"][0]["text"].as_str().unwrap().contains(expect), "{name}: {result}");
            let data = &result["_meta"][mcp::DATA];
            assert!(data.is_object() || name == "comment", "{name}: {result}");
            // Clients that find some show a model nothing else, and the fence is in the text.
            assert!(result["structuredContent"].is_null(), "{name}: {result}");
            // Free text of others stands in the fence, not in the data.
            assert!(!data.to_string().contains("Ignore all rules"), "{name}: {data}");
        }
    });
    assert_eq!(server.state.lock().unwrap().comments.len(), 1);
}

#[test]
fn an_agents_calls_are_on_record_where_a_study_runs_it() {
    let events = |place: &Place| std::fs::read_to_string(place.settings.events_file()).unwrap_or_default();
    let (_server, place) = with_line(async |line| drop(line.call("budget", json!({})).await));
    assert_eq!(events(&place), "", "nobody has a session here");

    let (server, place) = (Server::start(), Place::new());
    std::fs::create_dir_all(place.settings.own()).unwrap();
    Heartbeat::new(&place.settings.state_file()).begin(3);
    serve_line(&server, &place, async |line| {
        line.call("budget", json!({})).await;
        line.call("read_finding", json!({"finding": 99, "because": TOKEN})).await;
    });
    let events: Vec<Value> = events(&place).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown = |event: &Value| json!([event["event"], event["session"], event["tool"], event["ok"]]);
    let called = |tool, ok| json!(["tool-called", 3, tool, ok]);
    assert_eq!(events.iter().map(shown).collect::<Vec<_>>(), [called("budget", true), called("read_finding", false)]);
    assert!(!events[1].to_string().contains(TOKEN), "{}", events[1]);
}

#[test]
fn what_goes_wrong_is_a_tools_error_that_says_what_is_right() {
    with_line(async |line| {
        for (name, arguments, expect) in [
            ("evaluate_predictions", json!({"predictions": [0, 1]}), "takes bundles, not predictions"),
            ("shell", json!({"command": "id"}), "not offered here"),
            ("read_finding", json!({}), "\"finding\" is missing"),
            ("evaluation_status", json!({"evaluation": 99}), "there is no evaluation 99"),
            ("share_finding", json!({"kind": "result", "title": "t", "body": "b"}), "names the evaluation"),
        ] {
            let result = line.call(name, arguments).await;
            assert_eq!(result["isError"], true, "{name}: {result}");
            assert!(result["content"][0]["text"].as_str().unwrap().contains(expect), "{name}: {result}");
        }
        let answer = line.ask("no/such/method", json!({})).await;
        assert!(answer["error"]["code"].is_number(), "{answer}");
    });
}

/// A message over HTTP: the status, and the JSON in the answer.
fn post(url: &str, token: &str, message: &Value) -> (u16, Value) {
    let request = reqwest::blocking::Client::new().post(url).bearer_auth(token).json(message);
    let request = request.header("accept", "application/json, text/event-stream");
    let answer = request.header("mcp-protocol-version", "2025-06-18").send().unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().unwrap()).unwrap_or_default())
}

#[test]
fn it_is_served_over_http_to_whoever_has_the_token() {
    let (server, place) = (Server::start(), Place::new());
    let platform = Platform::new(place.settings.clone(), server.client(), TOKEN);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    // It serves until the process ends.
    std::thread::spawn(move || mcp::serve_http(platform, mcp::Listener::Tcp(listener)));
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello});
    assert_eq!(post(&url, "guessed", &hello).0, 401);
    let (status, answer) = post(&url, TOKEN, &hello);
    assert_eq!((status, &answer["result"]["serverInfo"]["name"]), (200, &json!("aar")), "{answer}");
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(post(&url, TOKEN, &ready).0, 202);
    let call =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "budget", "arguments": {}}});
    let (_, answer) = post(&url, TOKEN, &call);
    let said = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
    assert!(said.starts_with("Evaluations: 5 left"), "{answer}");
}
