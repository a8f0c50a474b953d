//! Verdicts and rulings, signal receipts, and the paths at which there are no labels.

use super::{Answer, ApiError, who};
use crate::event::{Event, Purpose, Role};
use crate::record::Status;
use crate::shared::{Inner, Shared, sha256};
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::integrity::{Decision, Integrity, Ruling, Signal};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

/// Who may look.
const LOOK: &[Role] = &[Role::Operator, Role::Viewer];
/// Words in a path by which somebody looks for what no path gives.
const LURES: [&str; 8] = ["label", "truth", "answer", "hidden", "secret", "solution", "gold", "ceiling"];

/// Everything on record about integrity.
#[utoipa::path(get, path = "/v1/integrity", responses((status = 200, body = Integrity), (status = "default", body = ErrorBody)))]
pub async fn integrity(State(shared): State<Shared>, headers: HeaderMap) -> Answer<Integrity> {
    let inner = shared.inner.lock().await;
    who(&inner, &headers, LOOK)?;
    Ok(Json(inner.state.integrity().clone()))
}

/// Rule about a verdict or a finalist. It is on the record before it has an effect.
#[utoipa::path(post, path = "/v1/integrity", request_body = Ruling,
    responses((status = 200, body = Integrity), (status = "default", body = ErrorBody)))]
pub async fn rule(State(shared): State<Shared>, headers: HeaderMap, Json(ruling): Json<Ruling>) -> Answer<Integrity> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Operator])?;
    record(&shared, &mut inner, ruling).await?;
    Ok(Json(inner.state.integrity().clone()))
}

/// Check a ruling and put it on the record.
pub async fn record(shared: &Shared, inner: &mut Inner, ruling: Ruling) -> Result<(), ApiError> {
    let length = ruling.reason.trim().chars().count();
    if !(1..=2_000).contains(&length) {
        return Err(ApiError::bad("reason must have 1 to 2000 characters: it is what others will read"));
    }
    let state = &inner.state;
    match ruling.decision {
        Decision::SignOff { evaluation } | Decision::Refuse { evaluation } => {
            let found = state.evaluations.iter().find(|record| record.id == evaluation);
            let found = found.ok_or_else(|| ApiError::not_found(format!("there is no evaluation {evaluation}")))?;
            if !matches!(found.asked.purpose, Purpose::Submission | Purpose::Finalist) || found.status != Status::Done {
                return Err(ApiError::new(
                    ErrorCode::Conflict,
                    format!("evaluation {evaluation} is no finished submission"),
                )
                .hint("`aar sign list` shows what can be signed off"));
            }
        }
        Decision::Overturn { verdict } | Decision::Uphold { verdict } => {
            if !state.integrity().verdicts.iter().any(|view| view.id == verdict) {
                return Err(ApiError::not_found(format!("there is no verdict {verdict}"))
                    .hint("`aar sign list` shows all verdicts with their numbers"));
            }
        }
    }
    shared.commit(inner, Event::Ruled(ruling), None).await?;
    Ok(())
}

/// What the author of an evaluation had been told before it.
#[utoipa::path(get, path = "/v1/evaluations/{id}/signal", params(("id" = i64, Path)),
    responses((status = 200, body = Signal), (status = "default", body = ErrorBody)))]
pub async fn signal(State(shared): State<Shared>, Path(id): Path<i64>, headers: HeaderMap) -> Answer<Signal> {
    let inner = shared.inner.lock().await;
    who(&inner, &headers, LOOK)?;
    let found = inner.state.evaluations.iter().find(|record| record.id == id);
    let found = found.ok_or_else(|| ApiError::not_found(format!("there is no evaluation {id}")))?;
    Ok(Json(inner.state.signal(found)))
}

/// A path that does not exist. Who looks for labels there gets the same answer as anybody, and is on the record.
pub async fn nowhere(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let lower = path.to_lowercase();
    if LURES.iter().any(|lure| lower.contains(lure)) {
        let mut inner = shared.inner.lock().await;
        let token = headers.get(axum::http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let known = token.and_then(|token| inner.state.who(&sha256(token)));
        let by = known.map_or("nobody".to_owned(), |participant| participant.name.clone());
        // One entry for all who show no token: nobody fills the log by thinking up paths.
        let what = if known.is_some() { path } else { "a path that looks like labels".into() };
        if let Err(error) = touch(&shared, &mut inner, by, what).await {
            return error.into_response();
        }
    }
    ApiError::not_found("there is no such path").into_response()
}

/// Put a touch on the record, unless there are enough of the kind.
async fn touch(shared: &Shared, inner: &mut Inner, by: String, what: String) -> Result<(), ApiError> {
    if inner.state.counts_touch(&by, &what) {
        shared.commit(inner, Event::Touched { by, what }, None).await?;
    }
    Ok(())
}
