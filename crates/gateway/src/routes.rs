//! What callers reach.

use crate::call::call;
use crate::refusal::{Reason, Refusal};
use crate::shared::Shared;
use aar_llm::wire::Wire;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

/// Bodies are at most this long: a million tokens of context, with room.
const MAX_BODY: usize = 32 << 20;

/// All routes on one screen.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(Wire::Messages.path(), post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route(Wire::Chat.path(), post(chat))
        .route(Wire::Responses.path(), post(responses))
        .route("/v1/models", get(models))
        .fallback(async || Refusal::new(Reason::Model, "there is no such path here").response(Wire::Messages))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared)
}

async fn messages(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    call(&shared, Wire::Messages, &headers, body).await
}

async fn chat(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    call(&shared, Wire::Chat, &headers, body).await
}

async fn responses(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    call(&shared, Wire::Responses, &headers, body).await
}

/// Models in the shape that both providers' clients read.
async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = shared.who(&headers) {
        return refusal.response(Wire::Messages);
    }
    let model = |name: &str| json!({"id": name, "type": "model", "object": "model", "display_name": name, "created": 0, "owned_by": "aar"});
    let data: Vec<_> = shared.catalog.names().into_iter().map(model).collect();
    Json(json!({"object": "list", "data": data, "has_more": false})).into_response()
}

/// An estimate, so that no provider is asked: four bytes are about a token.
async fn count_tokens(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    match shared.who(&headers) {
        Ok(_) => Json(json!({"input_tokens": body.len().div_ceil(4)})).into_response(),
        Err(refusal) => refusal.response(Wire::Messages),
    }
}
