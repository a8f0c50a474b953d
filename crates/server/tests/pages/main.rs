//! The pages as a browser gets them: who may see which, what stands on them, what a hostile post becomes.

#[path = "../bench/mod.rs"]
mod bench;
mod desk;
mod ladder;
#[path = "../large/mod.rs"]
mod large;
mod markup;
mod numbers;
mod size;
mod store;
mod time;
mod visit;

use aar_api::bundle::{Bundle, BundleStored};
use aar_api::evaluation::{EvaluationView, Submission};
use aar_api::forum::{Finding, FindingType, NewComment, NewFinding};
use aar_api::integrity::{Bearing, Check, Left, Verdict};
use aar_api::paths;
use aar_api::work::{Claim, Job, Outputs, Usage};
use aar_server::ServerConfig;
use aar_server::pages::Visitor;
use bench::{Bench, config, margins, opening, others, refused, serve};
use std::net::{Ipv4Addr, SocketAddr};
use visit::Browser;

const PAGES: [&str; 29] = [
    "/",
    "/leaderboard",
    "/researchers",
    "/researchers/ada",
    "/forum",
    "/forum/1",
    "/evaluations",
    "/evaluations/1",
    "/lineage",
    "/lineage?of=1",
    "/diversity",
    "/transfer",
    "/integrity",
    "/access",
    "/figures/progress.svg",
    "/figures/lineage.svg",
    "/figures/diversity.svg",
    "/figures/leaderboard.svg",
    "/figures/timeline.svg",
    "/figures/loss-1.svg",
    "/data/leaderboard.csv",
    "/data/evaluations.csv",
    "/data/findings.csv",
    "/data/comments.csv",
    "/data/seeds.csv",
    "/data/diversity.csv",
    "/data/timeline.csv",
    "/data/transfer.csv",
    "/data/loss-1.csv",
];

/// A study with an evaluation by each researcher, the second built on the first, and a hostile finding.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.server = None;
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    bench.server = Some(serve(&ServerConfig { http, ..config(bench.dir.path()) }, &opening("plan one"), 2, true));
    let ada = submit(&bench, "ada", "first", None);
    submit(&bench, "boole", "second", Some(ada.bundle));
    work(&bench);
    let finding = NewFinding {
        kind: FindingType::Result,
        title: HOSTILE.into(),
        body: format!("{HOSTILE}\n\n**bold** [x](javascript:alert(1)) recovers 0.50, not 0.12"),
        evaluation: Some(1),
        turn: Some(0),
        key: "k".into(),
    };
    let posted: Finding = bench.client("ada").post(paths::FINDINGS, &finding).unwrap();
    let comment = NewComment { body: HOSTILE.into(), turn: Some(0), key: "c".into() };
    let path = paths::COMMENTS.replace("{id}", &posted.id.to_string());
    let _: serde_json::Value = bench.client("boole").post(&path, &comment).unwrap();
    // Something was found, and somebody looked where nothing is.
    let evidence = "PGR -0.41 with the teacher's labels shuffled, 0.52 as it is".to_owned();
    let verdict = Verdict {
        evaluation: 1,
        check: Check::TeacherReliance,
        kind: Bearing::Property,
        evidence,
        of: None,
        left: Some(Left { without: -0.41, with: 0.52 }),
    };
    bench.server().judge(verdict).unwrap();
    assert_eq!(
        refused(bench.client("ada").get::<serde_json::Value>("/v1/labels")),
        aar_api::error::ErrorCode::NotFound
    );
    // A slow machine would show pages without scores first.
    bench.server().board();
    bench
}

/// Do all jobs that wait.
fn work(bench: &Bench) {
    let worker = bench.client("worker");
    while let Some(job) =
        worker.post::<_, Option<Job>>(paths::CLAIM, &Claim { worker: "w".into(), wait_ms: 10 }).unwrap()
    {
        // Equally right, by other answers: the second is no copy of the first.
        let margins = if job.evaluation == 1 { margins(75) } else { others(75) };
        let outputs = Outputs { margins, usage: Usage::default(), curve: vec![(0, 0.7), (10, 0.5)] };
        let path = paths::OUTPUTS.replace("{id}", &job.id.to_string());
        let _: serde_json::Value = worker.post(&path, &outputs).unwrap();
    }
}

const HOSTILE: &str = "</title></main><script>alert(1)</script><img src=x onerror=alert(1)>";

fn submit(bench: &Bench, by: &str, name: &str, parent: Option<String>) -> EvaluationView {
    let client = bench.client(by);
    let stored: BundleStored = client.post(paths::BUNDLES, &Bundle::of_recipe(name)).unwrap();
    let submission = Submission {
        bundle: stored.bundle,
        name: name.into(),
        family: "ensemble".into(),
        parent,
        key: name.into(),
        turn: Some(0),
    };
    client.post(paths::EVALUATIONS, &submission).unwrap()
}

#[test]
fn pages_open_to_operator_and_viewer_and_to_nobody_else() {
    let bench = bench();
    let nobody = Browser::of(bench.server(), None);
    let mut forged = Browser::of(bench.server(), None);
    forged.cookie = Some(format!("aar-{}=token of ada", forged.address.port()));
    for path in PAGES.iter().chain(&["/live"]) {
        assert_eq!(nobody.get(path).status(), 401, "{path} without a session");
        assert_eq!(forged.get(path).status(), 401, "{path} with a token for a cookie");
        let url = format!("http://{}{path}", nobody.address);
        let answer = nobody.client.get(url).bearer_auth("token of ada").send().unwrap();
        assert_eq!(answer.status(), 401, "{path} with a researcher's token");
    }
    for visitor in [Visitor::Operator, Visitor::Viewer] {
        let browser = Browser::of(bench.server(), Some(visitor));
        for path in PAGES {
            let answer = browser.get(path);
            assert_eq!(answer.status(), 200, "{path} for {visitor:?}");
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert_eq!(answer.headers()["referrer-policy"], "same-origin", "or forms come from nowhere");
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        }
        assert_eq!(browser.get("/evaluations/99").status(), 404);
        assert_eq!(browser.get("/data/nothing.csv").status(), 404);
    }
    // The socket, which researchers reach, has no pages.
    let refusal = refused(bench.client("ada").get::<serde_json::Value>("/leaderboard"));
    assert_eq!(refusal, aar_api::error::ErrorCode::NotFound);
}

#[test]
fn a_link_opens_once_and_writes_come_from_the_pages_themselves() {
    let bench = bench();
    let link = bench.server().invite(Visitor::Viewer).unwrap();
    let nobody = Browser::of(bench.server(), None);
    assert_eq!(nobody.get(&format!("/?t={link}")).status(), 303);
    assert_eq!(nobody.get(&format!("/?t={link}")).status(), 401, "a second time");
    let (operator, viewer) =
        (Browser::of(bench.server(), Some(Visitor::Operator)), Browser::of(bench.server(), Some(Visitor::Viewer)));
    let own = format!("http://{}", operator.address);
    assert_eq!(operator.post(&own), 200);
    assert_eq!(operator.post("http://evil.example"), 403);
    assert_eq!(operator.post("null"), 403);
    assert_eq!(viewer.post(&own), 403);
    assert_eq!(nobody.post(&own), 401);
    let url = format!("{own}/");
    let request = operator.client.get(&url).header("cookie", operator.cookie.as_deref().unwrap());
    assert_eq!(request.header("host", "evil.example").send().unwrap().status(), 421, "a name that was rebound");
}

#[test]
fn a_hostile_post_is_text_on_every_page() {
    let bench = bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Operator));
    for path in PAGES.iter().filter(|path| !path.ends_with(".csv")) {
        let page = browser.text(path);
        let scripts = page.matches("<script").count();
        assert!(scripts <= 1, "{path}: {scripts} scripts");
        assert!(!page.contains("<script>") && !page.contains("<img") && !page.contains("href=\"javascript"), "{path}");
        assert!(!page.contains("style=\""), "{path} has a style that the policy forbids");
    }
    let post = browser.text("/forum/1");
    assert!(post.contains("&lt;script&gt;alert(1)") && post.contains("<strong>bold</strong>"), "{post}");
}

#[test]
fn values_name_their_evaluations_and_filters_stand_in_the_url() {
    let bench = bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Viewer));
    for path in ["/", "/leaderboard", "/evaluations", "/forum", "/lineage"] {
        let page = browser.text(path);
        let links: Vec<&str> =
            page.split("href=\"/evaluations/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!links.is_empty(), "{path}");
        for id in links {
            browser.text(&format!("/evaluations/{id}"));
        }
    }
    let page = browser.text("/leaderboard?by=ada");
    assert!(page.contains("first") && !page.contains("second"), "{page}");
    assert!(browser.text("/leaderboard").contains("class=\"tied\""), "equal margins are a tie");
    assert!(browser.text("/leaderboard?group=family").contains("<tr class=\"group\">"));
    let post = browser.text("/forum/1");
    assert!(post.contains("href=\"/evaluations/1\">0.50</a>"), "what the evaluation gave: {post}");
    assert!(post.contains("class=\"claimed\" title=\"claimed: no evaluation behind it\">0.12</span>"), "{post}");
    let one = browser.text("/evaluations/1");
    assert!(one.contains("out of distribution") && one.contains("/figures/loss-1.svg"), "{one}");
    assert_eq!(browser.get("/figures/loss-99.svg").status(), 404);
    assert!(browser.text("/data/loss-1.csv").contains(",\"10\",\"0.5\""));
    assert!(browser.text("/forum?q=BOLD").contains("class=\"post\""));
    assert!(browser.text("/forum?q=unheard").contains("Nothing fits"));
    let score = bench.server().score(1).unwrap().pgr.unwrap();
    let shown = format!("{:.2} [{:.2}, {:.2}]", score.value, score.low, score.high);
    assert!(browser.text("/evaluations/1").contains(&shown), "{shown}");
    assert!(browser.text("/data/leaderboard.csv").contains(&score.value.to_string()));
    bench.server().conclude("It recovers nothing.");
    assert!(browser.text("/").contains("It recovers nothing."));
}

#[test]
fn news_arrive_as_events() {
    use std::io::{BufRead, BufReader};
    let bench = bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Viewer));
    let mut lines = BufReader::new(browser.get("/live")).lines();
    let mut next = || lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("data:")).unwrap();
    let first = next();
    bench.server().note("test", serde_json::json!({})).unwrap();
    assert_ne!(next(), first);
}

#[test]
fn an_empty_study_says_what_to_expect() {
    let mut bench = Bench::new();
    bench.server = None;
    let http = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    bench.server = Some(serve(&ServerConfig { http, ..config(bench.dir.path()) }, &opening("plan one"), 2, true));
    let browser = Browser::of(bench.server(), Some(Visitor::Operator));
    for path in ["/", "/leaderboard", "/forum", "/evaluations", "/lineage", "/diversity", "/transfer", "/integrity"] {
        assert!(browser.text(path).contains("class=\"empty\""), "{path}");
    }
}

#[test]
fn script_and_style_are_small() {
    let bench = bench();
    let browser = Browser::of(bench.server(), None);
    for path in ["/pages.js", "/style.css", "/icon.svg"] {
        assert!(browser.text(path).len() < 30 << 10, "{path}");
    }
}

#[test]
fn every_number_is_in_the_store() {
    let bench = bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Viewer));
    let store = store::Store::of(bench.server(), &config(bench.dir.path()).log);
    for path in PAGES.iter().filter(|path| !path.contains("csv") && !path.contains("svg")) {
        let (held, faults) = numbers::check(&store, &browser.text(path));
        assert!(faults.is_empty(), "{path}: {faults:#?}");
        assert!(held > 0 || ["/access", "/transfer"].contains(path), "{path} shows no number");
    }
    let invented = "<p><span data-from=\"evaluation/1/pgr\">0.99</span> <i data-from=\"evaluation/99/pgr\">–</i> 7</p>";
    assert_eq!(numbers::check(&store, invented).1.len(), 3);
}

#[test]
fn an_operator_steers_researchers_from_the_page_and_a_viewer_does_not() {
    let bench = bench();
    let (operator, viewer) =
        (Browser::of(bench.server(), Some(Visitor::Operator)), Browser::of(bench.server(), Some(Visitor::Viewer)));
    let origin = format!("http://{}", operator.address);
    let pause = [("researcher", "ada"), ("do", "pause")];
    assert_eq!(viewer.send("/researchers", &origin, &pause), 403);
    assert_eq!(operator.send("/researchers", "http://elsewhere.example", &pause), 403);
    assert!(bench.server().snapshot().paused.is_empty());
    assert_eq!(operator.send("/researchers", &origin, &pause), 303);
    assert!(bench.server().snapshot().paused.contains("ada"));
    let page = operator.text("/researchers");
    assert!(page.contains("paused by the operator") && page.contains("Go on"), "{page}");
    assert!(!viewer.text("/researchers").contains("<button"), "a viewer sees no buttons");
    assert_eq!(
        operator.send("/researchers", &origin, &[("researcher", "ada"), ("do", "say"), ("text", "look+here")]),
        303
    );
    assert_eq!(operator.send("/researchers", &origin, &[("researcher", "nobody"), ("do", "stop")]), 409);
    assert_eq!(operator.send("/researchers", &origin, &[("researcher", "ada"), ("do", "dance")]), 409);
    assert_eq!(operator.send("/researchers", &origin, &[("researcher", "ada"), ("do", "stop")]), 303);
    assert!(bench.server().snapshot().stopped.contains("ada"));
}
