//! The operator's socket.

use crate::team::{Team, error, request, token_hash};
use aar_llm::wire::Wire;
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

const KEY: &str = crate::team::KEY;

#[tokio::test(flavor = "multi_thread")]
async fn pause_resume_record_admit_and_totals() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("yes")).unwrap();
    let mut team = Team::new(&endpoint).started();
    team.order("/pause", json!({"caller": "ada"})).await.unwrap();
    let (status, body) = team.client("ada").post(Wire::Messages, &request("hello", true)).await;
    assert_eq!((status, error(&body).0.as_str()), (503, "paused"));
    team.client("bob").reply(Wire::Messages, &request("hello", true)).await;
    // A pause outlives the gateway.
    team.stop().await;
    team.start();
    assert!(team.totals().await.callers["ada"].paused);
    team.order("/resume", json!({"caller": "ada"})).await.unwrap();
    team.client("ada").reply(Wire::Messages, &request("hello", true)).await;

    // The same use counts once, also after a restart.
    for _ in 0..2 {
        for (unit, amount) in [("compute-ms", 1500), ("evaluations", 2)] {
            let used = json!({"caller": "bob", "unit": unit, "amount": amount, "key": format!("job 7 {unit}")});
            let totals = team.order("/record", used).await.unwrap();
            assert_eq!(totals.team.compute_ms, 1500);
        }
        team.stop().await;
        team.start();
    }
    let totals = team.totals().await;
    assert_eq!(
        (totals.callers["bob"].evaluations, totals.team.evaluations, totals.callers["ada"].evaluations),
        (2, 2, 0)
    );
    assert_eq!((totals.callers["bob"].calls, totals.team.calls), (1, 2));

    for (path, body, status) in [
        ("/pause", json!({"caller": "eve"}), 404),
        ("/extend", json!({"caller": "eve", "by": {"usd": 1.0}}), 404),
        ("/extend", json!({"by": {"usd": -1.0}}), 400),
        ("/record", json!({"caller": "eve", "unit": "evaluations", "amount": 1, "key": "k"}), 404),
        ("/admit", json!({"name": "../eve", "token_hash": "00".repeat(32)}), 400),
        ("/admit", json!({"name": "eve", "token_hash": "token"}), 400),
    ] {
        assert_eq!(team.order(path, body.clone()).await.unwrap_err().0, status, "{path} {body}");
    }
    let (status, _) = team.client("eve").post(Wire::Chat, &request("hello", false)).await;
    assert_eq!(status, 401);
    let eve = json!({"name": "eve", "token_hash": token_hash("eve"), "limits": {"tokens": 10}});
    team.order("/admit", eve).await.unwrap();
    let (status, _) = team.client("eve").post(Wire::Chat, &request("hello", false)).await;
    assert_eq!(status, 402, "let in, with little to spend");
    assert_eq!(team.totals().await.callers["eve"].limits.tokens, Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_do_not_reach_it_and_there_is_one_gateway_per_ledger() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("yes")).unwrap();
    let team = Team::new(&endpoint).started();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&team.settings.control), mode(&team.settings.socket)), (0o600, 0o666));
    let client = team.client("ada");
    for path in ["/totals", "/extend", "/v1/totals", "/"] {
        let response = client.http.get(format!("http://gateway{path}")).bearer_auth("token-ada").send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
    let mut second = team.settings.clone();
    second.control = team.folder.path().join("second.sock");
    second.socket = team.folder.path().join("second-llm.sock");
    let opened = aar_gateway::gateway::Gateway::open(&second, &|_| Some(aar_gateway::secret::Key::new(KEY))).await;
    let words = opened.err().unwrap().to_string();
    assert!(words.contains("locked"), "{words}");
}
