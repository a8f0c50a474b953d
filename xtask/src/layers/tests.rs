//! Each rule against a graph that breaks it: a check that cannot fail is worthless.

use super::*;
use crate::graph::Kinds;

const SHIPS: Kinds = Kinds { ships: true, dev: false };
const DEV: Kinds = Kinds { ships: false, dev: true };

/// All rooms and a few of the edges that are meant to be.
fn sound() -> Graph {
    let members = ROOMS.iter().map(|room| room.name.to_owned()).collect();
    let mut graph = Graph { members, ..Graph::default() };
    for (from, to) in [
        ("aar-lm", "aar-kernels"),
        ("aar-methods", "aar-lm"),
        ("aar-methods", "aar-domain"),
        ("aar-lab", "aar-methods"),
        ("aar-lab", "aar-api"),
        ("aar-api", "aar-domain"),
        ("aar-domain", "serde@1.0.0"),
        ("aar-server", "aar-grader"),
        ("aar-server", "tokio@1.0.0"),
        ("aar-worlds", "aar-methods"),
        ("aar-study", "aar-server"),
        ("aar-study", "aar-worlds"),
        ("aar", "aar-study"),
        ("aar", "aar-lab"),
    ] {
        graph.connect(from, to, SHIPS);
    }
    graph
}

/// Adding these edges must bring up a finding that holds these words, and nothing else.
fn check(edges: &[(&str, &str, Kinds)], expect: &[&str]) {
    let mut graph = sound();
    edges.iter().for_each(|(from, to, kinds)| graph.connect(from, to, *kinds));
    let found = findings(&graph);
    for words in expect {
        assert!(found.iter().any(|f| f.contains(words)), "{words:?} not in {found:#?}");
    }
    assert_eq!(found.is_empty(), expect.is_empty(), "{found:#?}");
}

#[test]
fn a_sound_graph_has_no_findings() {
    check(&[], &[]);
    check(&[("aar-study", "aar-evaluation", SHIPS), ("aar-evaluation", "aar-lab", SHIPS)], &[]);
}

#[test]
fn inside_cannot_reach_outside() {
    let way = "a way through the wall: aar-lab → aar-grader";
    check(&[("aar-lab", "aar-grader", SHIPS)], &["aar-lab (Inside) needs aar-grader", way]);
    check(&[("aar-lab", "aar-server", DEV)], &["a way through the wall: aar-lab → aar-server"]);
    check(&[("aar-methods", "aar-worlds", SHIPS)], &["aar-lab → aar-methods → aar-worlds"]);
    check(
        &[("aar-kernels", "x@1.0.0", SHIPS), ("x@1.0.0", "aar", SHIPS)],
        &["a way through the wall: aar-kernels → x@1.0.0 → aar"],
    );
}

#[test]
fn both_sides_rooms_use_neither_side() {
    check(&[("aar-api", "aar-server", DEV)], &["aar-api (Both) needs aar-server (Outside)"]);
    check(&[("aar-api", "aar-kernels", SHIPS)], &["aar-api (Both) needs aar-kernels (Inside)"]);
}

#[test]
fn an_edge_goes_downwards() {
    check(&[("aar-lm", "aar-lab", SHIPS)], &["aar-lm (level 1) needs aar-lab (level 3)"]);
    check(&[("aar-sandbox", "aar-grader", SHIPS)], &["not downwards"]);
    check(&[("aar-server", "aar-study", SHIPS)], &["aar-server (level 2) needs aar-study"]);
    check(&[("aar-server", "aar-study", DEV)], &[]);
}

#[test]
fn nobody_needs_the_chores() {
    check(&[("aar", "xtask", SHIPS)], &["aar (Outside) needs xtask"]);
    check(&[("xtask", "aar-lm", SHIPS)], &["xtask (Chores) needs aar-lm"]);
}

#[test]
fn what_must_stay_apart_does() {
    let engine = "the server does not link the engine";
    check(&[("aar-server", "aar-kernels", SHIPS)], &[engine]);
    check(&[("aar-server", "x@1.0.0", SHIPS), ("x@1.0.0", "aar-lm", SHIPS)], &[engine]);
    check(&[("aar-server", "aar-lm", DEV)], &[]);
    check(&[("aar-evaluation", "aar-grader", SHIPS)], &["a worker never holds the truth"]);
    check(&[("aar-researcher", "aar-worlds", SHIPS)], &["aar-researcher → aar-worlds"]);
    check(&[("aar-lm", "aar-domain", SHIPS)], &["aar-lm → aar-domain: the engine knows nothing"]);
}

#[test]
fn every_prohibition_has_teeth() {
    for Apart { from, to, why } in APART {
        for forbidden in *to {
            check(&[(from, forbidden, SHIPS)], &[why]);
        }
    }
}

#[test]
fn pure_rooms_speak_to_nobody() {
    check(
        &[("aar-lm", "hub@0.4.0", SHIPS), ("hub@0.4.0", "reqwest@0.13.0", SHIPS)],
        &["aar-lm → hub@0.4.0 → reqwest@0.13.0: aar-lm speaks to nobody"],
    );
    check(&[("aar-domain", "tokio@1.0.0", SHIPS)], &["aar-domain speaks to nobody", "not among"]);
    check(&[("aar-domain", "tempfile@3.0.0", SHIPS)], &["aar-domain → tempfile@3.0.0: not among"]);
    check(&[("aar-domain", "proptest@1.0.0", DEV)], &[]);
}

#[test]
fn a_new_crate_must_be_placed() {
    let mut graph = sound();
    graph.members.insert("aar-attic".to_owned());
    assert!(findings(&graph)[0].contains("aar-attic has no place"));
}

#[test]
fn a_name_without_a_crate_is_an_error() {
    for missing in ["aar-grader", "aar-lab", "aar-domain"] {
        let mut graph = sound();
        graph.members.remove(missing);
        let found = findings(&graph);
        let expect = format!("the tables name {missing}, but there is no such crate");
        assert!(found.iter().any(|f| f.contains(&expect)), "{found:#?}");
    }
}

#[test]
fn no_room_is_placed_twice() {
    let names: std::collections::BTreeSet<_> = ROOMS.iter().map(|room| room.name).collect();
    assert_eq!(names.len(), ROOMS.len());
}
