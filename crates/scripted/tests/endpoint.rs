//! The endpoint as a client sees it.

use aar_llm::conversation::{Block, Message, Request, Stop, Tool, Usage};
use aar_llm::stream::Stream;
use aar_llm::wire::Wire;
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;
use serde_json::{Value, json};

fn request(text: &str, stream: bool) -> Request {
    let tool = Tool { name: "shell".into(), description: "run".into(), schema: json!({"type": "object"}) };
    Request {
        model: "m".into(),
        messages: vec![Message::user(text)],
        tools: vec![tool],
        max_tokens: 1000,
        stream,
        ..Request::default()
    }
}

fn post(endpoint: &Endpoint, wire: Wire, key: &str, request: &Request) -> reqwest::blocking::Response {
    let client = reqwest::blocking::Client::new();
    let url = format!("{}{}", endpoint.url(), wire.path());
    let sent =
        client.post(url).header("x-api-key", key).header("x-aar-caller", "ada").json(&wire.format().request(request));
    sent.send().unwrap()
}

#[test]
fn a_policy_branches_on_what_tools_answered_in_every_format() {
    let endpoint = Endpoint::start("secret", |request, caller| {
        assert_eq!(caller, "ada");
        match request.messages.last().map(|message| &message.blocks[0]) {
            Some(Block::ToolResult { text, .. }) => Action::say(&format!("it says {text}")),
            _ => Action::call("c1", "shell", json!({"command": "ls"})),
        }
    })
    .unwrap();
    let mut sum = Usage::default();
    for wire in Wire::ALL {
        for stream in [false, true] {
            let first = request("go", stream);
            let body = post(&endpoint, wire, "secret", &first).bytes().unwrap();
            let reply = read(wire, stream, &body);
            assert_eq!(reply.calls().next(), Some(("c1", "shell", &json!({"command": "ls"}))));
            let mut second = first.clone();
            let answered = Block::ToolResult { id: "c1".into(), text: "a.txt".into(), is_error: false };
            second.messages.push(Message { speaker: aar_llm::conversation::Speaker::Assistant, blocks: reply.blocks });
            second.messages.push(Message { speaker: aar_llm::conversation::Speaker::User, blocks: vec![answered] });
            sum += reply.usage;
            let body = post(&endpoint, wire, "secret", &second).bytes().unwrap();
            let reply = read(wire, stream, &body);
            assert_eq!((reply.text().as_str(), reply.stop.clone()), ("it says a.txt", Stop::End));
            sum += reply.usage;
        }
    }
    assert_eq!(endpoint.billed(), sum);
    assert_eq!(endpoint.billed_by_caller()["ada"], sum);
    assert_eq!(endpoint.asked().len(), 12);
}

fn read(wire: Wire, stream: bool, body: &[u8]) -> aar_llm::conversation::Reply {
    if !stream {
        return wire.format().read_reply(&serde_json::from_slice(body).unwrap()).unwrap();
    }
    let mut stream = Stream::new(wire);
    stream.push(body);
    stream.finish().unwrap()
}

#[test]
fn faults_are_as_ordered() {
    let endpoint = Endpoint::start("secret", |request, _| {
        let Block::Text { text } = &request.messages[0].blocks[0] else { panic!("a text") };
        let reply = said(vec![Block::Text { text: "a long answer ".repeat(40) }], Stop::End);
        match text.as_str() {
            "busy" => Action::Status { code: 429, retry_after: Some(7) },
            "down" => Action::Status { code: 529, retry_after: None },
            "cut" => Action::Cut { reply, after: 900 },
            "prose" => Action::call("c", "shell", Value::String("list files".into())),
            other => Action::Raw { code: 200, body: other.into() },
        }
    })
    .unwrap();
    for wire in Wire::ALL {
        let before = endpoint.billed();
        let wrong = post(&endpoint, wire, "guess", &request("busy", false));
        assert_eq!(wrong.status(), 401);
        let busy = post(&endpoint, wire, "secret", &request("busy", true));
        assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "7"));
        assert_eq!(post(&endpoint, wire, "secret", &request("down", true)).status(), 529);
        assert_eq!(endpoint.billed(), before);
        let prose = post(&endpoint, wire, "secret", &request("prose", true)).bytes().unwrap();
        let reply = read(wire, true, &prose);
        assert_eq!(reply.calls().next(), Some(("c", "shell", &Value::String("list files".into()))));
    }
    assert_eq!(endpoint.refused(), 3);
    let before = endpoint.billed();
    assert!(post(&endpoint, Wire::Messages, "secret", &request("cut", true)).bytes().is_err(), "the connection broke");
    let after = endpoint.billed();
    assert!(
        after.output > before.output && after.output - before.output < 140,
        "only what was sent is billed: {after:?}"
    );
}

#[test]
fn an_answer_keeps_to_its_limit_and_a_prompt_is_cached() {
    let endpoint = Endpoint::start("secret", |_, _| Action::say(&"word ".repeat(1000))).unwrap();
    let asked = Request { max_tokens: 10, ..request(&"long ".repeat(1000), false) };
    let reply = |_| read(Wire::Messages, false, &post(&endpoint, Wire::Messages, "secret", &asked).bytes().unwrap());
    let [first, second] = [0, 1].map(reply);
    assert_eq!((first.usage.output, &first.stop), (10, &Stop::Length));
    assert_eq!(first.usage.cache_read, 0);
    assert!(second.usage.cache_read > 1000, "{:?}", second.usage);
    assert_eq!(first.usage.total(), second.usage.total());
}

#[test]
fn a_held_answer_waits_for_the_test() {
    use std::io::Read;
    let reply = || said(vec![Block::Text { text: "first and then the last".into() }], Stop::End);
    let endpoint = Endpoint::start("secret", move |_, _| Action::Held { reply: reply(), first: 3 }).unwrap();
    let mut response = post(&endpoint, Wire::Messages, "secret", &request("go", true));
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains("first") {
        let n = response.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..n]);
    }
    endpoint.release();
    response.read_to_end(&mut seen).unwrap();
    assert_eq!(read(Wire::Messages, true, &seen).text(), "first and then the last");
}
