//! One call, from a caller's request to a line in the ledger.
//!
//! `check` finds out who asks for what, `pin` makes the body that goes on, `reserve` promises its worst case. From there a task
//! of its own conducts the call, so that a caller who hangs up changes nothing: the answer is read to its end, charged
//! and written down. The end of an answer reaches the caller only when it has been settled.

use crate::catalog::Model;
use crate::charge::{Meter, Seen};
use crate::clock::now_ms;
use crate::ledger::book::{Charge, Outcome, Refused, Shortage};
use crate::ledger::{Opening, Reservation};
use crate::pin::{self, Pinned};
use crate::price::usd;
use crate::provider::{Answer, Outgoing, Unanswered};
use crate::refusal::{Reason, Refusal};
use crate::secret::{Key, Screen, hide, hide_text};
use crate::shared::Shared;
use crate::telemetry::call::Call;
use crate::transcript::{Asking, Event};
use aar_llm::stream::Stream;
use aar_llm::trace;
use aar_llm::wire::Wire;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A failure's body is read up to here.
const FAILURE: usize = 1 << 20;
/// The provider's beta features that would reach further, or cost more, than what is metered.
const BETAS_LEFT_OUT: [&str; 8] =
    ["context-1m", "fast-mode", "mcp-", "files-api", "code-execution", "web-", "skills", "extended-cache-ttl"];

/// Handle one request.
pub async fn call(shared: &Arc<Shared>, wire: Wire, headers: &HeaderMap, body: Bytes) -> Response {
    let caller = match shared.who(headers) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.response(wire),
    };
    match prepare(shared, &caller, wire, headers, body).await {
        Ok(job) => {
            let (begin, begun) = oneshot::channel();
            tokio::spawn(job.conduct(begin));
            begun.await.unwrap_or_else(|_| Refusal::new(Reason::Internal, "the gateway failed").response(wire))
        }
        Err(refusal) => {
            let Refusal { reason, message, .. } = &refusal;
            shared.note(&caller, Event::Refused { reason: reason.name().into(), message: message.clone() });
            refusal.response(wire)
        }
    }
}

/// A call that is paid for and written down.
struct Job {
    shared: Arc<Shared>,
    outgoing: Outgoing,
    model: Model,
    stream: bool,
    reservation: Reservation,
    began_ms: i64,
    /// The span that the caller says its call belongs to.
    parent: Option<trace::Place>,
}

async fn prepare(
    shared: &Arc<Shared>,
    caller: &str,
    wire: Wire,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Job, Refusal> {
    let sums = shared.ledger.sums().await.map_err(|error| Refusal::internal(&error))?;
    if sums.callers.get(caller).is_some_and(|totals| totals.paused) {
        return Err(Refusal::new(Reason::Paused, "the operator has paused this researcher; try again later"));
    }
    let (value, name) = pin::model(&body)?;
    let model = shared.catalog.find(&name, wire)?.clone();
    let Pinned { body, value, stream, worst, taken_out } =
        pin::pin(wire, &body, value, &model.pinned, model.max_tokens)?;
    let worst = Charge { nano: model.price.worst(worst.input, worst.output), usage: worst };
    let (provider, pinned) = (model.upstream.name.clone(), model.pinned.clone());
    let opening = Opening { caller: caller.to_owned(), provider, model: pinned, worst };
    let reserved = shared.ledger.reserve(&opening).await.map_err(|error| Refusal::internal(&error))?;
    let reservation = reserved.map_err(|refused| not_promised(caller, &refused))?;
    let asking = Asking { call: reservation.id, wire, model: &name, body: &value, taken_out: &taken_out };
    if let Err(error) = shared.transcripts.asked(caller, now_ms(), asking) {
        // What can't be recorded is not asked.
        let _ = reservation.settle(Charge::default(), Outcome::Failed).await;
        return Err(Refusal::internal(&error));
    }
    let parent = headers.get(trace::HEADER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let headers = known_headers(wire, headers);
    let outgoing = Outgoing { wire, body: body.into(), value, headers, caller: caller.to_owned() };
    Ok(Job { shared: shared.clone(), outgoing, model, stream, reservation, began_ms: now_ms(), parent })
}

fn not_promised(caller: &str, refused: &Refused) -> Refusal {
    match refused {
        Refused::Shortage(shortage) => Refusal::new(Reason::BudgetExhausted, exhausted(shortage)),
        Refused::TooFast { rate, wait_s } => {
            let message = format!(
                "{caller} spends faster than US$ {:.2} an hour with US$ {:.2} at once; the next call can be made in {wait_s} s. \
                 The money is not lost: fewer and shorter calls go further",
                rate.usd_per_hour, rate.burst_usd
            );
            Refusal { retry_after_s: Some(*wait_s), ..Refusal::new(Reason::TooFast, message) }
        }
    }
}

fn exhausted(shortage: &Shortage) -> String {
    let mut left = Vec::new();
    if let Some(dollars) = shortage.left.usd {
        left.push(format!("US$ {dollars:.4}"));
    }
    if let Some(tokens) = shortage.left.tokens {
        left.push(format!("{tokens} tokens"));
    }
    let worst = &shortage.worst;
    format!(
        "the budget of {} does not cover this call: {} left, and it may come to US$ {:.4} and {} tokens at worst. \
         A shorter conversation or a lower max_tokens needs less",
        shortage.whose,
        left.join(" and "),
        usd(worst.nano),
        worst.usage.total(),
    )
}

/// Headers that belong to the format.
fn known_headers(wire: Wire, headers: &HeaderMap) -> Vec<(&'static str, String)> {
    if wire != Wire::Messages {
        return vec![];
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut known = vec![("anthropic-version", text("anthropic-version").unwrap_or("2023-06-01").to_owned())];
    let betas = text("anthropic-beta").unwrap_or_default().split(',').map(str::trim);
    let left_out = |beta: &&str| BETAS_LEFT_OUT.iter().any(|start| beta.starts_with(start));
    let betas: Vec<&str> = betas.filter(|beta| !beta.is_empty() && !left_out(beta)).collect();
    if !betas.is_empty() {
        known.push(("anthropic-beta", betas.join(",")));
    }
    known
}

/// What the transcript says of a call's end besides what was seen.
#[derive(Clone, Copy)]
struct Ended {
    attempts: u32,
    status: Option<u16>,
}

impl Job {
    fn meter(&self) -> Meter {
        Meter { price: self.model.price, worst: self.reservation.worst }
    }

    fn key(&self) -> Option<Key> {
        self.model.upstream.key.clone()
    }

    fn keys(&self) -> Vec<Key> {
        self.key().into_iter().collect()
    }

    async fn conduct(self, begin: oneshot::Sender<Response>) {
        let attempted = self.model.upstream.ask(self.reservation.id, &self.outgoing).await;
        let ended = |status| Ended { attempts: attempted.attempts, status };
        let wire = self.outgoing.wire;
        let response = match attempted.answer {
            Err(unanswered) => self.unanswered(unanswered, ended(None)).await,
            Ok(answer) if answer.status != 200 => {
                let ended = ended(Some(answer.status));
                self.failed(answer, ended).await
            }
            // Some servers answer in one piece whatever is asked.
            Ok(answer) if self.stream && !answer.content_type.starts_with("application/json") => {
                let ended = ended(Some(answer.status));
                return self.streamed(answer, ended, begin).await;
            }
            Ok(answer) => {
                let ended = ended(Some(answer.status));
                self.at_once(answer, ended).await
            }
        };
        // The caller may be gone.
        let _ = begin.send(response.unwrap_or_else(|refusal| refusal.response(wire)));
    }

    /// Charge the call and write down how it ended.
    async fn end(self, seen: Seen, ended: Ended) -> Result<(), Refusal> {
        let failure = seen.failure.map(|failure| hide_text(&self.keys(), failure));
        let (call, outcome, charge) = (self.reservation.id, seen.outcome, seen.charge);
        let settled = self.reservation.settle(charge, outcome).await;
        let Ended { attempts, status } = ended;
        if let Some(telemetry) = &self.shared.telemetry {
            let call = Call {
                call,
                caller: self.outgoing.caller.clone(),
                parent: self.parent,
                provider: self.model.upstream.name.clone(),
                model: self.model.pinned.clone(),
                answered: seen.reply.as_ref().map(|reply| (reply.model.clone(), reply.stop.clone())),
                began_ms: self.began_ms,
                attempts,
                outcome,
                charge,
            };
            telemetry.say(&call.span(&self.shared.traces, now_ms()));
        }
        let event = Event::Ended { call, attempts, status, reply: seen.reply, failure, outcome, charge };
        self.shared.note(&self.outgoing.caller, event);
        settled.map_err(|error| Refusal::internal(&error))
    }

    async fn unanswered(self, unanswered: Unanswered, ended: Ended) -> Result<Response, Refusal> {
        let (seen, refusal) = match unanswered {
            Unanswered::Unreachable(why) => {
                let failure = Some(why.clone());
                let seen = Seen { reply: None, failure, outcome: Outcome::Failed, charge: Charge::default() };
                (seen, Refusal::new(Reason::Upstream, format!("the provider can't be reached: {why}")))
            }
            Unanswered::TimedOut => {
                let message = "the provider did not answer in time";
                (self.meter().unknown(message.into()), Refusal::new(Reason::TimedOut, message))
            }
            Unanswered::Broken(why) => {
                let refusal = Refusal::new(Reason::Upstream, format!("the provider broke the connection: {why}"));
                (self.meter().unknown(why), refusal)
            }
        };
        let refusal = Refusal { message: hide_text(&self.keys(), refusal.message), ..refusal };
        self.end(seen, ended).await?;
        Err(refusal)
    }

    /// The provider's own words go on, but for those about the key: it is not the caller's.
    async fn failed(self, answer: Answer, ended: Ended) -> Result<Response, Refusal> {
        let Answer { status, content_type, retry_after, body } = answer;
        let (body, _) = collect(body, FAILURE).await;
        let body = hide(&self.keys(), body);
        let failure = format!("status {status}: {}", String::from_utf8_lossy(&body[..body.len().min(2000)]));
        let seen = Seen { reply: None, failure: Some(failure), outcome: Outcome::Failed, charge: Charge::default() };
        self.end(seen, ended).await?;
        if status == 401 || status == 403 {
            let message = "the provider refuses the gateway's key: only the operator can help";
            return Err(Refusal::new(Reason::Upstream, message));
        }
        let mut response = respond(status, &content_type, Body::from(body));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, (seconds.ceil() as u64).into());
        }
        Ok(response)
    }

    async fn at_once(self, answer: Answer, ended: Ended) -> Result<Response, Refusal> {
        let (body, broken) = collect(answer.body, usize::MAX).await;
        let body = hide(&self.keys(), body);
        let seen = self.meter().at_once(self.outgoing.wire, &body, broken);
        let unusable = seen.failure.clone().map(|failure| hide_text(&self.keys(), failure));
        self.end(seen, ended).await?;
        match unusable {
            None => Ok(respond(answer.status, &answer.content_type, Body::from(body))),
            Some(failure) => {
                Err(Refusal::new(Reason::Upstream, format!("the provider's answer can't be used: {failure}")))
            }
        }
    }

    /// Every piece goes on as it comes. What the connection breaks is broken for the caller too.
    async fn streamed(self, answer: Answer, ended: Ended, begin: oneshot::Sender<Response>) {
        // A caller who reads slowly or not at all must not keep the provider waiting; an answer is small.
        let (pieces, passed) = mpsc::unbounded_channel::<Result<Bytes, std::io::Error>>();
        let passed = futures_util::stream::unfold(passed, async |mut passed| Some((passed.recv().await?, passed)));
        let _ = begin.send(respond(answer.status, &answer.content_type, Body::from_stream(passed)));
        let (mut stream, mut screen) = (Stream::new(self.outgoing.wire), Screen::new(self.key()));
        let mut body = answer.body;
        let mut broken = None;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => {
                    let piece = screen.pass(&piece);
                    stream.push(&piece);
                    // The caller may be gone.
                    let _ = pieces.send(Ok(piece.into()));
                }
                Err(failure) => broken = Some(failure),
            }
        }
        let rest = screen.rest();
        stream.push(&rest);
        let _ = pieces.send(Ok(rest.into()));
        let seen = self.meter().streamed(stream, broken.clone());
        let settled = self.end(seen, ended).await;
        if broken.is_some() || settled.is_err() {
            let _ = pieces.send(Err(std::io::Error::other("the provider's answer broke off")));
        }
    }
}

/// All of a body, or as much of it; and how it broke.
async fn collect(mut body: crate::provider::Body, most: usize) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(failure) => return (bytes, Some(failure)),
        }
        if bytes.len() >= most {
            bytes.truncate(most);
            break;
        }
    }
    (bytes, None)
}

fn respond(status: u16, content_type: &str, body: Body) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
