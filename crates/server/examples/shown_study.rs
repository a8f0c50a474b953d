//! Serve a made-up study for a browser to look at (`tests/browser`); what is written to it arrives live.
//!
//! `cargo run --release -p aar-server --example shown_study [DIR [TESTBED]]`; with a folder that has a study in it, that one is
//! shown. Prints a link for the operator and one for a viewer. Reads lines: `evaluate NAME` asks for an evaluation; the end
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
const SHOWN: large::Size = large::Size { researchers: 8, evaluations: 160, findings: 300, items: 600 };
/// What would run, if a page took it for its own.
const HOSTILE: &str = "</title></main><script>window.harmed = 1</script><img src=x onerror=\"window.harmed = 1\">";

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments.first().map_or(temporary.path(), PathBuf::as_path);
    if !dir.join("study.db").exists() {
        std::fs::create_dir_all(dir).unwrap();
        large::write(dir, 3, SHOWN);
        attack(dir);
    }
    let testbed = arguments.get(1).map_or(dir, PathBuf::as_path).to_owned();
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let config = ServerConfig { log: dir.join("study.db"), testbed, socket: None, http };
    let server = Server::start(&config).unwrap();
    server.board();
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
