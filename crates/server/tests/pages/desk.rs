//! A researcher's own page, its notebook and its transcript: who may read them, and what stands there.

use super::bench::config;
use super::large::talk;
use super::visit::Browser;
use super::{bench, numbers, store};
use aar_server::event::Phase;
use aar_server::pages::Visitor;
use serde_json::json;

fn talked() -> bench::Bench {
    let bench = super::bench();
    let calls = talk::write(&bench.dir.path().join("transcripts/ada.jsonl"), 5, 700_000);
    assert!(calls > 60, "{calls}");
    let work = bench.dir.path().join("researchers/ada");
    std::fs::create_dir_all(&work).unwrap();
    let state = json!({"state": "training", "what": "shell", "since_ms": 1_790_000_000_000i64, "seen_ms": 1_790_000_060_000i64});
    std::fs::create_dir(work.join(".aar")).unwrap();
    std::fs::write(work.join(".aar/state.json"), state.to_string()).unwrap();
    std::fs::write(work.join("notebook.md"), "# Mine\n\nsoft labels <script>alert(1)</script> **hold**\n").unwrap();
    bench
}

#[test]
fn a_transcript_is_read_in_parts_and_searched() {
    let bench = talked();
    let browser = Browser::of(bench.server(), Some(Visitor::Operator));
    let newest = browser.text("/researchers/ada/transcript");
    assert!(newest.contains("rel=\"prev\"") && !newest.contains("rel=\"next\""), "the newest part is shown first");
    let first = browser.text("/researchers/ada/transcript?at=1");
    assert!(first.contains("a conversation begins") && first.contains("what stands above the conversation"));
    assert_eq!(first.matches("<article").count(), 30);
    assert!(first.contains("<details class=\"fold\"") && !first.contains("<details open"), "tools are folded");
    assert_eq!(first.matches("You are a researcher.").count(), 2, "said once: in its fold's head and in the fold");
    let found = browser.text("/researchers/ada/transcript?q=OBSIDIAN+needle");
    assert!(found.contains("<mark>obsidian</mark>") && found.contains("#l34\""), "{found}");
    assert!(!found.contains("<script>"), "{found}");
    assert!(browser.text("/researchers/ada/transcript?q=signature").contains("No line holds"), "what is not shown");
    let line = browser.text("/researchers/ada/transcript/34");
    assert!(line.contains("&lt;script&gt;window.harmed") && line.contains("at=31#l34"), "{line}");
    let store = store::Store::of(bench.server(), &config(bench.dir.path()).log);
    for path in
        ["/researchers/ada/transcript?at=1", "/researchers/ada/transcript/34", "/researchers/ada/transcript?q=needle"]
    {
        let (_, faults) = numbers::check(&store, &browser.text(path));
        assert!(faults.is_empty(), "{path}: {faults:#?}");
    }
    assert!(browser.text("/researchers/boole/transcript").contains("Nothing was said yet"));
    for path in ["/researchers/worker/transcript", "/researchers/..%2Fada/transcript", "/researchers/nobody"] {
        assert_eq!(browser.get(path).status(), 404, "{path}");
    }
}

#[test]
fn a_researchers_own_things_are_the_operators_until_the_study_is_over() {
    let bench = talked();
    let (operator, viewer) =
        (Browser::of(bench.server(), Some(Visitor::Operator)), Browser::of(bench.server(), Some(Visitor::Viewer)));
    let page = operator.text("/researchers/ada");
    assert!(page.contains("<h3>Mine</h3>") && page.contains("<strong>hold</strong>"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    assert!(page.contains("/researchers/ada/transcript") && page.contains("training (shell)"));
    let seen = viewer.text("/researchers/ada");
    assert!(!seen.contains("Mine") && seen.contains("the operator's to read"), "{seen}");
    for path in ["/researchers/ada/transcript", "/researchers/ada/transcript/1"] {
        assert_eq!(viewer.get(path).status(), 403, "{path}");
        assert_eq!(Browser::of(bench.server(), None).get(path).status(), 401, "{path}");
    }
    bench.server().enter(Phase::Closed).unwrap();
    assert!(viewer.text("/researchers/ada").contains("Mine"));
    viewer.text("/researchers/ada/transcript");
}

#[test]
fn what_models_cost_is_shown_live_and_found_in_the_log() {
    let bench = super::bench();
    let browser = Browser::of(bench.server(), Some(Visitor::Viewer));
    assert!(!browser.text("/").contains("US$"), "nobody speaks to a model");
    let usage = json!({"input": 12_345, "output": 678, "cache_read": 4_000_000, "cache_write": 0});
    let account = json!({"nano": 1_234_567_890i64, "usage": usage, "calls": 9, "failures": 1, "open_nano": 20_000_000,
        "limits": {"usd": 5.0, "tokens": null}});
    let totals = json!({"team": account, "callers": {"ada": account}});
    bench.server().spend(&totals);
    assert!(browser.text("/").contains("US$ 1.23 of 5.00") && browser.text("/researchers").contains("4.0 M"));
    bench.server().note("spent", json!({"nano": 1_234_567_890i64, "tokens": 4_013_023})).unwrap();
    bench.server().note("spending", totals).unwrap();
    let store = store::Store::of(bench.server(), &config(bench.dir.path()).log);
    for path in ["/", "/?over=dollars", "/?over=tokens", "/researchers", "/researchers/ada"] {
        let page = browser.text(path);
        let (held, faults) = numbers::check(&store, &page);
        assert!(faults.is_empty() && held > 0, "{path}: {faults:#?}");
        assert!(page.contains("US$"), "{path}");
    }
    let page = browser.text("/?over=dollars");
    assert!(page.contains("language models had cost by then") && page.contains("up to 1.23"), "{page}");
}
