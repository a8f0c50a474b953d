//! Serve a made-up study for a browser to look at (`tests/browser`); what is written to it arrives live.
//!
//! `cargo run --release -p aar-server --example shown_study [DIR [TESTBED] | running]`; with a folder that has a study in it, that one is
//! shown, with `running` one whose researchers are still at work. Prints a link for the operator and one for a viewer. Reads lines: `evaluate NAME` asks for an evaluation; the end
//! of the input ends it.

#![allow(clippy::print_stdout)]

#[path = "../tests/bench/mod.rs"]
mod bench;
#[path = "../tests/large/mod.rs"]
mod large;

use aar_api::bundle::Bundle;
use aar_api::forum::FindingType;
use aar_domain::rung::Split;
use aar_server::event::{Event, Posted, Purpose};
use aar_server::handle::OperatorRequest;
use aar_server::history::{self, Moment};
use aar_server::pages::Visitor;
use aar_server::{Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Enough to fill every page.
const SHOWN: large::Size = large::Size { researchers: 8, evaluations: 160, findings: 300, items: 600, closes: true };
/// What would run, if a page took it for its own.
const HOSTILE: &str = "</title></main><script>window.harmed = 1</script><img src=x onerror=\"window.harmed = 1\">";

fn main() {
    let mut arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let running = arguments.first().is_some_and(|word| word.as_os_str() == "running");
    if running {
        arguments.clear();
    }
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments.first().map_or(temporary.path(), PathBuf::as_path);
    if !dir.join("study.db").exists() {
        std::fs::create_dir_all(dir).unwrap();
        large::write(dir, 3, large::Size { closes: !running, ..SHOWN });
        attack(dir);
        keep_house(dir);
    }
    let testbed = arguments.get(1).map_or(dir, PathBuf::as_path).to_owned();
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let config = ServerConfig { log: dir.join("study.db"), testbed, socket: None, http };
    let server = Server::start(&config).unwrap();
    server.board();
    if dir.join("transcripts").exists() {
        server.spend(&totals());
    }
    for visitor in [Visitor::Operator, Visitor::Viewer] {
        println!("http://{}/?t={}", server.http().unwrap(), server.invite(visitor).unwrap());
    }
    for line in std::io::stdin().lines().map_while(Result::ok) {
        if let Some(name) = line.strip_prefix("evaluate ") {
            evaluate(&server, name);
        }
    }
}

fn attack(dir: &Path) {
    let posted = Posted {
        by: "search-01".into(),
        kind: FindingType::Insight,
        title: HOSTILE.into(),
        body: format!("{HOSTILE}\n\n[x](javascript:window.harmed=1) <svg/onload=\"window.harmed=1\">"),
        evaluation: None,
        turn: None,
        key: "hostile".into(),
    };
    let at_ms = 1_800_000_000_000;
    history::write(&dir.join("study.db"), &[Moment { at_ms, event: Event::Posted(posted), blob: None }]).unwrap();
}

/// What researchers with a language model leave behind.
fn keep_house(dir: &Path) {
    for (at, name) in ["search-00", "search-01", "search-02"].into_iter().enumerate() {
        large::talk::write(&dir.join(format!("transcripts/{name}.jsonl")), at as u64, 3 << 20);
    }
    let work = dir.join("researchers/search-01");
    std::fs::create_dir_all(&work).unwrap();
    let notebook = "# What I know\n\n- Soft labels help only when tempered (#12).\n- Length bias explains a third of the teacher's errors.\n\n\
        ## Next\n\n1. Swap ensemble on top of the agreement filter.\n2. Ask search-04 how the probe was trained.\n";
    std::fs::write(work.join("notebook.md"), notebook).unwrap();
}

/// As a gateway would say them.
fn totals() -> serde_json::Value {
    let account = |share: f64| {
        let tokens = |all: f64| (all * share) as u64;
        serde_json::json!({
            "nano": (6.4e9 * share) as i64, "open_nano": (4e7 * share) as i64, "calls": tokens(1480.0), "failures": tokens(12.0),
            "usage": {"input": tokens(2.1e6), "output": tokens(4.3e5), "cache_read": tokens(3.9e7), "cache_write": 0},
            "limits": {"usd": 20.0 * share, "tokens": null},
        })
    };
    let callers =
        [("search-00", 0.5), ("search-01", 0.3), ("search-02", 0.2)].map(|(name, share)| (name, account(share)));
    serde_json::json!({"team": account(1.0), "callers": std::collections::BTreeMap::from(callers)})
}

fn evaluate(server: &Server, name: &str) {
    let request = OperatorRequest {
        bundle: Bundle::of_recipe(&format!("# {name}\n")),
        name: name.into(),
        family: "other".into(),
        by: "operator".into(),
        parent: None,
        purpose: Purpose::Baseline,
        split: Split::Feedback,
        key: format!("shown {name}"),
    };
    server.evaluate(&request).unwrap();
}
