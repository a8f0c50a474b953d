//! A small study through the command line: what is printed, killed, resumed and refused.

#[path = "../../server/tests/pages/markup.rs"]
mod markup;
#[path = "../../server/tests/pages/numbers.rs"]
mod numbers;
#[path = "../../server/tests/pages/store.rs"]
mod store;
#[path = "../../server/tests/pages/visit.rs"]
mod visit;

use aar_server::pages::Visitor;
use aar_server::{Server, ServerConfig};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use store::Store;
use visit::Browser;

/// The smallest study that goes through every phase.
const SMALL: &[&str] = &[
    "evaluation.seeds=1",
    "evaluation.baselines=[\"plain\"]",
    "close.finalists=2",
    "close.seeds=2",
    "close.integrity=\"none\"",
    "researchers=[{name=\"ada\",kind=\"search\",evaluations=2},{name=\"random\",kind=\"random\",evaluations=2}]",
];

fn aar(out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command.args(["run", "--out"]).arg(out);
    for set in SMALL {
        command.args(["--set", set]);
    }
    command.args(more);
    command
}

fn finish(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// What must be the same in two runs of a study: everything but times.
fn numbers(result: &Value) -> Vec<(String, String, String)> {
    let row = |row: &Value| (row["method"].to_string(), row["rung"].to_string(), row["transfer_acc"].to_string());
    let mut rows: Vec<_> = result["leaderboard"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

#[test]
fn a_killed_study_goes_on_and_comes_to_the_same_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = finish(aar(&dir.path().join("whole"), &["--json"]));
    assert_eq!(code, 0, "{stderr}");
    let whole: Value = serde_json::from_str(&stdout).unwrap();
    check_shape(&whole);
    assert!(stderr.contains("isolation:") && stderr.contains("weak") && stderr.contains("closing"), "{stderr}");

    let out = dir.path().join("killed");
    // Killed twice, at moments that differ from machine to machine: it must not matter which.
    for wait in [3, 6] {
        let mut child = aar(&out, &["--quiet"]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (code, stdout, stderr) = finish(aar(&out, &["--json", "--quiet"]));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stderr, "", "--quiet says nothing");
    let resumed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(numbers(&resumed), numbers(&whole));
    for researcher in resumed["researchers"].as_array().unwrap() {
        assert_eq!(researcher["evaluations"], 2, "nothing is charged twice");
    }
    let (code, stdout, _) = finish(aar(&out, &["--json", "--quiet"]));
    assert_eq!(
        (code, numbers(&serde_json::from_str(&stdout).unwrap())),
        (0, numbers(&whole)),
        "a closed study only reports"
    );
    tried_elsewhere(&out, dir.path());
    numbers_are_in_the_store(&out);
    said_in_other_forms(&out);
    regrade_and_audit(&out);
}

/// Finalists on a testbed that is the same under another name: they must get what they got at home, and nothing is run twice.
fn tried_elsewhere(out: &Path, dir: &Path) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour");
    let quay = dir.join("quay");
    assert!(Command::new("cp").arg("-r").args([&home, &quay]).status().unwrap().success());
    let record = std::fs::read_to_string(quay.join("testbed.json")).unwrap();
    std::fs::write(quay.join("testbed.json"), record.replacen("\"harbour\"", "\"quay\"", 1)).unwrap();
    let transfer = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).arg("transfer").arg(out);
        command.args(["--seeds", "2", "--quiet", "--json"]).args(more);
        finish(command)
    };
    let page = dir.join("results.md");
    let to = ["--to", quay.to_str().unwrap(), "--out", page.to_str().unwrap()];
    let (code, first, stderr) = transfer(&to);
    assert_eq!(code, 0, "{stderr}");
    let trials = || std::fs::read_to_string(out.join("transfer/trials.jsonl")).unwrap();
    let ran = trials();
    let (code, again, _) = transfer(&to);
    assert_eq!((code, again, trials()), (0, first.clone(), ran));
    let matrix: Value = serde_json::from_str(&first).unwrap();
    let lines = matrix["methods"].as_array().unwrap();
    assert!(!lines.is_empty());
    for line in lines {
        let cell = &line["cells"][0];
        assert_eq!(cell["pgr"]["value"], line["home"]["value"], "the same seeds on the same items: {line}");
        assert_eq!((&line["rung"], cell["margins"].as_array().unwrap().len()), (&Value::from("replicated"), 2));
    }
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("`aar transfer ").count(), 1, "in its place, not once more: {text}");
    assert!(text.contains("| at home, on harbour | quay (chat) |") && !text.contains(dir.to_str().unwrap()), "{text}");
    let result: Value = serde_json::from_str(&std::fs::read_to_string(out.join("result.json")).unwrap()).unwrap();
    assert_eq!(result["transfer"], matrix);
    assert!(result["verdict"].as_str().is_some_and(|verdict| !verdict.contains("was not tried")), "{result}");
    let (code, _, stderr) = transfer(&["--to", "harbour"]);
    assert!(code == 65 && stderr.contains("own testbed"), "{code} {stderr}");
    let (code, _, stderr) = transfer(&[]);
    assert!(code == 64 && stderr.contains("--fresh"), "{code} {stderr}");
    tried_in_production(out, quay.to_str().unwrap(), &page, transfer);
}

/// One finalist against plain training, registered first; a second look at the same items is refused.
fn tried_in_production(out: &Path, world: &str, page: &Path, transfer: impl Fn(&[&str]) -> (i32, String, String)) {
    let world = format!("--production={world}");
    let (code, first, stderr) = transfer(&[&world, "--effect", "30", "--out", page.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    let text = std::fs::read_to_string(page).unwrap();
    assert!(text.contains("| quay (chat) |") && text.contains("” in production: "), "the matrix stays: {text}");
    let trial = serde_json::from_str::<Value>(&first).unwrap()["production"].clone();
    let registered = &trial["registered"];
    assert!(registered["seeds"] == 5 && registered["power"].as_f64().unwrap() >= 0.8, "{trial}");
    let (difference, plain) = (&trial["difference"], trial["plain"].as_f64().unwrap());
    let gained = trial["accuracy"].as_f64().unwrap() - plain;
    assert!((difference["value"].as_f64().unwrap() - gained).abs() < 1e-9, "{trial}");
    let result = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let stored: Value = serde_json::from_str(&result("result.json")).unwrap();
    assert_eq!(stored["production"], trial);
    assert!(stored["verdict"].as_str().unwrap().contains(" in production: "), "{stored}");
    assert!(result("report.html").contains("Registered before it was run"));
    let (ran, trials) = (result("transfer/trials.jsonl"), || result("transfer/trials.jsonl"));
    let (code, again, _) = transfer(&[&world, "--effect", "30"]);
    assert_eq!((code, again, trials()), (0, first, ran), "what is on record is not run again");
    let (code, _, stderr) = transfer(&[&world, "--effect", "25"]);
    assert!(code == 65 && stderr.contains("registered on quay already"), "{code} {stderr}");
    let (code, _, stderr) = transfer(&[&world, "--method", "nobody's"]);
    assert!(code == 65 && stderr.contains("no finalist is called"), "{code} {stderr}");
}

/// What pages and report of a real study show: every number names an entry of its log, and is what stands there.
fn numbers_are_in_the_store(out: &Path) {
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(
        report.contains("<svg") && !report.contains("src=") && !report.contains("https://"),
        "opens without a network"
    );
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour");
    let log = out.join("study.db");
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Server::start(&ServerConfig { log: log.clone(), testbed, socket: None, http }).unwrap();
    let store = Store::of(&server, &log);
    let browser = Browser::of(&server, Some(Visitor::Viewer));
    let ids = server.snapshot().evaluations.into_iter().map(|record| format!("/evaluations/{}", record.id));
    let paths = [
        "/",
        "/leaderboard",
        "/researchers",
        "/forum",
        "/evaluations",
        "/lineage",
        "/diversity",
        "/transfer",
        "/integrity",
    ];
    for path in paths.map(str::to_owned).into_iter().chain(ids) {
        let (held, faults) = numbers::check(&store, &browser.text(&path));
        assert!(held > 0 && faults.is_empty(), "{path}: {held} numbers, {faults:#?}");
    }
    let (held, faults) = numbers::check(&store, &report);
    assert!(held > 50 && faults.is_empty(), "report: {held} numbers, {faults:#?}");
    let mut anchors = report.split("href=\"#e").skip(1).filter_map(|rest| rest.split('"').next());
    assert!(anchors.all(|id| report.contains(&format!("id=\"e{id}\""))), "every link of the report leads somewhere");
}

/// Markdown and tables say the same.
fn said_in_other_forms(out: &Path) {
    let call = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        command.args([args[0]]).arg(out).args(&args[1..]);
        let (code, stdout, stderr) = finish(command);
        assert_eq!(code, 0, "{args:?}: {stderr}");
        stdout
    };
    let markdown = call(&["report", "--md"]);
    let result: Value = serde_json::from_str(&call(&["report", "--json"])).unwrap();
    for row in result["leaderboard"].as_array().unwrap() {
        let pgr = format!("{:.2} [", row["pgr"].as_f64().unwrap());
        let line = markdown.lines().find(|line| line.ends_with(&format!("| {} |", row["evaluation"])));
        assert!(line.is_some_and(|line| line.contains(&pgr)), "{row} is missing in {markdown}");
    }
    call(&["export", "--csv"]);
    let table = |name: &str| std::fs::read_to_string(out.join("export").join(name)).unwrap();
    for row in result["leaderboard"].as_array().unwrap() {
        assert!(table("leaderboard.csv").contains(&format!("\"{}\"", row["pgr"])), "{row}");
    }
    assert_eq!(table("seeds.csv").lines().count(), 1 + 5 + 3 * 2, "a line per seed, and the names");
}

/// The finished study follows from what is stored, and what is changed afterwards shows.
fn regrade_and_audit(out: &Path) {
    let call = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        command.args(args).arg(out).arg("--json");
        let (code, stdout, stderr) = finish(command);
        (code, serde_json::from_str::<Value>(&stdout).unwrap_or_else(|_| panic!("{args:?}: {stderr}")))
    };
    let (code, regraded) = call(&["regrade"]);
    assert_eq!((code, &regraded["same"]), (0, &Value::Bool(true)), "{regraded}");
    let (code, audit) = call(&["audit", "verify"]);
    assert_eq!((code, &audit["heads"]), (0, &audit["events"]), "{audit}");

    let path = out.join("result.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut result: Value = serde_json::from_str(&text).unwrap();
    result["leaderboard"][0]["pgr"] = serde_json::json!(0.97);
    std::fs::write(&path, result.to_string()).unwrap();
    let (code, regraded) = call(&["regrade"]);
    assert_eq!((code, &regraded["differences"][0]["place"]), (1, &"leaderboard[0].pgr".into()), "{regraded}");
    std::fs::write(&path, text).unwrap();

    std::fs::remove_file(out.join("study.heads")).unwrap();
    std::fs::write(out.join("study.heads"), "{\"height\":1,\"head\":\"00\"}\n").unwrap();
    let (code, audit) = call(&["audit", "verify"]);
    assert_eq!((code, &audit["faults"][0]["event"]), (1, &1.into()), "{audit}");
}

fn check_shape(result: &Value) {
    for key in ["problem", "testbed", "baselines", "noise_floor", "leaderboard", "researchers", "verdict", "wall_s"] {
        assert!(!result[key].is_null(), "{key} is missing");
    }
    for end in ["weak", "ceiling"] {
        assert_eq!(result["baselines"][end]["seeds"], 16);
    }
    let rows = result["leaderboard"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["rung"] == "replicated" && row["split"] == "selection" && row["seeds"] == 2));
    let keys = [
        "method",
        "by",
        "kind",
        "family",
        "rung",
        "split",
        "n_items",
        "seeds",
        "pgr",
        "pgr_ci",
        "transfer_acc",
        "id_acc",
        "ood_acc",
        "p_plain",
        "evaluations",
        "parent",
        "bundle",
    ];
    for row in rows {
        assert!(keys.iter().all(|key| row.get(*key).is_some()), "{row}");
    }
    let verdict = result["verdict"].as_str().unwrap();
    assert!(verdict.starts_with("No verdict at this size") && verdict.contains("Demonstration"), "{verdict}");
}

/// A finalist is run again where one thing is altered; what it shows is on the record, and honest search is not bound. Then the operator speaks.
#[test]
fn finalists_are_examined_and_an_operator_has_the_last_word() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("study");
    let sets = ["--set", "close.integrity=\"finalists\"", "--set", "close.finalists=1", "--set", "close.sign_off=true"];
    let team = "researchers=[{name=\"random\",kind=\"random\",evaluations=1}]";
    let (code, stdout, stderr) = finish(aar(&out, &[&sets[..], &["--set", team, "--json"]].concat()));
    assert_eq!(code, 0, "{stderr}");
    let result: Value = serde_json::from_str(&stdout).unwrap();
    let verdicts = result["integrity"]["verdicts"].as_array().unwrap();
    let mut checks: Vec<&str> = verdicts.iter().map(|verdict| verdict["check"].as_str().unwrap()).collect();
    checks.sort_unstable();
    assert_eq!(checks, ["label-provenance", "permuted-twin", "shortcuts", "student-reliance", "teacher-reliance"]);
    for verdict in verdicts {
        let evidence = verdict["evidence"].as_str().unwrap();
        assert!(verdict["kind"] == "property" && !evidence.contains("not looked at"), "{verdict}");
        println!("{}: {evidence}", verdict["check"]);
    }
    assert!(result["verdict"].as_str().unwrap().contains("is not signed off"), "{}", result["verdict"]);
    let finalist = result["leaderboard"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["rung"] == "replicated" && row["kind"] == "random");
    let number = finalist.unwrap()["evaluation"].to_string();
    let sign = |word: &str, reason: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
        command.args(["sign", word, &number, "--reason", reason, "--json", "--out"]).arg(&out);
        let (code, stdout, stderr) = finish(command);
        assert_eq!(code, 0, "{stderr}");
        let found: Value = serde_json::from_str(&stdout).unwrap();
        found["signatures"][0]["signed_off"].as_bool().unwrap()
    };
    let written = || std::fs::read_to_string(out.join("result.json")).unwrap();
    assert!(sign("off", "its recipe is what its name says"));
    assert!(written().contains("was signed off by the operator"), "the result is written again");
    assert!(!sign("refuse", "on second thoughts"));
    assert!(written().contains("No finalist may be ranked"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_aar"));
    command.args(["sign", "overturn", "77", "--reason", "r", "--out"]).arg(&out);
    let (code, _, stderr) = finish(command);
    assert!(code != 0 && stderr.contains("there is no verdict 77") && stderr.contains("aar sign list"), "{stderr}");
}

#[test]
fn bad_input_says_what_is_wrong_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let check = |more: &[&str], code: i32, expect: &str| {
        let (found, _, stderr) = finish(aar(&out, more));
        assert_eq!(found, code, "{more:?}: {stderr}");
        assert!(stderr.contains(expect) && stderr.contains("hint:"), "{more:?}: {stderr}");
        assert!(!out.join("study.db").exists(), "{more:?} left something");
    };
    check(&["--set", "close.seeds=99"], 65, "close.seeds = 99: 2 to 15 is possible");
    check(&["--set", "closing.seeds=3"], 65, "unknown field `closing`");
    check(&["--study", "no/such.toml"], 65, "no/such.toml");
    check(&["--set", "testbed=atlantis"], 65, "atlantis");
    std::fs::remove_dir_all(&out).unwrap();
    check(&["--set", "testbed=import", "--set", "data=/nowhere", "--set", "model=/nowhere"], 65, "/nowhere");
    std::fs::remove_dir_all(&out).unwrap();
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("thesis.tex"), "mine").unwrap();
    check(&[], 73, "not empty and has no study.json");
    assert_eq!(std::fs::read(out.join("thesis.tex")).unwrap(), b"mine");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, _, stderr) = finish(aar(&dir.path().join("port"), &["--port", &port]));
    assert_eq!(code, 69, "{stderr}");
    assert!(stderr.contains("--port 0"), "{stderr}");
}

#[test]
fn commands_and_exit_codes_are_described() {
    let help = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_aar")).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let whole = help(&["--help"]);
    for word in [
        "run",
        "mint",
        "import",
        "report",
        "export",
        "regrade",
        "transfer",
        "tabulate",
        "ablate",
        "attack",
        "audit",
        "doctor",
        "lab",
        "Exit codes",
    ] {
        assert!(whole.contains(word), "{word}");
    }
    assert!(help(&["lab", "--help"]).contains("snapshot"));
    assert!(help(&["doctor", "--json"]).contains("\"isolation\""));
    assert!(help(&["lab", "recipes"]).contains("posterior"));
}
