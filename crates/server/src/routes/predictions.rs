//! The predictions contract: answers to test items that are handed out, charged and answered at once.
//!
//! Whatever waits while one commit is written to disk is taken together by the next: many submissions share one wait.

use super::evaluations::{admit, with_receipt, words};
use super::{ANYBODY, Answer, ApiError, RESEARCHERS, who};
use crate::event::{Contract, Event, Purpose, Queued};
use crate::shared::{Entry, Inner, Shared, sha256};
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::evaluation::{EvaluationView, Predictions};
use aar_domain::rung::Split;
use aar_grader::ledger::Ledger;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use std::collections::BTreeSet;
use tokio::sync::{mpsc, oneshot};

/// Submissions that may wait; more wait for a place.
pub const WAITING: usize = 1024;
/// Submissions that are committed together at most.
const TOGETHER: usize = 256;

/// A submission on its way.
pub struct Ask {
    headers: HeaderMap,
    predictions: Predictions,
    hash: String,
    reply: oneshot::Sender<Result<EvaluationView, ApiError>>,
}

/// Hand in answers. The same key again is the same submission.
#[utoipa::path(post, path = "/v1/predictions", request_body = Predictions,
    responses((status = 200, body = EvaluationView), (status = "default", body = ErrorBody)))]
pub async fn submit(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(predictions): Json<Predictions>,
) -> Answer<EvaluationView> {
    let gone = |_| ApiError::new(ErrorCode::Internal, "the server is stopping; nothing was changed");
    let (reply, answer) = oneshot::channel();
    let hash = sha256(&predictions.answers);
    let ask = Ask { headers, predictions, hash, reply };
    shared.predictions.send(ask).await.map_err(|_| gone(()))?;
    answer.await.map_err(|_| gone(()))?.map(Json)
}

/// The test items, in the order in which answers are handed in.
#[utoipa::path(get, path = "/v1/items",
    responses((status = 200, body = Vec<serde_json::Value>), (status = "default", body = ErrorBody)))]
pub async fn items(State(shared): State<Shared>, headers: HeaderMap) -> Answer<Vec<serde_json::Value>> {
    let inner = shared.inner.lock().await;
    who(&inner, &headers, ANYBODY)?;
    let contract = inner.state.opening.as_ref().map(|opening| opening.contract);
    if contract != Some(Contract::Predictions) {
        return Err(ApiError::new(ErrorCode::Conflict, "this study hands out no test items")
            .hint("submit a bundle: the evaluation runs it on them"));
    }
    Ok(Json(shared.released.items().to_vec()))
}

/// Answer whatever comes, in groups, until the server stops.
pub async fn answer_all(shared: Shared, mut asks: mpsc::Receiver<Ask>) {
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() && asks.recv_many(&mut waiting, TOGETHER).await == 0 {
            return;
        }
        waiting = answer_group(&shared, waiting).await;
    }
}

/// Commit a group. Returns what has to wait for the next one: of every researcher only one submission is decided at a
/// time, because the second depends on the first.
async fn answer_group(shared: &Shared, group: Vec<Ask>) -> Vec<Ask> {
    let mut inner = shared.inner.lock().await;
    let (mut later, mut replies, mut entries) = (Vec::new(), Vec::new(), Vec::<Entry>::new());
    let mut ledger = inner.state.ledger.clone();
    let mut names = BTreeSet::new();
    for ask in group {
        match decide(&inner, shared, &ask, &mut ledger, &mut names) {
            Decision::Later => later.push(ask),
            // Whoever asked may be gone by now; the log has its answer.
            Decision::Known(answer) => drop(ask.reply.send(*answer)),
            Decision::New(asked) => {
                let blob = Some((ask.hash.clone(), ask.predictions.answers));
                entries.push((Event::Predicted { asked: *asked, answers: ask.hash }, blob));
                replies.push(ask.reply);
            }
        }
    }
    let first = inner.state.evaluations.len();
    let committed = if entries.is_empty() { Ok(()) } else { shared.commit_all(&mut inner, &entries).await };
    let failed = committed.err().map(ApiError::from).map(|error| error.0);
    for (at, reply) in replies.into_iter().enumerate() {
        let record = inner.state.evaluations.get(first + at).filter(|_| failed.is_none());
        let lost = || ErrorBody { code: ErrorCode::Internal, message: "the evaluation is gone".into(), hint: None };
        let refusal = || ApiError(failed.clone().unwrap_or_else(lost));
        let _ = reply.send(record.map(|record| with_receipt(&inner, record)).ok_or_else(refusal));
    }
    later
}

/// What becomes of a submission.
enum Decision {
    /// It waits for another one of the same researcher.
    Later,
    /// It is refused, or was answered before.
    Known(Box<Result<EvaluationView, ApiError>>),
    /// It is committed with its group.
    New(Box<Queued>),
}

fn decide(inner: &Inner, shared: &Shared, ask: &Ask, ledger: &mut Ledger, names: &mut BTreeSet<String>) -> Decision {
    let known = |answer| Decision::Known(Box::new(answer));
    let me = match who(inner, &ask.headers, RESEARCHERS) {
        Ok(me) => me,
        Err(refusal) => return known(Err(refusal)),
    };
    if !names.insert(me.name.clone()) {
        return Decision::Later;
    }
    let asked = &ask.predictions;
    if let Some(record) = inner.state.by_key(&me.name, &asked.key) {
        let conflict = || {
            ApiError::new(ErrorCode::Conflict, "this key was used for other answers").hint("a key names one submission")
        };
        return known((record.asked.bundle == ask.hash).then(|| with_receipt(inner, record)).ok_or_else(conflict));
    }
    let checked = admit(inner, &me, Contract::Predictions)
        .and_then(|()| words(&asked.name, &asked.key, &asked.family))
        .and_then(|()| complete(shared, &asked.answers));
    if let Err(refusal) = checked {
        return known(Err(refusal));
    }
    if let Err(spent) = ledger.reserve(&inner.state.charge(Purpose::Submission)) {
        return known(Err(ApiError::new(ErrorCode::BudgetSpent, format!("the team's ledger is spent: {spent}"))
            .hint("nothing more is answered in this study")));
    }
    Decision::New(Box::new(Queued {
        bundle: ask.hash.clone(),
        name: asked.name.trim().to_owned(),
        family: asked.family.clone(),
        parent: None,
        by: me.name,
        turn: None,
        key: asked.key.clone(),
        split: Split::Feedback,
        purpose: Purpose::Submission,
        card: None,
    }))
}

/// One answer for every item, 0 or 1. What is not complete is refused and costs nothing: it tells nothing either.
fn complete(shared: &Shared, answers: &[u8]) -> Result<(), ApiError> {
    let items = shared.released.items().len();
    if answers.len() != items {
        return Err(ApiError::bad(format!("{items} answers are needed, {} came", answers.len()))
            .hint("one per item, in the order of GET /v1/items"));
    }
    match answers.iter().position(|&answer| answer > 1) {
        Some(at) => Err(ApiError::bad(format!("answers[{at}] is {}: 0 or 1 is possible", answers[at]))),
        None => Ok(()),
    }
}
