//! The operator's control: JSON over a unix socket that only the gateway's own user may open.

use crate::error::GatewayError;
use crate::ledger::Sums;
use crate::ledger::book::Unit;
use crate::settings::{Caller, Limits};
use crate::shared::Shared;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// All routes on one screen. Every answer is everybody's totals after it.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/totals", get(totals))
        .route("/pause", post(pause))
        .route("/resume", post(resume))
        .route("/extend", post(extend))
        .route("/record", post(record))
        .route("/admit", post(admit))
        .with_state(shared)
}

/// One caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Who.
    pub caller: String,
}

/// More to spend.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Who; the team where nobody is named.
    #[serde(default)]
    pub caller: Option<String>,
    /// By how much.
    pub by: Limits,
}

/// Something else that was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// By whom.
    pub caller: String,
    /// What.
    pub unit: Unit,
    /// How much.
    pub amount: u64,
    /// The same key again is the same use.
    pub key: String,
}

struct Failed(GatewayError);

type Answer = Result<Json<Sums>, Failed>;

impl From<GatewayError> for Failed {
    fn from(error: GatewayError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match self.0 {
            GatewayError::Unknown(_) => StatusCode::NOT_FOUND,
            GatewayError::Settings { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(serde_json::json!({"error": self.0.to_string()}))).into_response()
    }
}

async fn totals(State(shared): State<Arc<Shared>>) -> Answer {
    Ok(Json(shared.ledger.sums().await?))
}

async fn pause(State(shared): State<Arc<Shared>>, Json(named): Json<Named>) -> Answer {
    shared.ledger.pause(&named.caller, true).await?;
    totals(State(shared)).await
}

async fn resume(State(shared): State<Arc<Shared>>, Json(named): Json<Named>) -> Answer {
    shared.ledger.pause(&named.caller, false).await?;
    totals(State(shared)).await
}

async fn extend(State(shared): State<Arc<Shared>>, Json(extension): Json<Extension>) -> Answer {
    if extension.by.usd.is_some_and(|usd| !(0.0..1e9).contains(&usd)) {
        return Err(GatewayError::settings("by.usd", "limits are only raised, by less than a billion").into());
    }
    shared.ledger.extend(extension.caller.as_deref(), extension.by).await?;
    totals(State(shared)).await
}

async fn record(State(shared): State<Arc<Shared>>, Json(used): Json<Used>) -> Answer {
    shared.ledger.record(&used.caller, used.unit, used.amount, &used.key).await?;
    totals(State(shared)).await
}

async fn admit(State(shared): State<Arc<Shared>>, Json(caller): Json<Caller>) -> Answer {
    shared.admit(&caller).await?;
    totals(State(shared)).await
}
