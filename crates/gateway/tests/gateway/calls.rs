//! Calls that go well, and calls that are not let through.

use crate::team::{NAMES, PRICE, Team, error, read, request};
use aar_gateway::settings::{Limits, ModelSettings, ProviderSettings};
use aar_gateway::transcript;
use aar_llm::conversation::{Block, Message, Speaker, Stop, Usage};
use aar_llm::stream::{Delta, Stream};
use aar_llm::wire::Wire;
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;
use serde_json::json;

const KEY: &str = crate::team::KEY;

#[tokio::test(flavor = "multi_thread")]
async fn every_format_passes_and_is_charged_to_the_token() {
    let endpoint = Endpoint::start(KEY, |request, _| {
        let last = &request.messages.last().unwrap().blocks[0];
        match last {
            Block::ToolResult { .. } => Action::say(&"well ".repeat(20)),
            _ => Action::call("c1", "shell", json!({"command": "ls"})),
        }
    })
    .unwrap();
    let mut team = Team::new(&endpoint).started();
    let mut sum = Usage::default();
    let mut nano = 0;
    for (wire, name) in Wire::ALL.into_iter().zip(NAMES) {
        let client = team.client(name);
        for stream in [false, true] {
            let mut asked = request(&format!("{name}, {}", "look around ".repeat(60)), stream);
            let reply = client.reply(wire, &asked).await;
            assert_eq!((reply.stop.clone(), reply.model.as_str()), (Stop::ToolCalls, "model-1"));
            sum += reply.usage;
            nano += PRICE.cost(&reply.usage);
            let result = Block::ToolResult { id: "c1".into(), text: "a b c".into(), is_error: false };
            asked.messages.push(Message { speaker: Speaker::Assistant, blocks: reply.blocks });
            asked.messages.push(Message { speaker: Speaker::User, blocks: vec![result] });
            let reply = client.reply(wire, &asked).await;
            assert_eq!(reply.stop, Stop::End);
            sum += reply.usage;
            nano += PRICE.cost(&reply.usage);
        }
    }
    let totals = team.totals().await;
    assert_eq!((totals.team.usage, totals.team.nano, totals.team.calls), (sum, nano, 12));
    assert_eq!((endpoint.billed(), totals.team.failures, totals.team.open_nano), (sum, 0, 0));
    assert!(sum.cache_read > 0 && sum.cache_write > 0, "{sum:?}");
    for (name, billed) in endpoint.billed_by_caller() {
        assert_eq!(totals.callers[&name].usage, billed, "{name}");
    }
    // What was sent on is what was asked, but for the model and the limit.
    for asked in endpoint.asked() {
        assert_eq!((asked.request.model.as_str(), asked.request.max_tokens), ("model-1", 200));
        assert_eq!(asked.request.system, "be brief");
    }
    // The transcripts say the same.
    team.stop().await;
    for name in NAMES {
        let exchanges = transcript::read(&team.transcript(name)).unwrap();
        assert_eq!(exchanges.len(), 4);
        let bodies = endpoint.asked().into_iter().filter(|asked| asked.caller == name).map(|asked| asked.body);
        assert_eq!(
            exchanges.iter().map(|exchange| exchange.body.clone()).collect::<Vec<_>>(),
            bodies.collect::<Vec<_>>()
        );
        let charged = exchanges.iter().map(|exchange| exchange.charge.nano).sum::<i64>();
        assert_eq!(charged, totals.callers[name].nano);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_passes_piece_by_piece() {
    let reply = || said(vec![Block::Text { text: "first the beginning, then the very end".into() }], Stop::End);
    let endpoint = Endpoint::start(KEY, move |_, _| Action::Held { reply: reply(), first: 5 }).unwrap();
    let team = Team::new(&endpoint).started();
    for wire in Wire::ALL {
        let body = wire.format().request(&request("go", true));
        let mut response = team.client("ada").send(wire, &body).await.unwrap();
        let mut stream = Stream::new(wire);
        let mut text = String::new();
        let mut add = |deltas: Vec<Delta>| {
            deltas.into_iter().for_each(|delta| {
                if let Delta::Text(piece) = delta {
                    text.push_str(&piece)
                }
            })
        };
        // The endpoint sends the rest only when it is told to: what arrives now arrived before the last piece was sent.
        while stream.written() == 0 {
            add(stream.push(&response.chunk().await.unwrap().expect("a first piece")));
        }
        assert_eq!(team.totals().await.team.failures, 0);
        endpoint.release();
        while let Some(bytes) = response.chunk().await.unwrap() {
            add(stream.push(&bytes));
        }
        assert_eq!(text, "first the beginning, then the very end");
        stream.finish().unwrap();
    }
    assert_eq!(team.totals().await.team.usage, endpoint.billed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_is_charged_all_the_same() {
    let reply = || said(vec![Block::Text { text: "word ".repeat(100) }], Stop::End);
    let endpoint = Endpoint::start(KEY, move |_, _| Action::Held { reply: reply(), first: 4 }).unwrap();
    let mut team = Team::new(&endpoint).started();
    for stream in [true, false] {
        let body = Wire::Messages.format().request(&request("go", stream));
        let client = team.client("ada");
        let call = tokio::spawn(async move {
            let mut response = client.send(Wire::Messages, &body).await.unwrap();
            response.chunk().await
        });
        let asked = endpoint.asked().len();
        while endpoint.asked().len() == asked {
            tokio::task::yield_now().await;
        }
        call.abort();
        let _ = call.await;
        endpoint.release();
    }
    team.stop().await;
    team.start();
    let totals = team.totals().await;
    assert_eq!((totals.team.usage, totals.team.failures), (endpoint.billed(), 0));
    assert!(totals.team.usage.output > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_so_in_the_own_format() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("yes")).unwrap();
    let mut team = Team::new(&endpoint);
    let model = team.settings.models["big"].clone();
    let only_chat = ModelSettings { provider: "chat".into(), ..model };
    let mut http = team.http().clone();
    http.wires = vec![Wire::Chat];
    team.settings.providers.insert("chat".into(), ProviderSettings::Http(http));
    team.settings.models.insert("talker".into(), only_chat);
    team.start();
    for wire in Wire::ALL {
        let (status, body) = team.client("eve").post(wire, &request("hello", true)).await;
        assert_eq!((status, error(&body).0.as_str()), (401, "authentication_error"));
        let client = team.client("ada");
        let asked = |model: &str| aar_llm::conversation::Request { model: model.into(), ..request("hello", false) };
        let (status, body) = client.post(wire, &asked("huge")).await;
        let (kind, message) = error(&body);
        assert_eq!((status, kind.as_str()), (404, "not_found_error"));
        assert!(message.contains("big, talker"), "{message}");
        client.reply(wire, &asked("small")).await;
        let (status, body) = client.post(wire, &asked("talker")).await;
        if wire == Wire::Chat {
            assert_eq!(status, 200);
        } else {
            assert_eq!(status, 400);
            assert!(error(&body).1.contains("/v1/chat/completions"));
        }
        let response = client.send(wire, &json!("prose")).await.unwrap();
        assert_eq!(response.status(), 400);
    }
    assert_eq!(endpoint.asked().len(), 4, "nothing of this was passed on");
    assert_eq!(endpoint.refused(), 0);
    let models = team.client("ada").http.get("http://gateway/v1/models").bearer_auth("token-ada").send().await.unwrap();
    assert!(models.text().await.unwrap().contains("talker"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_budget_is_said_and_can_be_extended() {
    let endpoint = Endpoint::start(KEY, |_, _| Action::say("yes")).unwrap();
    let mut team = Team::new(&endpoint);
    team.settings.limits = Limits { usd: Some(0.02), tokens: None };
    team.settings.callers[1].limits = Limits { usd: None, tokens: Some(3000) };
    team.start();
    // Bob's own limit is on tokens, and does not cover a longer question.
    let long = request(&"long ".repeat(1000), false);
    let (status, body) = team.client("bob").post(Wire::Chat, &long).await;
    assert_eq!((status, error(&body).0.as_str()), (402, "budget_exhausted"));
    assert!(
        error(&body).1.contains("the budget of bob") && error(&body).1.contains("3000 tokens"),
        "{}",
        error(&body).1
    );
    let mut answered = 0;
    for wire in Wire::ALL.into_iter().cycle() {
        let (status, body) = team.client("ada").post(wire, &request("hello", true)).await;
        if status == 402 {
            assert_eq!(error(&body).0, "budget_exhausted");
            assert!(error(&body).1.contains("the team"));
            break;
        }
        assert_eq!(read(wire, true, &body).text(), "yes");
        answered += 1;
    }
    assert!(answered > 3);
    let totals = team.order("/extend", json!({"by": {"usd": 0.05}})).await.unwrap();
    assert!((totals.team.limits.usd.unwrap() - 0.07).abs() < 1e-9);
    team.client("ada").reply(Wire::Chat, &request("hello", false)).await;
    // An extension outlives the gateway.
    team.stop().await;
    team.start();
    assert!((team.totals().await.team.limits.usd.unwrap() - 0.07).abs() < 1e-9);
    assert_eq!(team.totals().await.team.usage, endpoint.billed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_answers_in_place_of_a_model() {
    let endpoint = Endpoint::start(KEY, |request, _| {
        let Block::Text { text } = &request.messages[0].blocks[0] else { panic!("text") };
        Action::say(&format!("you said {text}"))
    })
    .unwrap();
    let mut team = Team::new(&endpoint).started();
    for n in 0..3 {
        team.client("ada").reply(Wire::Messages, &request(&format!("number {n}"), n == 1)).await;
    }
    let first = team.totals().await;
    team.stop().await;
    let asked = endpoint.asked().len();
    for in_order in [false, true] {
        let transcripts = team.settings.transcripts.clone();
        let replay = Team::with(ProviderSettings::Replay { transcripts, in_order }).started();
        let client = replay.client("ada");
        // In another format, streamed or not as one likes.
        for n in 0..3 {
            let question = if in_order { "whatever".into() } else { format!("number {}", 2 - n) };
            let reply = client.reply(Wire::Chat, &request(&question, n != 1)).await;
            assert_eq!(reply.text(), format!("you said number {}", if in_order { n } else { 2 - n }));
        }
        let (status, body) = client.post(Wire::Chat, &request("number 0", false)).await;
        assert_eq!(status, 502);
        assert!(error(&body).1.contains("not in the record"));
        assert_eq!(replay.totals().await.team.usage, first.team.usage);
    }
    assert_eq!(endpoint.asked().len(), asked, "no model was asked");
}
