//! The route table, and what all routes share: who asks, and how a refusal looks.

use crate::event::{Participant, Role};
use crate::shared::{Inner, Shared, sha256};
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::paths;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};

pub mod bundles;
pub mod evaluations;
pub mod forum;
pub mod integrity;
pub mod operator;
pub mod predictions;
pub mod study;
mod whole;
pub mod work;

/// All routes on one screen.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route(paths::STUDY, get(study::study))
        .route(paths::ME, get(study::me))
        .route(paths::TURN, get(study::turn))
        .route(paths::RETIRE, post(study::retire))
        .route(paths::BUNDLES, post(bundles::store))
        .route(paths::BUNDLE, get(bundles::fetch))
        .route(paths::EVALUATIONS, post(evaluations::submit).get(evaluations::own))
        .route(paths::EVALUATION, get(evaluations::one))
        .route(paths::PREDICTIONS, post(predictions::submit))
        .route(paths::ITEMS, get(predictions::items))
        .route(paths::LEADERBOARD, get(evaluations::leaderboard))
        .route(paths::FINDINGS, get(forum::list).post(forum::post))
        .route(paths::COMMENTS, get(forum::comments).post(forum::comment))
        .route(paths::VOTES, post(forum::vote))
        .route(paths::MESSAGES, get(operator::messages))
        .route(paths::PARTICIPANTS, get(operator::members).post(operator::join))
        .route(paths::INSTRUCTIONS, post(operator::instruct))
        .route(paths::INTEGRITY, get(integrity::integrity).post(integrity::rule))
        .route(paths::SIGNAL, get(integrity::signal))
        .route(paths::CLAIM, post(work::claim))
        .route(paths::HEARTBEAT, post(work::heartbeat))
        .route(paths::OUTPUTS, post(work::outputs))
        .route(paths::TOUCHED, post(work::touched))
        .route(paths::FAILURE, post(work::failure))
        .route(paths::OPENAPI, get(study::openapi))
        .route(paths::HEALTH, get(study::health))
        .fallback(integrity::nowhere)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(whole::read))
        .layer(map_response(in_our_words))
        .with_state(shared)
}

/// What refuses a request before a handler sees it (a body that can't be read, a number that is none, another method) speaks plain text; callers are
/// promised [`ErrorBody`].
async fn in_our_words(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if response.status().is_success() || kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return response;
    }
    let status = response.status();
    let code = match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        status if status.is_client_error() => ErrorCode::BadRequest,
        _ => ErrorCode::Internal,
    };
    let text = axum::body::to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    let text = match String::from_utf8_lossy(&text).trim() {
        "" => format!("{status}: see /v1/openapi.json for what is possible"),
        text => text.to_owned(),
    };
    let mut answer = ApiError::new(code, text).into_response();
    *answer.status_mut() = status;
    answer
}

/// A refusal.
#[derive(Debug)]
pub struct ApiError(pub ErrorBody);

/// An answer or a refusal.
pub type Answer<T> = Result<Json<T>, ApiError>;

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ErrorBody { code, message: message.into(), hint: None })
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// What a caller is told where nothing could be recorded.
    pub fn unrecorded(error: &crate::ServerError) -> Self {
        match error {
            crate::ServerError::Full(_) => {
                Self::new(ErrorCode::Unavailable, "the server's disk is full; nothing was changed")
                    .hint("the same request goes through when its operator has made room")
            }
            crate::ServerError::Failing { .. } => Self::new(
                ErrorCode::Unavailable,
                "the server's disk failed; it records nothing more until it was restarted",
            )
            .hint("what was answered before is safe; send the same request, with its key, after the restart"),
            _ => Self::new(ErrorCode::Internal, "the server could not record this; nothing was changed"),
        }
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }
}

impl From<crate::ServerError> for ApiError {
    fn from(error: crate::ServerError) -> Self {
        tracing::error!(%error, "a change could not be recorded");
        Self::unrecorded(&error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::Conflict => StatusCode::CONFLICT,
            ErrorCode::BudgetSpent => StatusCode::PAYMENT_REQUIRED,
            ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Closed => StatusCode::GONE,
            ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self.0)).into_response()
    }
}

/// Who asks, if they may: one of `roles`.
pub fn who(inner: &Inner, headers: &HeaderMap, roles: &[Role]) -> Result<Participant, ApiError> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let known = token.and_then(|token| inner.state.who(&sha256(token)));
    let Some(participant) = known else {
        return Err(ApiError::new(ErrorCode::Unauthorized, "a known token is needed")
            .hint("send it as `Authorization: Bearer …`; `lab` reads it from AAR_TOKEN"));
    };
    if !roles.contains(&participant.role) {
        return Err(ApiError::new(ErrorCode::Forbidden, "this token may not do that"));
    }
    Ok(participant.clone())
}

/// Everybody with a token.
pub const ANYBODY: &[Role] = &[Role::Operator, Role::Worker, Role::Researcher, Role::Viewer];
/// Who takes part in research.
pub const RESEARCHERS: &[Role] = &[Role::Researcher];
