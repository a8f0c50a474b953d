//! Randomised schedules of concurrent calls, faults, callers who hang up, crashes and restarts: no cap is ever passed, no
//! charge is lost, none is counted twice. Without faults the ledger is the endpoint's bill, to the token.

use crate::team::{Client, NAMES, PRICE, Team, request};
use aar_gateway::price::nano;
use aar_gateway::settings::Limits;
use aar_llm::conversation::{Block, Request, Stop, Usage};
use aar_llm::wire::Wire;
use aar_scripted::action::{Action, said};
use aar_scripted::endpoint::Endpoint;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Row};

const KEY: &str = crate::team::KEY;
const SCHEDULES: u64 = 200;

/// What the endpoint does stands in the question: `word number`.
fn act(request: &Request, _: &str) -> Action {
    let Block::Text { text } = &request.messages[0].blocks[0] else { panic!("text") };
    let mut words = text.split(' ');
    let word = words.next().unwrap_or_default();
    let number: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    let reply = said(vec![Block::Text { text: "word ".repeat(number) }], Stop::End);
    match word {
        "busy" => Action::Status { code: 429, retry_after: Some(0) },
        "down" => Action::Status { code: 500, retry_after: None },
        "cut" => Action::Cut { reply, after: number * 20 },
        "hang" => Action::Hang,
        "junk" => Action::Raw { code: 200, body: "junk".into() },
        _ => Action::Reply(reply),
    }
}

#[derive(Clone, Debug)]
struct Planned {
    name: &'static str,
    wire: Wire,
    body: Value,
    hangs_up: bool,
}

fn plan(random: &mut ChaCha8Rng, faults: bool) -> Planned {
    let words: &[&str] = if faults { &["say", "say", "say", "busy", "down", "cut", "hang", "junk"] } else { &["say"] };
    let word = words[random.random_range(0..words.len())];
    let padding = "x ".repeat(random.random_range(0..400));
    let question = format!("{word} {} {padding}", random.random_range(1..120));
    let wire = Wire::ALL[random.random_range(0..3)];
    let asked = request(&question, random.random_bool(0.6));
    let name = NAMES[random.random_range(0..NAMES.len())];
    Planned { name, wire, body: wire.format().request(&asked), hangs_up: faults && random.random_bool(0.15) }
}

/// The status, if there was one.
async fn make(client: Client, planned: Planned) -> Option<u16> {
    let response = client.send(planned.wire, &planned.body).await.ok()?;
    let status = response.status().as_u16();
    if !planned.hangs_up {
        let _ = response.bytes().await;
    }
    Some(status)
}

/// Some calls at the same time; `stop_after` so many of them everything ends where it is.
async fn together(team: &mut Team, calls: Vec<Planned>, stop_after: Option<usize>) -> Vec<u16> {
    let mut running: FuturesUnordered<_> =
        calls.into_iter().map(|call| tokio::spawn(make(team.client(call.name), call))).collect();
    let mut statuses = Vec::new();
    let mut ended = 0;
    if stop_after == Some(0) {
        tokio::task::yield_now().await;
        team.crash();
    }
    while let Some(status) = running.next().await {
        statuses.extend(status.unwrap());
        ended += 1;
        if stop_after == Some(ended) {
            team.crash();
        }
    }
    statuses
}

/// What lies in the file: for each caller nano-dollars and tokens, summed over calls that are each there once.
async fn filed(team: &Team, name: &str) -> (i64, Usage, i64) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&team.settings.ledger);
    let mut connection = options.connect().await.unwrap();
    let row = sqlx::query(
        "SELECT COALESCE(SUM(nano), 0), COALESCE(SUM(input), 0), COALESCE(SUM(output), 0), COALESCE(SUM(cache_read), 0), \
         COALESCE(SUM(cache_write), 0), COUNT(*), COALESCE(SUM(outcome IS NULL), 0) FROM calls WHERE caller = ?",
    )
    .bind(name)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let tokens = |at: usize| row.get::<i64, _>(at) as u64;
    let usage = Usage { input: tokens(1), output: tokens(2), cache_read: tokens(3), cache_write: tokens(4) };
    assert_eq!(row.get::<i64, _>(6), 0, "no call is left open");
    connection.close().await.unwrap();
    (row.get(0), usage, row.get(5))
}

/// What was billed, priced as the ledger prices: each call by itself.
fn billed(endpoint: &Endpoint, name: &str) -> (i64, Usage) {
    let mut sum = (0, Usage::default());
    for asked in endpoint.asked().into_iter().filter(|asked| asked.caller == name) {
        sum.0 += PRICE.cost(&asked.billed);
        sum.1 += asked.billed;
    }
    sum
}

struct Seen {
    refused: usize,
    answered: usize,
    crashes: usize,
}

async fn schedule(seed: u64) -> Seen {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let faults = !seed.is_multiple_of(4);
    let endpoint = Endpoint::start(KEY, act).unwrap();
    let mut team = Team::new(&endpoint);
    let cap = random.random_range(0.01..0.12);
    let own_cap = random.random_range(5_000..40_000);
    team.settings.limits = Limits { usd: Some(cap), tokens: None };
    team.settings.callers[0].limits = Limits { usd: None, tokens: Some(own_cap) };
    team.http().answer_timeout_s = 0.15;
    team.http().retries = 1;
    let mut seen = Seen { refused: 0, answered: 0, crashes: 0 };
    for _ in 0..random.random_range(1..4) {
        team.start();
        let calls: Vec<Planned> = (0..random.random_range(2..8)).map(|_| plan(random, faults)).collect();
        let crash = (faults && random.random_bool(0.5)).then(|| random.random_range(0..=calls.len()));
        let statuses = together(&mut team, calls, crash).await;
        seen.refused += statuses.iter().filter(|status| **status == 402).count();
        seen.answered += statuses.iter().filter(|status| **status == 200).count();
        if crash.is_some() {
            seen.crashes += 1;
        } else {
            team.stop().await;
        }
    }
    // Opened once more, so that what crashes left open is charged.
    team.start();
    let totals = team.totals().await;
    assert!(totals.team.nano <= nano(cap), "seed {seed}: the team spent {} of {cap}", totals.team.usd);
    assert!(totals.callers["ada"].usage.total() <= own_cap, "seed {seed}: {:?} of {own_cap}", totals.callers["ada"]);
    assert_eq!((totals.team.open_nano, totals.team.open_tokens), (0, 0));
    assert_eq!(totals.team.nano, totals.callers.values().map(|own| own.nano).sum::<i64>());
    team.stop().await;
    for name in NAMES {
        let own = &totals.callers[name];
        let (file_nano, file_usage, calls) = filed(&team, name).await;
        assert_eq!((own.nano, own.usage, own.calls as i64), (file_nano, file_usage, calls), "seed {seed}, {name}");
        let (bill, usage) = billed(&endpoint, name);
        if faults {
            assert!(own.nano >= bill, "seed {seed}, {name}: {} lost", bill - own.nano);
        } else {
            assert_eq!((own.nano, own.usage), (bill, usage), "seed {seed}, {name}: to the token");
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_schedule_passes_a_cap_or_loses_or_doubles_a_charge() {
    let mut sum = Seen { refused: 0, answered: 0, crashes: 0 };
    for seed in 0..SCHEDULES {
        let seen = schedule(seed).await;
        sum.refused += seen.refused;
        sum.answered += seen.answered;
        sum.crashes += seen.crashes;
    }
    // Otherwise nothing was tried.
    assert!(
        sum.refused > 50 && sum.answered > 200 && sum.crashes > 50,
        "{} {} {}",
        sum.refused,
        sum.answered,
        sum.crashes
    );
}
