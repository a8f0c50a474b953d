//! Pages stay small when a study grows large.

use super::bench::config;
use super::large::{self, LARGE};
use super::visit::Browser;
use aar_server::pages::Visitor;
use aar_server::{Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};

/// What a page may weigh, with style and script.
const MOST: usize = 200_000;

#[test]
fn no_page_of_a_large_study_weighs_more_than_200_kb() {
    let dir = tempfile::tempdir().unwrap();
    large::write(dir.path(), 7, LARGE);
    large::talk::write(&dir.path().join("transcripts/search-07.jsonl"), 7, 2_000_000);
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Server::start(&ServerConfig { http, ..config(dir.path()) }).unwrap();
    let snapshot = server.snapshot();
    assert_eq!(snapshot.evaluations.len(), LARGE.evaluations);
    assert_eq!(snapshot.findings.len(), LARGE.findings);
    assert!(server.board().rows.len() > 1900, "most of it is finished");
    let browser = Browser::of(&server, Some(Visitor::Operator));
    let frame = browser.text("/style.css").len() + browser.text("/pages.js").len();
    let newest = snapshot.evaluations.iter().rev().find(|record| record.asked.parent.is_some()).unwrap().id;
    let paths = [
        "/".into(),
        "/leaderboard".into(),
        "/?over=dollars".into(),
        "/leaderboard?group=family".into(),
        "/researchers".into(),
        "/researchers/search-07".into(),
        "/researchers/search-07/transcript".into(),
        "/researchers/search-07/transcript?q=the".into(),
        "/forum".into(),
        "/forum?q=the".into(),
        "/forum/20000".into(),
        "/evaluations".into(),
        format!("/evaluations/{newest}"),
        "/lineage".into(),
        format!("/lineage?of={newest}"),
        "/diversity".into(),
        "/transfer".into(),
        "/integrity".into(),
    ];
    for path in paths {
        let size = browser.text(&path).len() + frame;
        assert!(size <= MOST, "{path}: {size} bytes");
    }
    // Nothing is out of reach for being on a later part.
    let last = LARGE.findings.div_ceil(40);
    assert!(browser.text(&format!("/forum?page={last}")).contains("href=\"/forum/1\""));
    assert!(browser.text("/evaluations?page=20").contains("href=\"/evaluations/1\""));
}
