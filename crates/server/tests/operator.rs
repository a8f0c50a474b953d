//! What an operator does to a running study.

mod bench;

use aar_api::client::{Address, Client, ClientError};
use aar_api::error::ErrorCode;
use aar_api::operator::{Instruct, Instruction, Joined, Member, Message, NewParticipant};
use aar_api::paths;
use aar_domain::rung::Kind;
use aar_grader::ledger::Unit;
use aar_server::event::{Participant, Role};
use bench::{Bench, config, opening, refused, serve, submit, token_hash};

fn operator() -> Participant {
    Participant::service("operator", Role::Operator, token_hash("operator"))
}

/// Two researchers of one evaluation each, an operator, a ledger that fits them.
fn start() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    bench::testbed(dir.path());
    let opening = aar_server::event::Opening { limits: [(Unit::Evaluations, 2)].into(), ..opening("plan one") };
    let mut bench = Bench { dir, server: None, opening };
    restart(&mut bench);
    bench
}

fn restart(bench: &mut Bench) {
    bench.server = None;
    bench.server = Some(serve(&config(bench.dir.path()), &bench.opening, 1, false));
    bench.server().join(&operator()).unwrap();
}

fn tell(bench: &Bench, name: Option<&str>, instruction: Instruction) -> Result<Vec<Member>, ClientError> {
    let body = Instruct { researcher: name.map(str::to_owned), instruction };
    bench.client("operator").post(paths::INSTRUCTIONS, &body)
}

#[test]
fn a_paused_researcher_submits_nothing_until_it_is_told_to_go_on() {
    let bench = start();
    let members = tell(&bench, Some("ada"), Instruction::Pause).unwrap();
    let states: Vec<(&str, &str)> =
        members.iter().map(|member| (member.name.as_str(), member.state.as_str())).collect();
    assert_eq!(states, [("ada", "paused"), ("boole", "working")]);
    assert_eq!(refused(submit(&bench.client("ada"), "a")), ErrorCode::Conflict);
    submit(&bench.client("boole"), "b").unwrap();
    tell(&bench, None, Instruction::Resume).unwrap();
    submit(&bench.client("ada"), "a").unwrap();
    tell(&bench, Some("ada"), Instruction::Stop).unwrap();
    assert!(bench.server().snapshot().retired.contains("ada"));
    assert_eq!(refused(tell(&bench, Some("nobody"), Instruction::Stop)), ErrorCode::NotFound);
}

#[test]
fn more_budget_is_there_at_once_and_after_a_restart_and_is_on_the_record() {
    let mut bench = start();
    submit(&bench.client("ada"), "a").unwrap();
    assert_eq!(refused(submit(&bench.client("ada"), "b")), ErrorCode::BudgetSpent);
    assert!(!bench.server().snapshot().budgets_changed);
    tell(&bench, Some("ada"), Instruction::Budget { evaluations: 2 }).unwrap();
    submit(&bench.client("ada"), "b").unwrap();
    restart(&mut bench);
    submit(&bench.client("ada"), "c").unwrap();
    assert_eq!(refused(submit(&bench.client("ada"), "d")), ErrorCode::BudgetSpent);
    let snapshot = bench.server().snapshot();
    assert_eq!(snapshot.ledger.account(Unit::Evaluations).limit, Some(4));
    assert!(snapshot.budgets_changed);
    assert_eq!(refused(tell(&bench, None, Instruction::Budget { evaluations: 0 })), ErrorCode::BadRequest);
}

#[test]
fn a_message_reaches_whom_it_is_meant_for() {
    let bench = start();
    let say = |name, text: &str| tell(&bench, name, Instruction::Say { text: text.into() }).unwrap();
    say(Some("ada"), "look at the noise floor");
    say(None, "one hour left");
    let read = |name: &str, after: i64| {
        let messages: Vec<Message> = bench.client(name).get(&format!("{}?after={after}", paths::MESSAGES)).unwrap();
        messages.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    assert_eq!(read("ada", 0), ["look at the noise floor", "one hour left"]);
    assert_eq!(read("boole", 0), ["one hour left"]);
    assert_eq!(read("ada", 1), ["one hour left"]);
    assert_eq!(refused(tell(&bench, None, Instruction::Say { text: " ".into() })), ErrorCode::BadRequest);
}

#[test]
fn somebody_can_join_while_the_study_runs_with_a_token_that_is_written_nowhere() {
    let mut bench = start();
    let ask = |bench: &Bench, name: &str, kind: &str| {
        let body = NewParticipant { name: name.into(), kind: kind.into(), evaluations: 1, direction: None };
        bench.client("operator").post::<_, Joined>(paths::PARTICIPANTS, &body)
    };
    let joined = ask(&bench, "visitor", "human").unwrap();
    assert!(!format!("{joined:?}").contains(&joined.token));
    for again in [false, true] {
        if again {
            restart(&mut bench);
        }
        let client = Client::new(&Address::Unix(bench.dir.path().join("api.sock")), &joined.token).unwrap();
        let answer = submit(&client, "v");
        assert_eq!(answer.unwrap().by, "visitor");
        assert_eq!(refused(submit(&client, "w")), ErrorCode::BudgetSpent);
    }
    assert_eq!(bench.server().snapshot().participants.iter().filter(|p| p.kind == Some(Kind::Human)).count(), 1);
    assert_eq!(refused(ask(&bench, "visitor", "human")), ErrorCode::Conflict);
    assert_eq!(refused(ask(&bench, "plain", "human")), ErrorCode::BadRequest);
    assert_eq!(refused(ask(&bench, "x", "search")), ErrorCode::BadRequest);
    for entry in std::fs::read_dir(bench.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(joined.token.len()).any(|window| window == joined.token.as_bytes());
            assert!(!found, "the token is in {}", path.display());
        }
    }
}

#[test]
fn the_close_can_be_asked_for_and_concerns_the_study() {
    let bench = start();
    assert_eq!(refused(tell(&bench, Some("ada"), Instruction::Close)), ErrorCode::BadRequest);
    assert!(!bench.server().snapshot().closing);
    tell(&bench, None, Instruction::Close).unwrap();
    assert!(bench.server().snapshot().closing);
}
