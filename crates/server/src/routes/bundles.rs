//! Bundles by their hash.

use super::forum::alone;
use super::{Answer, ApiError, who};
use crate::event::{Event, Role};
use crate::shared::{Shared, now_ms};
use aar_api::bundle::{Bundle, BundleStored};
use aar_api::error::ErrorBody;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;

/// Store a bundle. The same folder again is the same bundle.
#[utoipa::path(post, path = "/v1/bundles", request_body = Bundle,
    responses((status = 200, body = BundleStored), (status = "default", body = ErrorBody)))]
pub async fn store(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(bundle): Json<Bundle>,
) -> Answer<BundleStored> {
    let mut inner = shared.inner.lock().await;
    let me = who(&inner, &headers, &[Role::Researcher, Role::Operator])?;
    bundle.check().map_err(|error| {
        ApiError::bad(format!("the bundle is refused: {error}"))
            .hint("a bundle is recipe.toml, or an executable train, and at most 256 files")
    })?;
    let id = bundle.id();
    let known = inner.state.bundles.get(&id).is_some_and(|(_, by)| by.contains(&me.name));
    if !known {
        let bytes = serde_json::to_vec(&bundle).unwrap_or_default();
        shared.commit(&mut inner, Event::Stored { bundle: id.clone(), by: me.name }, Some((&id, &bytes))).await?;
    }
    Ok(Json(BundleStored { bundle: id }))
}

/// Fetch one's own bundle, or one that was submitted: a snapshot to build on.
#[utoipa::path(get, path = "/v1/bundles/{id}", params(("id" = String, Path)),
    responses((status = 200, body = Bundle), (status = "default", body = ErrorBody)))]
pub async fn fetch(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Answer<Bundle> {
    let inner = shared.inner.lock().await;
    let me = who(&inner, &headers, &[Role::Researcher, Role::Operator, Role::Worker])?;
    let state = &inner.state;
    let own = state.bundles.get(&id).is_some_and(|(_, by)| by.contains(&me.name));
    if !own && state.alone(&me, now_ms()) {
        return Err(alone());
    }
    let found = state.bundles.get(&id).filter(|(_, by)| {
        me.role != Role::Researcher
            || by.contains(&me.name)
            || state.evaluations.iter().any(|record| record.asked.bundle == id)
    });
    let (bundle, _) = found.ok_or_else(|| {
        ApiError::not_found(format!("no bundle {id} here, or not for you"))
            .hint("`lab leaderboard` lists bundles that can be fetched")
    })?;
    Ok(Json(bundle.clone()))
}
