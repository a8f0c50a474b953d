//! Clients that are not ours against real studies: three agents from npm as kind `command`, and the MCP tools by two SDKs and the
//! protocol's own conformance tool. `tests/clients/run` installs them, pinned, and says where they are (`AAR_CLIENTS`).

#![allow(clippy::print_stdout)]

use aar_llm::conversation::{Block, Request, Usage};
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KEY: &str = "the-key-that-no-sandbox-may-see";

/// Where the clients are, if they were installed.
fn installed() -> Option<PathBuf> {
    let folder = std::env::var_os("AAR_CLIENTS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: no clients are installed here; `cargo xtask slow clients` installs and tries them");
    }
    folder
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn aar(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
    command.current_dir(root()).args(args);
    command
}

fn path_with(folder: &Path) -> String {
    let programs = [folder, &folder.join("opencode")].map(|at| at.join("node_modules/.bin").display().to_string());
    format!("{}:{}", programs.join(":"), std::env::var("PATH").unwrap())
}

const STUDY: &str = r#"
name = "clients"
testbed = "harbour"
[team]
hours = 0.5
usd = 20.0
[evaluation]
seeds = 1
baselines = ["plain"]
[close]
finalists = 1
seeds = 2
integrity = "none"
[[researchers]]
name = "claude"
kind = "command"
agent = "claude-code"
model = "messages"
evaluations = 1
[[researchers]]
name = "codex"
kind = "command"
agent = "codex"
model = "responses"
evaluations = 1
[[researchers]]
name = "opencode"
kind = "command"
agent = "opencode"
model = "chat"
evaluations = 1
"#;
const AGENTS: [&str; 3] = ["claude", "codex", "opencode"];

fn models(url: &str) -> String {
    let model = |wire: &str| {
        format!(
            "[models.{wire}]\nprovider = \"{url}\"\nmodel = \"scripted-{wire}\"\nwire = \"{wire}\"\nkey_env = \"AAR_TEST_KEY\"\n\
             price = {{ input = 3.0, output = 15.0 }}\n"
        )
    };
    ["messages", "responses", "chat"].map(model).concat()
}

/// Agents put the server's name before a tool's: `mcp__aar__submit`, `mcp__aar.submit`, `aar_submit`.
fn plain(name: &str) -> &str {
    let name = name.rsplit("__").next().and_then(|name| name.rsplit('.').next()).unwrap_or(name);
    name.strip_prefix("aar_").unwrap_or(name)
}

/// The platform's tools called so far by their plain names, with what the last one answered.
fn so_far(request: &Request) -> (Vec<String>, String) {
    let (mut calls, mut last) = (Vec::new(), String::new());
    for block in request.messages.iter().flat_map(|message| &message.blocks) {
        match block {
            Block::ToolCall { name, .. } => calls.push(plain(name).to_owned()),
            Block::ToolResult { text, .. } => last.clone_from(text),
            _ => {}
        }
    }
    (calls, last)
}

/// Read, submit, ask how it stands until it is done, post it, and be done.
fn policy(request: &Request, caller: &str) -> Action {
    let offered = |name: &str| request.tools.iter().find(|tool| plain(&tool.name) == name);
    let (calls, last) = so_far(request);
    let call = |name: &str, arguments: Value| match offered(name) {
        Some(tool) => Action::call(&format!("call_{}", calls.len()), &tool.name, arguments),
        // An agent asks a model for other things too, such as a title.
        None => Action::say("Nothing to do without the platform's tools."),
    };
    let recipe = match caller {
        "claude" => "confident",
        "codex" => "plain-soft",
        _ => "both-orders",
    };
    let result = last.contains("PGR about") || last.contains("failed");
    match calls.last().map(String::as_str) {
        None => call("read_problem", json!({})),
        Some("read_problem") => call("submit", json!({"bundle": recipe})),
        Some("submit" | "evaluation_status") if !result && calls.len() < 400 => {
            std::thread::sleep(Duration::from_millis(500));
            call("evaluation_status", json!({"evaluation": number_after(&last, "#")}))
        }
        Some("submit" | "evaluation_status") => {
            let finding = json!({"kind": "result", "title": format!("{recipe} by {caller}"), "body": last, "evaluation": number_after(&last, "#")});
            call("share_finding", finding)
        }
        Some(_) => Action::say("Submitted, waited, posted."),
    }
}

fn number_after(text: &str, mark: &str) -> Option<i64> {
    let rest = &text[text.find(mark)? + mark.len()..];
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

#[test]
fn three_agents_from_npm_work_with_our_tools_and_are_billed_to_the_token() {
    let Some(folder) = installed() else { return };
    let endpoint = Endpoint::start(KEY, policy).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("clients.toml"), dir.path().join("study"));
    std::fs::write(&file, format!("{STUDY}{}", models(&endpoint.url()))).unwrap();
    let args = ["run", "--json", "--quiet", "--study", file.to_str().unwrap(), "--out", out.to_str().unwrap()];

    let said = aar(&args).env("AAR_TEST_KEY", KEY).env("PATH", "/nowhere").output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(69) && text.contains("npm install"), "{text}");
    assert!(!out.exists(), "said before anything is begun");

    let said = aar(&args).env("AAR_TEST_KEY", KEY).env("PATH", path_with(&folder)).output().unwrap();
    assert!(said.status.success(), "{}\n{}", String::from_utf8_lossy(&said.stderr), logs(&out));
    let result: Value = serde_json::from_slice(&said.stdout).unwrap();
    let billed = endpoint.billed_by_caller();
    for name in AGENTS {
        tools_were_used(&endpoint, name, &out);
        let graded = |row: &&Value| row["by"] == name && row["kind"] == "command" && row["pgr"].is_number();
        assert!(result["leaderboard"].as_array().unwrap().iter().any(|row| graded(&row)), "{name}\n{}", logs(&out));
        let rows = result["researchers"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        assert_eq!((&row["evaluations"], &row["findings"]), (&json!(1), &json!(1)), "{row}");
        bill_agrees(row, &billed, &out);
    }
    assert_eq!(endpoint.refused(), 0);
}

/// What the agents printed.
fn logs(out: &Path) -> String {
    let log = |name: &str| {
        let text = std::fs::read_to_string(out.join(format!("researchers/{name}/.aar/sessions/1.log")));
        let text = text.unwrap_or_default();
        format!("--- {name}\n{}\n", &text[text.len().saturating_sub(6000)..])
    };
    AGENTS.map(log).concat()
}

/// The agent itself ran our tools over MCP, and told the model what they answered.
fn tools_were_used(endpoint: &Endpoint, name: &str, out: &Path) {
    let asked: Vec<_> = endpoint.asked().into_iter().filter(|asked| asked.caller == name).collect();
    let (calls, _) =
        asked.iter().map(|asked| so_far(&asked.request)).max_by_key(|(calls, _)| calls.len()).unwrap_or_default();
    for tool in ["read_problem", "submit", "evaluation_status", "share_finding"] {
        assert!(calls.iter().any(|call| call == tool), "{name} {tool}: {calls:?}\n{}", logs(out));
    }
    let events = std::fs::read_to_string(out.join(format!("researchers/{name}/.aar/events.jsonl"))).unwrap();
    let on_record = |line: &&str| line.contains(r#""event":"tool-called""#) && line.contains(r#""tool":"submit""#);
    assert_eq!(events.lines().filter(on_record).count(), 1, "{name}: {events}");
    let told: String = asked.iter().map(|asked| serde_json::to_string(&asked.request.messages).unwrap()).collect();
    assert!(told.contains("Session 1 begins"), "the briefing reaches the model: {told}");
}

fn bill_agrees(row: &Value, billed: &BTreeMap<String, Usage>, out: &Path) {
    let name = row["name"].as_str().unwrap();
    let spent: Usage = serde_json::from_value(row["spending"]["tokens"].clone()).unwrap();
    assert_eq!(spent, billed[name], "{name}");
    let text = std::fs::read_to_string(out.join(format!("transcripts/{name}.jsonl"))).unwrap();
    let mut transcribed = Usage::default();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if let Some(charge) = event.get("charge") {
            transcribed += serde_json::from_value(charge["usage"].clone()).unwrap();
        }
    }
    assert_eq!(transcribed, billed[name], "{name}");
}

/// Ended with the test, whatever becomes of it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2400 {
        if let Some(found) = done() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited in vain for {what}")
}

/// Run to its end; what it printed where it failed.
fn succeed(command: &mut Command, what: &str) {
    let said = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(said.status.success(), "{what}\n{}\n{}", text(&said.stdout), text(&said.stderr));
    println!("{what}: {}", text(&said.stdout).lines().last().unwrap_or_default());
}

#[test]
fn two_sdks_call_every_tool_and_the_conformance_tool_agrees() {
    let Some(folder) = installed() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("served");
    let out_text = out.to_str().unwrap();
    let mut serve = aar(&["serve", "--quiet", "--out", out_text, "--set", "researchers=[]"]);
    serve.args(["--set", "evaluation.seeds=1", "--set", "evaluation.baselines=[\"plain\"]"]);
    let _study = Process(serve.stdout(Stdio::null()).spawn().unwrap());
    until("the operator's door", || out.join("operator.json").exists().then_some(()));
    let join = |name: &str| -> Value {
        let said = aar(&["token", "add", name, "--out", out_text, "--json"]).output().unwrap();
        serde_json::from_slice(&said.stdout).unwrap()
    };
    let joined = join("visitor");
    let token = joined["token"].as_str().unwrap().to_owned();
    let text = |field: &str| joined[field].as_str().unwrap().to_owned();
    let work = dir.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let env = [
        ("AAR_API", text("api")),
        ("AAR_TOKEN", token),
        ("AAR_DATA", text("data")),
        ("AAR_WORK", work.display().to_string()),
        ("AAR_CLIENTS", folder.display().to_string()),
    ];
    let lab = dir.path().join("lab");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_aar"), &lab).unwrap();
    until("the baselines", || {
        let said = Command::new(&lab).args(["submit", "plain-soft"]).envs(env.clone()).output().unwrap();
        said.status.success().then_some(())
    });
    neighbour_posts(&lab, &env, join("neighbour")["token"].as_str().unwrap());
    let socket = dir.path().join("mcp.sock");
    let listen = |address: &str| {
        let mut command = Command::new(&lab);
        Process(command.args(["mcp", "--listen", address]).envs(env.clone()).spawn().unwrap())
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _on_socket = listen(&format!("unix:{}", socket.display()));
    let _on_loopback = listen(&format!("127.0.0.1:{port}"));
    until("the socket", || {
        (socket.exists() && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(())
    });

    let url = format!("http://127.0.0.1:{port}/mcp");
    let here = root().join("tests/clients");
    let client = |program: &str, script: &str, name: &str, at: Option<&str>| {
        let mut command = Command::new(program);
        command.arg(here.join(script)).arg(&lab).arg(name).args(at).envs(env.clone());
        command
    };
    let python = folder.join("python/bin/python").display().to_string();
    succeed(&mut client(&python, "tools.py", "python-pipes", None), "Python over pipes");
    succeed(&mut client(&python, "tools.py", "python-socket", socket.to_str()), "Python over a unix socket");
    succeed(&mut client("node", "tools.mjs", "node-pipes", None), "Node.js over pipes");
    succeed(&mut client("node", "tools.mjs", "node-http", Some(&url)), "Node.js over HTTP");

    conforms(&folder, &url, &env);
}

/// Nobody votes on an own finding.
fn neighbour_posts(lab: &Path, env: &[(&str, String)], token: &str) {
    let body = "These are somebody else's words.";
    let mut post = Command::new(lab);
    post.args(["forum", "post", "--kind", "insight", "--title", "a neighbour", "--body", body]);
    succeed(post.envs(env.iter().cloned()).env("AAR_TOKEN", token), "a neighbour's post");
}

/// The protocol's own tool, from a folder in which it may leave results.
fn conforms(folder: &Path, url: &str, env: &[(&str, String)]) {
    // The tool can send no token.
    let mut door = Command::new("node");
    door.arg(root().join("tests/clients/with-token.mjs"))
        .arg(url)
        .envs(env.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut door = Process(door.spawn().unwrap());
    let mut port = String::new();
    BufReader::new(door.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let mut conformance = Command::new(folder.join("node_modules/.bin/conformance"));
    conformance.args(["server", "--url", &format!("http://127.0.0.1:{}/mcp", port.trim())]);
    conformance
        .arg("--expected-failures")
        .arg(root().join("tests/clients/conformance.yml"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    succeed(&mut conformance, "conformance");
}
