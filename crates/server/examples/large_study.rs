//! How large and how slow is every page of a study of 2,000 evaluations, 20,000 findings and 50 researchers?
//!
//! `cargo run --release -p aar-server --example large_study`; with a folder as an argument it is made there, or opened
//! again, and stays; with `serve` after it, it is served until Ctrl-C.

#![allow(clippy::print_stdout)]

#[path = "../tests/bench/mod.rs"]
mod bench;
#[path = "../tests/large/mod.rs"]
mod large;
#[path = "../tests/pages/visit.rs"]
mod visit;

use aar_server::pages::Visitor;
use aar_server::{Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Instant;
use visit::Browser;

/// Times a page is fetched once it was seen.
const AGAIN: usize = 15;
/// Harbour's feedback split has as many.
const ITEMS: usize = 1200;

const PATHS: &[&str] = &[
    "/",
    "/?over=hours",
    "/?over=dollars",
    "/leaderboard",
    "/leaderboard?by=search-07&sort=new",
    "/researchers",
    "/researchers/search-07",
    "/researchers/search-07/transcript",
    "/researchers/search-07/transcript?at=12001",
    "/researchers/search-07/transcript?q=obsidian+needle",
    "/researchers/search-07/transcript?q=nowhere-to-be-found",
    "/forum",
    "/forum?sort=discussed",
    "/forum?q=quarantine+obsidian",
    "/forum?q=the",
    "/forum?q=nowhere-to-be-found",
    "/forum/19000",
    "/evaluations",
    "/evaluations?page=9",
    "/evaluations/1500",
    "/lineage",
    "/lineage?of=1500",
    "/diversity",
    "/transfer",
    "/integrity",
    "/access",
    "/figures/progress.svg",
    "/data/leaderboard.csv",
    "/data/evaluations.csv",
    "/data/findings.csv",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments.first().map_or(temporary.path().to_owned(), PathBuf::from);
    let begun = Instant::now();
    if !dir.join("study.db").exists() {
        std::fs::create_dir_all(&dir).unwrap();
        large::write(&dir, 1, large::Size { items: ITEMS, ..large::LARGE });
        large::talk::write(&dir.join("transcripts/search-07.jsonl"), 1, 100_000_000);
        println!("made in {:.1} s", begun.elapsed().as_secs_f64());
    }
    let begun = Instant::now();
    let server = open(&dir);
    println!(
        "opened in {:.1} s: {} bytes",
        begun.elapsed().as_secs_f64(),
        dir.join("study.db").metadata().unwrap().len()
    );
    if arguments.get(1).is_some_and(|word| word == "serve") {
        println!("http://{}/?t={}", server.http().unwrap(), server.invite(Visitor::Operator).unwrap());
        loop {
            std::thread::park();
        }
    }
    let browser = Browser::of(&server, Some(Visitor::Operator));
    let begun = Instant::now();
    let size = browser.text("/").len();
    println!("the first page of all, {size} bytes: {:.0} ms", begun.elapsed().as_secs_f64() * 1000.0);
    println!("\nwhile scores are computed for the first time");
    table(&browser, &PATHS[..18]);
    let begun = Instant::now();
    let rows = server.board().rows.len();
    println!("\nonce all {rows} are (after another {:.1} s)", begun.elapsed().as_secs_f64());
    table(&browser, PATHS);
}

fn table(browser: &Browser, paths: &[&str]) {
    println!("{:38} {:>8} {:>10} {:>10} {:>10}", "page", "KB", "first, ms", "median, ms", "worst, ms");
    for path in paths {
        let fetch = || {
            let begun = Instant::now();
            let size = browser.text(path).len();
            (begun.elapsed().as_secs_f64() * 1000.0, size)
        };
        let (first, size) = fetch();
        let mut again: Vec<f64> = (0..AGAIN).map(|_| fetch().0).collect();
        again.sort_by(f64::total_cmp);
        let (median, worst) = (again[AGAIN / 2], again[AGAIN - 1]);
        println!("{path:38} {:8.1} {first:10.1} {median:10.1} {worst:10.1}", size as f64 / 1000.0);
    }
}

fn open(dir: &Path) -> Server {
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    Server::start(&ServerConfig { http, ..bench::config(dir) }).unwrap()
}
