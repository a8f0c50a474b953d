//! The study, the caller, turns.

use super::{ANYBODY, Answer, ApiError, RESEARCHERS, who};
use crate::event::{Event, Phase, Purpose};
use crate::shared::Shared;
use aar_api::error::ErrorBody;
use aar_api::study::{Me, StudyView, TurnView};
use aar_domain::rung::Split;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::time::Duration;

/// A long poll answers at the latest after this.
const POLL: Duration = Duration::from_secs(25);

/// What is studied.
#[utoipa::path(get, path = "/v1/study", responses((status = 200, body = StudyView), (status = "default", body = ErrorBody)))]
pub async fn study(State(shared): State<Shared>, headers: HeaderMap) -> Answer<StudyView> {
    let inner = shared.inner.lock().await;
    who(&inner, &headers, ANYBODY)?;
    let state = &inner.state;
    let opening = state.opening.as_ref().ok_or_else(|| ApiError::not_found("no study was opened yet"))?;
    let vault = shared.vault.clone();
    let baselines = state.evaluations.iter().filter(|record| record.asked.purpose == Purpose::Baseline);
    let mut view = StudyView {
        name: opening.study.clone(),
        testbed: opening.testbed.clone(),
        subject: opening.subject.clone(),
        contract: opening.contract.name().into(),
        phase: state.phase.name().into(),
        seeds: opening.seeds.get(&Split::Feedback).map_or(0, Vec::len),
        weak: 0.0,
        ceiling: 0.0,
        baselines: baselines.map(|record| record.asked.name.clone()).collect(),
    };
    drop(inner);
    // The first call makes the bootstrap, which takes a moment.
    let frozen = tokio::task::spawn_blocking(move || vault.frozen(Split::Feedback)).await;
    if let Ok(frozen) = frozen {
        (view.weak, view.ceiling) = (frozen.weak, frozen.ceiling);
    }
    Ok(Json(view))
}

/// Who asks.
#[utoipa::path(get, path = "/v1/me", responses((status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub async fn me(State(shared): State<Shared>, headers: HeaderMap) -> Answer<Me> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, ANYBODY)?;
    let used = inner.state.used(&me.name);
    Ok(Json(Me {
        role: serde_text(&me.role),
        kind: me.kind.as_ref().map(serde_text),
        direction: me.direction,
        evaluations_left: me.evaluations.saturating_sub(used),
        evaluations_used: used,
        seed: me.seed,
        turns: me.turns,
        receipt: inner.receipt(),
        name: me.name,
    }))
}

fn serde_text<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Wait for a turn.
#[utoipa::path(get, path = "/v1/turn/{turn}", params(("turn" = u32, Path)),
    responses((status = 200, body = TurnView), (status = "default", body = ErrorBody)))]
pub async fn turn(State(shared): State<Shared>, Path(turn): Path<u32>, headers: HeaderMap) -> Answer<TurnView> {
    let mut changes = shared.changes.subscribe();
    let deadline = tokio::time::Instant::now() + POLL;
    loop {
        {
            let inner = shared.inner.lock().await;
            who(&inner, &headers, RESEARCHERS)?;
            let closed = inner.state.phase >= Phase::Closing;
            let ready = inner.state.phase == Phase::Running && inner.state.turn_ready(turn);
            if closed || ready || tokio::time::Instant::now() >= deadline {
                return Ok(Json(TurnView { turn, ready, closed }));
            }
        }
        let _ = tokio::time::timeout_at(deadline, changes.changed()).await;
    }
}

/// Make no more submissions.
#[utoipa::path(post, path = "/v1/retire", responses((status = 200), (status = "default", body = ErrorBody)))]
pub async fn retire(State(shared): State<Shared>, headers: HeaderMap) -> Answer<serde_json::Value> {
    let mut inner = shared.inner.lock().await;
    let me = who(&inner, &headers, RESEARCHERS)?;
    if !inner.state.retired.contains(&me.name) {
        shared.commit(&mut inner, Event::Retired { by: me.name }, None).await?;
    }
    Ok(Json(serde_json::json!({})))
}

/// The OpenAPI description.
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi::document())
}

/// Up, and able to record what comes.
pub async fn health(State(shared): State<Shared>) -> Answer<serde_json::Value> {
    match shared.inner.lock().await.trouble() {
        None => Ok(Json(serde_json::json!({"ok": true}))),
        Some(trouble) => Err(ApiError::unrecorded(&trouble)),
    }
}
