//! How a refusal looks: in the caller's own format, with a reason that a program can read.

use aar_llm::wire::Wire;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a call was not passed on, or not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No known token.
    Unauthenticated,
    /// The body is not what the format wants, or asks for what is not let through.
    Invalid,
    /// This model is not allowed.
    Model,
    /// What is left does not cover the call's worst case.
    BudgetExhausted,
    /// The caller spends faster than it may.
    TooFast,
    /// The operator has paused this caller.
    Paused,
    /// The provider failed.
    Upstream,
    /// The provider did not answer in time.
    TimedOut,
    /// The gateway itself failed.
    Internal,
}

impl Reason {
    fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Model => StatusCode::NOT_FOUND,
            Self::BudgetExhausted => StatusCode::PAYMENT_REQUIRED,
            Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Self::Paused => StatusCode::SERVICE_UNAVAILABLE,
            Self::Upstream => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error's `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthenticated => "authentication_error",
            Self::Invalid => "invalid_request_error",
            Self::Model => "not_found_error",
            Self::BudgetExhausted => "budget_exhausted",
            Self::TooFast => "spending_too_fast",
            Self::Paused => "paused",
            Self::Upstream => "upstream_failed",
            Self::TimedOut => "upstream_timed_out",
            Self::Internal => "api_error",
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The same for people and models.
    pub message: String,
    /// Seconds after which the same call may be let through.
    pub retry_after_s: Option<u64>,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let retry_after_s = (reason == Reason::Paused).then_some(30);
        Self { reason, message: message.into(), retry_after_s }
    }

    /// What went wrong here is the operator's to read, not the caller's.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a call could not be handled");
        Self::new(Reason::Internal, "the gateway failed; its operator can read why in its log")
    }

    /// As the caller's format has it.
    pub fn response(&self, wire: Wire) -> Response {
        let kind = self.reason.name();
        let body = match wire {
            Wire::Messages => json!({"type": "error", "error": {"type": kind, "message": self.message}}),
            Wire::Chat | Wire::Responses => {
                json!({"error": {"message": self.message, "type": kind, "param": null, "code": kind}})
            }
        };
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.reason.status(), kind, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
