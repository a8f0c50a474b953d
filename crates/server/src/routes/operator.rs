//! The operator's routes: who works on the study, and changes of its course.

use super::{Answer, ApiError, RESEARCHERS, who};
use crate::event::{Event, Participant, Phase, Role};
use crate::shared::{Inner, Shared, sha256};
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::operator::{Instruct, Instruction, Joined, Member, Message, NewParticipant};
use aar_domain::name;
use aar_domain::rung::Kind;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;

/// From which message on.
#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: i64,
}

/// What the operator said to this researcher, or to all.
#[utoipa::path(get, path = "/v1/messages", params(("after" = Option<i64>, Query)),
    responses((status = 200, body = Vec<Message>), (status = "default", body = ErrorBody)))]
pub async fn messages(
    State(shared): State<Shared>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Answer<Vec<Message>> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, RESEARCHERS)?;
    let mine = |(to, message): &&(Option<String>, Message)| {
        message.id > query.after && to.as_ref().is_none_or(|to| *to == me.name)
    };
    Ok(Json(inner.state.messages.iter().filter(mine).map(|(_, message)| message.clone()).collect()))
}

/// Who works on the study.
#[utoipa::path(get, path = "/v1/participants",
    responses((status = 200, body = Vec<Member>), (status = "default", body = ErrorBody)))]
pub async fn members(State(shared): State<Shared>, headers: HeaderMap) -> Answer<Vec<Member>> {
    let inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Operator, Role::Viewer])?;
    Ok(Json(inner.state.members()))
}

/// Let somebody work on the study from wherever it likes. Its token is in the answer and nowhere else.
#[utoipa::path(post, path = "/v1/participants", request_body = NewParticipant,
    responses((status = 200, body = Joined), (status = "default", body = ErrorBody)))]
pub async fn join(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(asked): Json<NewParticipant>,
) -> Answer<Joined> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Operator])?;
    let kind = check(&asked)?;
    if inner.state.phase >= Phase::Closing {
        return Err(ApiError::new(ErrorCode::Closed, "the study takes no more submissions"));
    }
    if inner.state.participants.contains_key(&asked.name) {
        return Err(ApiError::new(ErrorCode::Conflict, format!("the name {:?} is taken", asked.name)));
    }
    let mut secret = [0; 24];
    getrandom::fill(&mut secret)
        .map_err(|_| ApiError::new(ErrorCode::Internal, "the operating system gave no random numbers"))?;
    let token = hex::encode(secret);
    let participant = Participant {
        name: asked.name.clone(),
        role: Role::Researcher,
        kind: Some(kind),
        direction: asked.direction,
        seed: inner.state.participants.len() as u64,
        evaluations: 0,
        turns: false,
        token_hash: sha256(&token),
    };
    // Evaluations come as a grant, so that the team's ledger grows with them.
    let instruction = Instruction::Budget { evaluations: asked.evaluations };
    let entries = [
        (Event::Joined(participant), None),
        (Event::Instructed { researcher: Some(asked.name.clone()), instruction }, None),
    ];
    shared.commit_all(&mut inner, &entries).await?;
    Ok(Json(Joined { name: asked.name, token }))
}

fn check(asked: &NewParticipant) -> Result<Kind, ApiError> {
    name::check(&asked.name).map_err(ApiError::bad)?;
    if !(1..=100_000).contains(&asked.evaluations) {
        return Err(ApiError::bad(format!("evaluations = {}: 1 to 100000 is possible", asked.evaluations)));
    }
    match asked.kind.as_str() {
        "human" => Ok(Kind::Human),
        "command" => Ok(Kind::Command),
        other => Err(ApiError::bad(format!("kind {other:?}: human or command is possible"))),
    }
}

/// Change the course of one researcher, or of all. It is on the record before anything happens.
#[utoipa::path(post, path = "/v1/instructions", request_body = Instruct,
    responses((status = 200, body = Vec<Member>), (status = "default", body = ErrorBody)))]
pub async fn instruct(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(asked): Json<Instruct>,
) -> Answer<Vec<Member>> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Operator])?;
    record(&shared, &mut inner, asked).await?;
    Ok(Json(inner.state.members()))
}

/// Check an instruction and put it on the record; it has its effect with that.
pub async fn record(shared: &Shared, inner: &mut Inner, asked: Instruct) -> Result<(), ApiError> {
    let researcher = |participant: &Participant| participant.role == Role::Researcher;
    if let Some(name) = &asked.researcher
        && !inner.state.participants.get(name).is_some_and(researcher)
    {
        let all: Vec<&str> =
            inner.state.participants.values().filter(|p| researcher(p)).map(|p| p.name.as_str()).collect();
        return Err(ApiError::not_found(format!("no researcher is called {name:?}"))
            .hint(format!("there are {}", all.join(", "))));
    }
    match &asked.instruction {
        Instruction::Say { text } if text.trim().is_empty() || text.chars().count() > 4_000 => {
            return Err(ApiError::bad("text must have 1 to 4000 characters"));
        }
        Instruction::Budget { evaluations } if !(1..=100_000).contains(evaluations) => {
            return Err(ApiError::bad(format!("evaluations = {evaluations}: 1 to 100000 is possible")));
        }
        Instruction::Close if asked.researcher.is_some() => {
            return Err(ApiError::bad("the close concerns the study, not one researcher").hint("stop it instead"));
        }
        _ => {}
    }
    if inner.state.phase >= Phase::Closing {
        return Err(ApiError::new(ErrorCode::Closed, "the study is over: nothing can be changed any more"));
    }
    let event = Event::Instructed { researcher: asked.researcher, instruction: asked.instruction };
    shared.commit(inner, event, None).await?;
    Ok(())
}
