//! Requests in, actions out.

use crate::action::Action;
use crate::bill;
use crate::endpoint::{Asked, Shared, lock};
use aar_llm::conversation::{Reply, Request, Usage};
use aar_llm::stream::{self, Stream};
use aar_llm::wire::Wire;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/v1/models", get(async || json(200, &json!({"object": "list", "data": []}))))
        .layer(DefaultBodyLimit::max(64 << 20));
    for wire in Wire::ALL {
        let handler = move |State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes| async move {
            call(&shared, wire, &headers, &body).await
        };
        router = router.route(wire.path(), post(handler)).layer(DefaultBodyLimit::max(64 << 20));
    }
    router.with_state(shared)
}

async fn call(shared: &Arc<Shared>, wire: Wire, headers: &HeaderMap, body: &[u8]) -> Response {
    if !knows_key(headers, &shared.key) {
        *lock(&shared.refused) += 1;
        return failure(wire, 401, "authentication_error", None);
    }
    let parsed = serde_json::from_slice::<Value>(body).ok();
    let read = parsed.and_then(|body| Some((wire.format().read_request(&body).ok()?, body)));
    let Some((request, body)) = read else {
        return failure(wire, 400, "invalid_request_error", None);
    };
    let caller = headers.get("x-aar-caller").and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let action = (shared.policy)(&request, &caller);
    let number = {
        let mut asked = lock(&shared.asked);
        let billed = Usage::default();
        asked.push(Asked { caller: caller.clone(), wire, request: request.clone(), body, billed });
        asked.len() - 1
    };
    let ready = Ready { shared: shared.clone(), wire, request, caller, number };
    ready.perform(action).await
}

fn knows_key(headers: &HeaderMap, key: &str) -> bool {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    value("x-api-key") == Some(key) || value("authorization").and_then(|v| v.strip_prefix("Bearer ")) == Some(key)
}

/// A call that was understood.
struct Ready {
    shared: Arc<Shared>,
    wire: Wire,
    request: Request,
    caller: String,
    number: usize,
}

/// When pieces are sent.
#[derive(Clone, Copy)]
enum Pace {
    AtOnce,
    HeldAfter(usize),
    Pause(Duration),
}

impl Ready {
    async fn perform(self, action: Action) -> Response {
        match action {
            Action::Hang => std::future::pending().await,
            Action::Raw { code, body } => {
                let events = body.starts_with("data:") || body.starts_with("event:");
                let kind = if events { "text/event-stream" } else { "application/json" };
                answer(code, kind, Body::from(body))
            }
            Action::Status { code, retry_after } => {
                let kind = match code {
                    429 => "rate_limit_error",
                    529 => "overloaded_error",
                    400..500 => "invalid_request_error",
                    _ => "api_error",
                };
                failure(self.wire, code, kind, retry_after)
            }
            Action::Reply(reply) => self.reply(reply, Pace::AtOnce),
            Action::Held { reply, first } => self.reply(reply, Pace::HeldAfter(first)),
            Action::Slow { reply, pause } => self.reply(reply, Pace::Pause(pause)),
            Action::Cut { reply, after } => self.cut(reply, after),
        }
    }

    /// The answer with its usage. The next prompt of the same caller finds this one in the cache.
    fn complete(&self, reply: Reply) -> Reply {
        let mut prompts = lock(&self.shared.prompts);
        let before = prompts.insert(self.caller.clone(), bill::prompt(&self.request));
        bill::complete(reply, &self.request, self.wire, before.as_deref())
    }

    fn bill(&self, usage: Usage) {
        lock(&self.shared.asked)[self.number].billed = usage;
    }

    /// The body in pieces, and its kind.
    fn pieces(&self, reply: &Reply) -> (Vec<String>, &'static str) {
        let format = self.wire.format();
        if self.request.stream {
            (format.pieces(reply).iter().map(stream::frame).collect(), "text/event-stream")
        } else {
            (vec![format.reply(reply).to_string()], "application/json")
        }
    }

    fn reply(self, reply: Reply, pace: Pace) -> Response {
        let reply = self.complete(reply);
        self.bill(reply.usage);
        let (pieces, kind) = self.pieces(&reply);
        let shared = self.shared.clone();
        let streamed = self.request.stream;
        let paced = futures_util::stream::unfold(pieces.into_iter().enumerate(), move |mut rest| {
            let shared = shared.clone();
            async move {
                let (number, piece) = rest.next()?;
                match pace {
                    Pace::AtOnce => {}
                    Pace::HeldAfter(first) if number == first || !streamed => {
                        shared.gate.acquire().await.ok()?.forget();
                    }
                    Pace::HeldAfter(_) => {}
                    Pace::Pause(pause) => tokio::time::sleep(pause).await,
                }
                Some((Ok::<_, std::io::Error>(piece), rest))
            }
        });
        answer(200, kind, Body::from_stream(paced))
    }

    fn cut(self, reply: Reply, after: usize) -> Response {
        let mut reply = self.complete(reply);
        let (pieces, kind) = self.pieces(&reply);
        let mut body = pieces.concat().into_bytes();
        body.truncate(after);
        if self.request.stream {
            let mut seen = Stream::new(self.wire);
            seen.push(&body);
            reply.usage.output = reply.usage.output.min(bill::written_bytes(seen.written()));
        }
        self.bill(reply.usage);
        let broken = futures_util::stream::unfold(Some(body), async |body| match body {
            Some(body) => Some((Ok(body), None)),
            None => {
                // What was written leaves for the network while nothing is ready; only then it breaks.
                tokio::task::yield_now().await;
                Some((Err(std::io::Error::other("cut off")), None))
            }
        });
        answer(200, kind, Body::from_stream(broken))
    }
}

fn answer(code: u16, kind: &str, body: Body) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn json(code: u16, body: &Value) -> Response {
    answer(code, "application/json", Body::from(body.to_string()))
}

/// A failure in the format's own words.
fn failure(wire: Wire, code: u16, kind: &str, retry_after: Option<u32>) -> Response {
    let message = format!("scripted {kind}");
    let body = match wire {
        Wire::Messages => json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}),
        Wire::Chat | Wire::Responses => {
            json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
        }
    };
    let mut response = json(code, &body);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
