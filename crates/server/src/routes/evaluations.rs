//! Submissions, and the board as the ledger allows it to be seen.

use super::{ANYBODY, Answer, ApiError, RESEARCHERS, who};
use crate::card;
use crate::event::{Contract, Event, Participant, Phase, Purpose, Queued};
use crate::record::EvaluationRecord;
use crate::shared::{Inner, Shared, now_ms, sha256};
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::evaluation::{BoardRow, EvaluationView, Submission};
use aar_api::integrity::{Bearing, Check, Verdict};
use aar_domain::family::Family;
use aar_domain::rung::Split;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;

/// Which turns to look at.
#[derive(Deserialize)]
pub struct Before {
    before: Option<u32>,
}

/// Ask for an evaluation. The same key again is the same evaluation.
#[utoipa::path(post, path = "/v1/evaluations", request_body = Submission,
    responses((status = 200, body = EvaluationView), (status = "default", body = ErrorBody)))]
pub async fn submit(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(submission): Json<Submission>,
) -> Answer<EvaluationView> {
    let mut inner = shared.inner.lock().await;
    let me = who(&inner, &headers, RESEARCHERS)?;
    if let Some(known) = inner.state.by_key(&me.name, &submission.key) {
        return if known.asked.bundle == submission.bundle {
            Ok(Json(with_receipt(&inner, known)))
        } else {
            Err(ApiError::new(ErrorCode::Conflict, "this key was used for another bundle")
                .hint("a key names one submission"))
        };
    }
    check(&inner, &me, &submission)?;
    let charge = inner.state.charge(Purpose::Submission);
    inner.state.ledger.affords(&charge).map_err(|spent| {
        ApiError::new(ErrorCode::BudgetSpent, format!("the team's ledger is spent: {spent}"))
            .hint("nothing more is answered in this study")
    })?;
    let bundle = inner.state.bundles.get(&submission.bundle).map(|(bundle, _)| bundle);
    let card = bundle.and_then(|bundle| bundle.text(card::FILE)).map(sha256);
    let contradictions = bundle.map(card::contradictions).unwrap_or_default();
    let queued = Queued {
        bundle: submission.bundle,
        name: submission.name.trim().to_owned(),
        family: submission.family,
        parent: submission.parent,
        by: me.name,
        turn: submission.turn,
        key: submission.key,
        split: Split::Feedback,
        purpose: Purpose::Submission,
        card,
    };
    let mut entries = vec![(Event::Queued(queued), None)];
    if !contradictions.is_empty() {
        entries.push((
            Event::Judged(Verdict {
                evaluation: inner.state.evaluations.len() as i64 + 1,
                check: Check::MethodCard,
                kind: Bearing::Property,
                evidence: contradictions.join("; "),
                of: None,
                left: None,
            }),
            None,
        ));
    }
    shared.commit_all(&mut inner, &entries).await?;
    let last = inner.state.evaluations.last();
    let last = last.ok_or_else(|| ApiError::new(ErrorCode::Internal, "the evaluation is gone"))?;
    Ok(Json(with_receipt(&inner, last)))
}

pub(super) fn with_receipt(inner: &Inner, record: &EvaluationRecord) -> EvaluationView {
    EvaluationView { receipt: Some(inner.receipt()), ..inner.state.view(record) }
}

/// Whether anything may be handed in now, by this researcher, under this contract.
pub(super) fn admit(inner: &Inner, me: &Participant, contract: Contract) -> Result<(), ApiError> {
    let state = &inner.state;
    let wanted = state.opening.as_ref().map_or(contract, |opening| opening.contract);
    if wanted != contract {
        let hint = match wanted {
            Contract::Bundles => "POST a bundle to /v1/evaluations; test items are not handed out",
            Contract::Predictions => "POST answers to the items of /v1/items to /v1/predictions",
        };
        return Err(ApiError::new(ErrorCode::Conflict, format!("this study takes {}", wanted.name())).hint(hint));
    }
    if state.phase >= Phase::Closing {
        return Err(ApiError::new(ErrorCode::Closed, "the study takes no more submissions"));
    }
    if state.phase == Phase::Baselines {
        return Err(ApiError::new(ErrorCode::Conflict, "the baselines are still running").hint("try again in a moment"));
    }
    if state.paused.contains(&me.name) {
        return Err(ApiError::new(ErrorCode::Conflict, "the operator has paused this researcher")
            .hint("try again when it was told to go on"));
    }
    let used = state.used(&me.name);
    if used >= me.evaluations || state.retired.contains(&me.name) {
        return Err(ApiError::new(ErrorCode::BudgetSpent, format!("all {} evaluations are used", me.evaluations)));
    }
    Ok(())
}

/// What a submission is called.
pub(super) fn words(name: &str, key: &str, family: &str) -> Result<(), ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(ApiError::bad("name must be 1 to 200 printable characters"));
    }
    if key.is_empty() || key.len() > 200 {
        return Err(ApiError::bad("key must be 1 to 200 bytes"));
    }
    if !Family::ALL.iter().any(|known| known.name() == family) {
        let known: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
        return Err(
            ApiError::bad(format!("family {family:?} is not known")).hint(format!("one of {}", known.join(", ")))
        );
    }
    Ok(())
}

fn check(inner: &Inner, me: &Participant, submission: &Submission) -> Result<(), ApiError> {
    admit(inner, me, Contract::Bundles)?;
    words(&submission.name, &submission.key, &submission.family)?;
    let state = &inner.state;
    let used = state.used(&me.name);
    let known = |bundle: &str| state.bundles.contains_key(bundle);
    if !known(&submission.bundle) {
        return Err(ApiError::not_found(format!("bundle {} was not stored", submission.bundle))
            .hint("POST it to /v1/bundles first"));
    }
    if submission.parent.as_ref().is_some_and(|parent| !known(parent)) {
        return Err(ApiError::bad("parent names no stored bundle"));
    }
    if me.turns && submission.turn != Some(used) {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            format!("the next submission of {} belongs to turn {used}", me.name),
        ));
    }
    if me.turns && !state.turn_ready(used) {
        return Err(ApiError::new(ErrorCode::Conflict, format!("turn {used} has not begun")));
    }
    if !me.turns && submission.turn.is_some() {
        return Err(ApiError::bad("this researcher does not work in turns: leave turn out"));
    }
    Ok(())
}

/// One's own evaluations, oldest first.
#[utoipa::path(get, path = "/v1/evaluations",
    responses((status = 200, body = Vec<EvaluationView>), (status = "default", body = ErrorBody)))]
pub async fn own(State(shared): State<Shared>, headers: HeaderMap) -> Answer<Vec<EvaluationView>> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, RESEARCHERS)?;
    let state = &inner.state;
    Ok(Json(
        state.evaluations.iter().filter(|record| record.asked.by == me.name).map(|record| state.view(record)).collect(),
    ))
}

/// One evaluation of one's own.
#[utoipa::path(get, path = "/v1/evaluations/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = EvaluationView), (status = "default", body = ErrorBody)))]
pub async fn one(State(shared): State<Shared>, Path(id): Path<i64>, headers: HeaderMap) -> Answer<EvaluationView> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, RESEARCHERS)?;
    let found = inner.state.evaluations.iter().find(|record| record.id == id && record.asked.by == me.name);
    let found = found
        .ok_or_else(|| ApiError::not_found(format!("evaluation {id} is not yours")).hint("`lab status` lists yours"))?;
    Ok(Json(with_receipt(&inner, found)))
}

/// The board.
#[utoipa::path(get, path = "/v1/leaderboard", params(("before" = Option<u32>, Query)),
    responses((status = 200, body = Vec<BoardRow>), (status = "default", body = ErrorBody)))]
pub async fn leaderboard(
    State(shared): State<Shared>,
    Query(query): Query<Before>,
    headers: HeaderMap,
) -> Answer<Vec<BoardRow>> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, ANYBODY)?;
    let mut rows = inner.state.board(horizon(&inner, &me, query.before));
    if inner.state.alone(&me, now_ms()) {
        rows.retain(|row| row.by == me.name || row.kind == "baseline");
    }
    Ok(Json(rows))
}

/// Who works in turns sees no turn that is not over, whatever it asks for.
pub(super) fn horizon(inner: &Inner, me: &Participant, before: Option<u32>) -> Option<u32> {
    if !me.turns {
        return before;
    }
    let own = inner.state.used(&me.name);
    Some(before.map_or(own, |before| before.min(own)))
}
