//! A finalist on its way up: re-run, examined, tried elsewhere. Every page has it on the same rung.

use super::bench::config;
use super::visit::Browser;
use super::{numbers, store, work};
use aar_api::integrity::{Bearing, Check, Left, Verdict};
use aar_domain::rung::{Rung, Split};
use aar_domain::stats::Estimate;
use aar_domain::transfer::Fate;
use aar_domain::transfer::matrix::{Cell, Line, Matrix, Target};
use aar_domain::transfer::production::{Registered, Trial};
use aar_server::event::Purpose;
use aar_server::handle::OperatorRequest;
use aar_server::pages::Visitor;

fn target(name: &str) -> Target {
    let (subject, origin, record) = ("chat".into(), "minted".into(), String::new());
    Target { name: name.into(), subject, origin, record, fresh: true, seeds: 3, gap: 0.3, gap_low: 0.25, plain: None }
}

fn cell(fate: Fate) -> Cell {
    Cell { pgr: None, against_plain: None, retained: None, fate, failed: None, margins: vec![] }
}

fn production(method: &str) -> Trial {
    let word = String::new;
    let (effect, seeds, power, expected_se) = (0.02, 8, 0.84, 0.006);
    let (bundle, testbed, record, metric) = (word(), "prod".into(), word(), "accuracy".into());
    let (method, by) = (method.into(), "ada".into());
    let registered = Registered { method, by, bundle, testbed, record, metric, effect, seeds, power, expected_se };
    let difference = Some(Estimate { value: 0.005, low: -0.006, high: 0.016 });
    let (weak, plain, accuracy, ceiling) = (0.6, 0.7, Some(0.705), 0.9);
    Trial { registered, weak, plain, accuracy, ceiling, difference, failed: None, margins: [vec![], vec![]] }
}

#[test]
fn what_came_of_a_finalist_elsewhere_lifts_its_rung_on_every_page_and_changes_no_rank() {
    let bench = super::bench();
    let server = bench.server();
    let first = server.snapshot().evaluations[0].asked.clone();
    let request = OperatorRequest {
        bundle: server.bundle(&first.bundle).unwrap(),
        name: first.name,
        family: first.family,
        by: first.by,
        parent: None,
        purpose: Purpose::Finalist,
        split: Split::Selection,
        key: "finalist".into(),
    };
    let finalist = server.evaluate(&request).unwrap();
    work(&bench);
    let left = Some(Left { without: -0.07, with: 0.5 });
    let evidence = "PGR -0.07 without, 0.50 as it is".to_owned();
    let (check, kind) = (Check::TeacherReliance, Bearing::Property);
    server.judge(Verdict { evaluation: finalist, check, kind, evidence, of: None, left }).unwrap();
    let row = |id: i64| server.board().row(id).unwrap().clone();
    let before = row(finalist);
    assert_eq!((before.rung, before.rank, row(1).rung), (Rung::Replicated, Some(1), Rung::Graded));
    let line = Line {
        method: "first".into(),
        by: "ada".into(),
        bundle: first.bundle,
        home: None,
        cells: vec![cell(Fate::Holds), cell(Fate::Weaker), cell(Fate::Holds)],
        rung: Rung::Transferred,
    };
    let targets = ["one", "two", "three"].map(target).into();
    let matrix = Matrix { home: "tiny".into(), targets, methods: vec![line], predicts: None };
    server.note("transfer", serde_json::to_value(&matrix).unwrap()).unwrap();
    let said = production("first");
    server.note(aar_server::transfer::TRIED, serde_json::to_value(&said).unwrap()).unwrap();
    let after = row(finalist);
    assert_eq!((after.rung, after.rank, row(1).rung), (Rung::Transferred, Some(1), Rung::Graded));
    assert_eq!(server.board().results().count(), 1);
    let browser = Browser::of(server, Some(Visitor::Viewer));
    let page = browser.text("/leaderboard?rung=transferred");
    assert!(page.contains("<td>transferred</td>") && !page.contains("<td>graded</td>"), "{page}");
    assert!(page.contains("2 of 3") && page.contains("-0.07 of 0.50"), "{page}");
    assert!(browser.text("/").contains("<td>transferred</td>"));
    assert!(browser.text("/data/leaderboard.csv").contains("\"1\",\"transferred\",\"first\""));
    assert!(browser.text("/leaderboard?sort=reliance").find("-0.07").is_some());
    assert!(browser.text("/transfer").contains("+0.5 points [-0.6, 1.6]"));
    let csv = browser.text("/data/transfer.csv");
    assert_eq!((csv.lines().count(), csv.matches("\"holds\"").count()), (4, 2), "{csv}");
    let store = store::Store::of(server, &config(bench.dir.path()).log);
    for path in ["/", "/leaderboard", "/transfer", "/evaluations/3", "/integrity"] {
        let (_, faults) = numbers::check(&store, &browser.text(path));
        assert!(faults.is_empty(), "{path}: {faults:#?}");
    }
}
