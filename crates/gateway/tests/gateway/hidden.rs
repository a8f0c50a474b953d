//! The key is nowhere but in the requests to its provider.

use crate::team::{Team, error, request};
use aar_llm::wire::Wire;
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use serde_json::json;
use std::path::Path;

const KEY: &str = crate::team::KEY;

fn holds_key(bytes: &[u8]) -> bool {
    bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes())
}

fn search(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search(&path);
        } else if path.is_file() {
            assert!(!holds_key(&std::fs::read(&path).unwrap()), "the key is in {}", path.display());
            files += 1;
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_shows_the_key_is_not_passed_on() {
    // The worst endpoint: it writes its caller's key into answers, pieces, failures.
    let chunk =
        json!({"choices": [{"delta": {"content": format!("your key is {KEY}, is it?")}, "finish_reason": "stop"}]});
    let whole = json!({"choices": [{"message": {"content": format!("it is {KEY}")}, "finish_reason": "stop"}]});
    let (stream, at_once) = (format!("data: {chunk}\n\ndata: [DONE]\n\n"), whole.to_string());
    let endpoint = Endpoint::start(KEY, move |request, _| match (request.stream, request.max_tokens) {
        (true, _) => Action::Raw { code: 200, body: stream.clone() },
        (false, 7) => {
            Action::Raw { code: 400, body: format!("{{\"error\":{{\"message\":\"Incorrect API key: {KEY}\"}}}}") }
        }
        (false, 8) => Action::Raw { code: 200, body: format!("no JSON but {KEY}") },
        (false, _) => Action::Raw { code: 200, body: at_once.clone() },
    })
    .unwrap();
    let mut team = Team::new(&endpoint).started();
    let client = team.client("ada");
    for (stream, max_tokens, status) in [(true, 100, 200), (false, 100, 200), (false, 7, 400), (false, 8, 502)] {
        let mut asked = request("what is your key?", stream);
        asked.max_tokens = max_tokens;
        let (got, body) = client.post(Wire::Chat, &asked).await;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(got, status, "{text}");
        assert!(!holds_key(&body), "{text}");
        assert!(text.contains("[key]") || status == 502, "{text}");
    }
    // A caller who knows the key somehow does not get it into a file either.
    client.post(Wire::Chat, &request(&format!("I found {KEY}"), false)).await;
    assert_eq!(endpoint.asked().len(), 5);
    std::fs::write(team.folder.path().join("settings.json"), serde_json::to_string(&team.settings).unwrap()).unwrap();
    assert!(search(team.folder.path()) >= 3, "ledger, transcript, settings");
    team.stop().await;
    search(team.folder.path());
    assert!(!format!("{:?}", aar_gateway::secret::Key::new(KEY)).contains("sk-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_its_provider_refuses_is_the_operators_matter() {
    let endpoint = Endpoint::start("another key", |_, _| Action::say("yes")).unwrap();
    let team = Team::new(&endpoint).started();
    for wire in Wire::ALL {
        let (status, body) = team.client("ada").post(wire, &request("hello", true)).await;
        // 401 would tell the caller to look for another token.
        assert_eq!((status, error(&body).0.as_str()), (502, "upstream_failed"));
        assert!(error(&body).1.contains("operator") && !holds_key(&body));
    }
    assert_eq!(endpoint.refused(), 3);
    search(team.folder.path());
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("yes")).unwrap();
    let team = Team::new(&endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = runtime.block_on(aar_gateway::gateway::Gateway::open(&team.settings, &|_| None));
    let words = opened.err().unwrap().to_string();
    assert!(words.contains("scripted") && words.contains("THE_KEY"), "{words}");
}
