//! Who spends too fast is held back, told for how long, and nobody else is.

use crate::team::{KEY, Team, request};
use aar_gateway::ledger::pace::Rate;
use aar_llm::conversation::{Block, Stop, Usage};
use aar_llm::wire::Wire;
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;

/// Answers that cost US$ 1.5 each.
fn dear() -> Endpoint {
    Endpoint::start(KEY, |_, _| {
        let mut reply = said(vec![Block::Text { text: "x".into() }], Stop::End);
        reply.usage = Usage { input: 500_000, ..Usage::default() };
        Action::Reply(reply)
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_passes_and_what_follows_waits_also_after_a_restart() {
    let endpoint = dear();
    let mut team = Team::new(&endpoint);
    // A dollar in a thousand hours: nothing fills while the test runs.
    team.settings.callers[0].rate = Some(Rate { usd_per_hour: 0.001, burst_usd: 1.0 });
    team.start();
    let (ada, bob) = (team.client("ada"), team.client("bob"));
    let hello = request("hello", false);
    assert_eq!(ada.post(Wire::Messages, &hello).await.0, 200, "the burst");
    for restarted in [false, true] {
        if restarted {
            team.stop().await;
            team.start();
        }
        let response = ada.send(Wire::Messages, &Wire::Messages.format().request(&hello)).await.unwrap();
        assert_eq!(response.status().as_u16(), 429);
        let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(seconds > 1_700_000, "half a dollar, a dollar in a thousand hours: {seconds}");
        let text = response.text().await.unwrap();
        assert!(text.contains("spending_too_fast") && text.contains("ada spends faster than"), "{text}");
        assert_eq!(bob.post(Wire::Messages, &hello).await.0, 200, "others are not held back");
    }
    assert_eq!(endpoint.asked().len(), 3, "who is held back reaches no provider");
}
