//! A study that hands out its test items and takes answers to them.

mod double;

use aar_agent::tools::Platform;
use aar_agent::tools::predictions::EVALUATE_PREDICTIONS;
use double::{Place, Server, TOKEN};
use serde_json::json;

#[test]
fn items_are_handed_out_and_answers_taken_from_a_list_or_a_file() {
    let (server, place) = (Server::start(), Place::new());
    server.state.lock().unwrap().predictions = Some(vec![]);
    let platform = Platform::new(place.settings.clone(), server.client(), TOKEN);
    let call = |arguments| EVALUATE_PREDICTIONS.call_on_platform(&platform, &arguments);
    assert!(call(json!({})).unwrap().text.contains("3 test items"));
    let items = std::fs::read_to_string(place.settings.work.join("test_items.jsonl")).unwrap();
    assert_eq!(items.lines().collect::<Vec<_>>(), [r#"{"id":"x"}"#, r#"{"id":"y"}"#, r#"{"id":"z"}"#]);

    let said = call(json!({"predictions": [0, 1, 1], "name": "mine", "family": "ensemble"})).unwrap();
    assert!(said.text.starts_with("Evaluation #1"), "{}", said.text);
    for text in ["[0, 1, 1]", "0\n1\n\n1\n"] {
        std::fs::write(place.settings.work.join("answers"), text).unwrap();
        call(json!({"file": "answers"})).unwrap();
    }
    let margins = [-0.5f32, 3.0, 0.25].map(f32::to_le_bytes).concat();
    std::fs::write(place.settings.work.join("answers.f32"), margins).unwrap();
    call(json!({"file": "answers.f32"})).unwrap();
    let sent = server.state.lock().unwrap().predictions.clone().unwrap();
    assert_eq!((&sent[0]["name"], &sent[0]["family"]), (&json!("mine"), &json!("ensemble")));
    for again in &sent {
        assert_eq!(
            (&again["answers"], &again["key"]),
            (&json!([0, 1, 1]), &sent[0]["key"]),
            "the same answers, one submission"
        );
    }

    std::fs::write(place.settings.work.join("answers"), "0\nyes\n").unwrap();
    let wrong = |arguments| call(arguments).unwrap_err().0;
    assert!(wrong(json!({"file": "answers"})).contains("line 2: 0 or 1"));
    std::fs::write(place.settings.work.join("answers.f32"), "12345").unwrap();
    assert!(wrong(json!({"file": "answers.f32"})).contains("5 bytes are no float32"));
    assert!(wrong(json!({"predictions": [0, 2]})).contains("list of 0 and 1"));
    assert!(wrong(json!({"predictions": [0], "file": "answers"})).contains("not both"));
}
