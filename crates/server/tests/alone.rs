//! A cold start: for its first hours a language model or an agent sees nothing of others, whichever way it asks.

mod bench;

use aar_api::bundle::Bundle;
use aar_api::error::ErrorCode;
use aar_api::evaluation::BoardRow;
use aar_api::forum::{Comment, Finding, FindingType, NewComment, NewFinding};
use aar_api::paths;
use aar_domain::rung::Kind;
use aar_server::event::{Participant, Role};
use bench::{Bench, refused, submit, token_hash};
use serde_json::{Value, json};

fn post(key: &str) -> NewFinding {
    NewFinding {
        kind: FindingType::Insight,
        title: format!("seen by {key}"),
        body: "a body".into(),
        evaluation: None,
        turn: None,
        key: key.into(),
    }
}

#[test]
fn nothing_of_others_is_shown_until_the_first_hours_are_over() {
    let dir = tempfile::tempdir().unwrap();
    bench::testbed(dir.path());
    let opening = bench::opening("plan alone");
    let server = Some(bench::serve(&bench::config(dir.path()), &opening, 2, false));
    let bench = Bench { dir, server, opening };
    let thinker = Participant {
        name: "thinker".into(),
        role: Role::Researcher,
        kind: Some(Kind::LanguageModel),
        direction: None,
        seed: 1,
        evaluations: 2,
        turns: false,
        token_hash: token_hash("thinker"),
    };
    bench.server().join(&thinker).unwrap();
    bench.server().note("research", json!({"alone_hours": 1000.0})).unwrap();
    let (ada, thinker) = (bench.client("ada"), bench.client("thinker"));
    let theirs: Finding = ada.post(paths::FINDINGS, &post("ada")).unwrap();
    let view = submit(&ada, "a method").unwrap();
    let bundle = paths::BUNDLE.replace("{id}", &view.bundle);
    let comments = paths::COMMENTS.replace("{id}", &theirs.id.to_string());
    let comment = NewComment { body: "why?".into(), turn: None, key: "c".into() };

    let own: Finding = thinker.post(paths::FINDINGS, &post("thinker")).unwrap();
    let seen: Vec<Finding> = thinker.get(paths::FINDINGS).unwrap();
    assert_eq!(seen.iter().map(|finding| finding.id).collect::<Vec<_>>(), [own.id], "its own alone");
    assert!(thinker.get::<Vec<BoardRow>>(paths::LEADERBOARD).unwrap().is_empty());
    assert_eq!(refused(thinker.get::<Bundle>(&bundle)), ErrorCode::Conflict);
    assert_eq!(refused(thinker.get::<Vec<Comment>>(&comments)), ErrorCode::Conflict);
    assert_eq!(refused(thinker.post::<_, Value>(&comments, &comment)), ErrorCode::Conflict);
    // Others are not kept apart.
    assert_eq!(bench.client("boole").get::<Vec<Finding>>(paths::FINDINGS).unwrap().len(), 2);

    bench.server().note("research", json!({"alone_hours": 0.0})).unwrap();
    assert_eq!(thinker.get::<Vec<Finding>>(paths::FINDINGS).unwrap().len(), 2);
    thinker.get::<Bundle>(&bundle).unwrap();
    thinker.post::<_, Value>(&comments, &comment).unwrap();
}
