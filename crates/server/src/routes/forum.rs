//! Findings, comments and votes.

use super::evaluations::horizon;
use super::{ANYBODY, Answer, ApiError, who};
use crate::event::{Event, Participant, Posted, Role};
use crate::record::FindingRecord;
use crate::shared::{Shared, now_ms};
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::forum::{Comment, Finding, FindingType, NewComment, NewFinding, NewVote};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;

/// Who may write.
const WRITERS: &[Role] = &[Role::Researcher, Role::Operator];

/// Which findings.
#[derive(Deserialize)]
pub struct Range {
    before: Option<u32>,
    #[serde(default)]
    after: i64,
}

/// The forum, oldest first.
#[utoipa::path(get, path = "/v1/findings", params(("before" = Option<u32>, Query), ("after" = Option<i64>, Query)),
    responses((status = 200, body = Vec<Finding>), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(shared): State<Shared>,
    Query(range): Query<Range>,
    headers: HeaderMap,
) -> Answer<Vec<Finding>> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, ANYBODY)?;
    let mut findings = inner.state.forum(horizon(&inner, &me, range.before), range.after);
    if inner.state.alone(&me, now_ms()) {
        findings.retain(|finding| finding.by == me.name);
    }
    Ok(Json(findings))
}

/// Post a finding. The same key again is the same post.
#[utoipa::path(post, path = "/v1/findings", request_body = NewFinding,
    responses((status = 200, body = Finding), (status = "default", body = ErrorBody)))]
pub async fn post(State(shared): State<Shared>, headers: HeaderMap, Json(new): Json<NewFinding>) -> Answer<Finding> {
    let mut inner = shared.inner.lock().await;
    let me = who(&inner, &headers, WRITERS)?;
    let same = |record: &&crate::record::FindingRecord| record.posted.by == me.name && record.posted.key == new.key;
    let known = inner.state.findings.iter().find(same).map(|record| record.id);
    let id = match known {
        Some(id) => id,
        None => {
            check(&inner.state, &me.name, &new)?;
            let posted = Posted {
                by: me.name,
                kind: new.kind,
                title: new.title,
                body: new.body,
                evaluation: new.evaluation,
                turn: new.turn,
                key: new.key,
            };
            shared.commit(&mut inner, Event::Posted(posted), None).await?;
            inner.state.findings.len() as i64
        }
    };
    let found = inner.state.forum(None, id - 1).into_iter().next();
    Ok(Json(found.ok_or_else(|| ApiError::not_found("the finding is gone"))?))
}

fn check(state: &crate::state::State, by: &str, new: &NewFinding) -> Result<(), ApiError> {
    length("title", &new.title, 200)?;
    length("body", &new.body, 20_000)?;
    length("key", &new.key, 200)?;
    let own = |id: i64| state.evaluations.iter().any(|record| record.id == id && record.asked.by == by);
    match new.evaluation {
        Some(id) if !own(id) => Err(ApiError::bad(format!("evaluation {id} is not yours"))),
        None if new.kind == FindingType::Result => {
            Err(ApiError::bad("a result names the evaluation behind it")
                .hint("post an insight or a hypothesis instead"))
        }
        _ => Ok(()),
    }
}

fn length(field: &str, text: &str, most: usize) -> Result<(), ApiError> {
    let count = text.chars().count();
    if (count == 0 && field != "body") || count > most {
        return Err(ApiError::bad(format!("{field} has {count} characters, 1 to {most} are allowed")));
    }
    Ok(())
}

/// A finding that somebody may see.
fn found<'a>(state: &'a crate::state::State, me: &Participant, id: i64) -> Result<&'a FindingRecord, ApiError> {
    let found = state.findings.iter().find(|record| record.id == id);
    let found = found.ok_or_else(|| ApiError::not_found(format!("there is no finding {id}")))?;
    if found.posted.by != me.name && state.alone(me, now_ms()) {
        return Err(alone());
    }
    Ok(found)
}

/// What somebody hears who asks for others' work too early.
pub(super) fn alone() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "this study begins with work on one's own: what others do is not shown yet")
        .hint("post already, it is read later; ask again when the study's first hours are over")
}

/// Comments on a finding.
#[utoipa::path(get, path = "/v1/findings/{id}/comments", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<Comment>), (status = "default", body = ErrorBody)))]
pub async fn comments(State(shared): State<Shared>, Path(id): Path<i64>, headers: HeaderMap) -> Answer<Vec<Comment>> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, ANYBODY)?;
    let found = found(&inner.state, &me, id)?;
    let horizon = horizon(&inner, &me, None);
    let seen = |comment: &&Comment| match (comment.turn, horizon) {
        (Some(turn), Some(before)) => turn < before,
        _ => true,
    };
    Ok(Json(found.comments.iter().map(|(_, comment)| comment).filter(seen).cloned().collect()))
}

/// Comment on a finding. The same key again is the same comment.
#[utoipa::path(post, path = "/v1/findings/{id}/comments", params(("id" = i64, Path)), request_body = NewComment,
    responses((status = 200), (status = "default", body = ErrorBody)))]
pub async fn comment(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(new): Json<NewComment>,
) -> Answer<serde_json::Value> {
    let mut inner = shared.inner.lock().await;
    let me = who(&inner, &headers, WRITERS)?;
    length("body", &new.body, 5_000)?;
    length("key", &new.key, 200)?;
    let found = found(&inner.state, &me, id)?;
    if !found.comments.iter().any(|(key, comment)| *key == new.key && comment.by == me.name) {
        let event = Event::Commented { finding: id, by: me.name, body: new.body, turn: new.turn, key: new.key };
        shared.commit(&mut inner, event, None).await?;
    }
    Ok(Json(serde_json::json!({})))
}

/// Vote on somebody else's finding. The last vote counts.
#[utoipa::path(post, path = "/v1/findings/{id}/votes", params(("id" = i64, Path)), request_body = NewVote,
    responses((status = 200, body = Finding), (status = "default", body = ErrorBody)))]
pub async fn vote(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(new): Json<NewVote>,
) -> Answer<Finding> {
    let mut inner = shared.inner.lock().await;
    let me = who(&inner, &headers, WRITERS)?;
    if !(-1..=1).contains(&new.value) {
        return Err(ApiError::bad(format!(
            "value is {}; 1 (it helps), -1 (it misleads) or 0 (none) is a vote",
            new.value
        )));
    }
    let found = inner.state.findings.iter().find(|record| record.id == id);
    let found = found.ok_or_else(|| ApiError::not_found(format!("there is no finding {id}")))?;
    if found.posted.by == me.name {
        return Err(ApiError::bad("a vote is on somebody else's finding; this one is yours"));
    }
    if found.votes.get(&me.name).map_or(0, |(value, _)| *value) != new.value {
        let event = Event::Voted { finding: id, by: me.name.clone(), value: new.value, turn: new.turn };
        shared.commit(&mut inner, event, None).await?;
    }
    let horizon = horizon(&inner, &me, None);
    let found = inner.state.forum(horizon, id - 1).into_iter().find(|finding| finding.id == id);
    Ok(Json(found.ok_or_else(|| ApiError::not_found(format!("there is no finding {id}")))?))
}
