//! How researchers' time is shown: lanes, the table behind them, both as files.

use super::visit::Browser;
use aar_server::event::Sight;
use aar_server::pages::Visitor;
use aar_server::timeline::Doing;

#[test]
fn time_is_drawn_told_and_taken_away() {
    let bench = super::bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Viewer));
    let page = browser.text("/researchers");
    let head = "How their time went";
    assert!(page.contains(head) && page.contains("data-from=\"timeline/ada/training\""), "{page}");
    assert!(browser.text("/researchers/ada").contains("In all: "));
    let csv = browser.text("/data/timeline.csv");
    assert!(csv.starts_with("\"researcher\",\"doing\",\"from_ms\",\"to_ms\"\r\n"), "{csv}");
    assert!(csv.contains("\"ada\",\"training\""), "{csv}");
    assert!(browser.text("/figures/timeline.svg").contains("boole"));
}

#[test]
fn what_a_watchdog_saw_is_said_with_its_reason() {
    let bench = super::bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Viewer));
    assert!(!browser.text("/researchers/ada").contains("What went wrong"));
    let begun = bench.server().course().window().0;
    for (doing, why) in
        [(Doing::Hung, "nothing was <heard> for a while"), (Doing::Gone, "so it was ended"), (Doing::Thinking, "")]
    {
        let since_ms = if doing == Doing::Hung { begun } else { bench.server().course().window().1 };
        bench.server().saw(Sight { by: "ada".into(), doing, since_ms, why: why.into() }).unwrap();
    }
    let page = browser.text("/researchers/ada");
    assert!(page.contains("hung</span> since") && page.contains("nothing was &lt;heard&gt;"), "{page}");
    assert!(page.contains("so it was ended") && !browser.text("/researchers/boole").contains("What went wrong"));
}
