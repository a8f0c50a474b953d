//! Jobs for workers. A worker that is not heard of loses its job to another one.

use super::{Answer, ApiError, who};
use crate::event::{Event, Role};
use crate::record::Status;
use crate::shared::{Entry, Inner, Shared, sha256};
use crate::state::MAX_CLAIMS;
use aar_api::error::{ErrorBody, ErrorCode};
use aar_api::integrity::{Bearing, Check, Verdict, VerdictView};
use aar_api::work::{Claim, Failure, Job, Outputs, Touched};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use std::time::{Duration, Instant};

/// How long a job stays with a worker that is not heard of.
const LEASE: Duration = Duration::from_secs(30);
/// Characters of a bundle's output that are kept.
const MAX_TAIL: usize = 4_000;

/// Take a job; waits for one.
#[utoipa::path(post, path = "/v1/jobs/claim", request_body = Claim,
    responses((status = 200, body = Option<Job>), (status = "default", body = ErrorBody)))]
pub async fn claim(State(shared): State<Shared>, headers: HeaderMap, Json(claim): Json<Claim>) -> Answer<Option<Job>> {
    let mut changes = shared.changes.subscribe();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(claim.wait_ms.min(25_000));
    loop {
        {
            let mut inner = shared.inner.lock().await;
            who(&inner, &headers, &[Role::Worker])?;
            expire(&shared, &mut inner).await?;
            if let Some(job) = take(&shared, &mut inner, &claim.worker).await? {
                return Ok(Json(Some(job)));
            }
        }
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok(Json(None));
        }
    }
}

async fn take(shared: &Shared, inner: &mut Inner, worker: &str) -> Result<Option<Job>, ApiError> {
    let state = &inner.state;
    let open = |job: &&crate::record::JobRecord| {
        job.status == Status::Queued
            && state.evaluations.get(job.evaluation as usize - 1).is_some_and(|record| !record.ended())
    };
    let Some(job) = state.jobs.iter().find(open) else {
        return Ok(None);
    };
    let asked = &state.evaluations[job.evaluation as usize - 1].asked;
    let answer = Job {
        id: job.id,
        evaluation: job.evaluation,
        bundle: asked.bundle.clone(),
        seed: job.seed.seed,
        teacher: job.seed.teacher,
        split: asked.split,
        lease_ms: LEASE.as_millis() as u64,
    };
    shared.commit(inner, Event::Claimed { job: answer.id, worker: worker.to_owned() }, None).await?;
    inner.leases.insert(answer.id, Instant::now() + LEASE);
    Ok(Some(answer))
}

/// Take jobs away from workers that were not heard of.
async fn expire(shared: &Shared, inner: &mut Inner) -> Result<(), ApiError> {
    let now = Instant::now();
    let lost: Vec<i64> = inner.leases.iter().filter(|(_, until)| **until < now).map(|(&job, _)| job).collect();
    for job in lost {
        inner.leases.remove(&job);
        give_back(shared, inner, job, "its worker was not heard of".into()).await?;
    }
    Ok(())
}

/// Back to the queue, or, after too many times, failed.
async fn give_back(shared: &Shared, inner: &mut Inner, job: i64, reason: String) -> Result<(), ApiError> {
    let claims = inner.state.jobs.get(job as usize - 1).map_or(0, |job| job.claims);
    let event = if claims >= MAX_CLAIMS {
        Event::Failed { job, reason: format!("given up after {claims} tries: {reason}"), log_tail: String::new() }
    } else {
        Event::Released { job, reason }
    };
    shared.commit(inner, event, None).await?;
    Ok(())
}

/// A job that is with a worker.
fn held(inner: &Inner, id: i64) -> Result<(), ApiError> {
    let job = inner.state.jobs.iter().find(|job| job.id == id);
    match job.map(|job| job.status) {
        Some(Status::Running) => Ok(()),
        Some(_) => Err(ApiError::new(ErrorCode::Conflict, format!("job {id} is no longer yours"))),
        None => Err(ApiError::not_found(format!("there is no job {id}"))),
    }
}

/// Still at it.
#[utoipa::path(post, path = "/v1/jobs/{id}/heartbeat", params(("id" = i64, Path)),
    responses((status = 200), (status = "default", body = ErrorBody)))]
pub async fn heartbeat(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Answer<serde_json::Value> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Worker])?;
    held(&inner, id)?;
    inner.leases.insert(id, Instant::now() + LEASE);
    Ok(Json(serde_json::json!({})))
}

/// A job's margins.
#[utoipa::path(post, path = "/v1/jobs/{id}/outputs", params(("id" = i64, Path)), request_body = Outputs,
    responses((status = 200), (status = "default", body = ErrorBody)))]
pub async fn outputs(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(outputs): Json<Outputs>,
) -> Answer<serde_json::Value> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Worker])?;
    held(&inner, id)?;
    let state = &inner.state;
    let split = state.evaluations[state.jobs[id as usize - 1].evaluation as usize - 1].asked.split;
    let items = shared.vault.items(split);
    if outputs.margins.len() != items || outputs.margins.iter().any(|margin| !margin.is_finite()) {
        return Err(ApiError::bad(format!("{items} finite margins are needed, {} came", outputs.margins.len())));
    }
    let bytes: Vec<u8> = outputs.margins.iter().flat_map(|margin| margin.to_le_bytes()).collect();
    let hash = sha256(&bytes);
    let event = Event::Done { job: id, margins: hash.clone(), usage: outputs.usage, curve: outputs.curve };
    // What it shows goes on record with it, or not at all.
    let verdicts = inner.state.near_duplicates(id, &outputs.margins);
    let mut entries = vec![(event, Some((hash, bytes)))];
    entries.extend(verdicts.into_iter().map(|verdict| (Event::Judged(verdict), None)));
    inner.leases.remove(&id);
    shared.commit_all(&mut inner, &entries).await?;
    Ok(Json(serde_json::json!({})))
}

/// A bundle opened what looks like labels and lies outside everything it was given: that is on record, and binds.
#[utoipa::path(post, path = "/v1/jobs/{id}/touched", params(("id" = i64, Path)), request_body = Touched,
    responses((status = 200), (status = "default", body = ErrorBody)))]
pub async fn touched(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Answer<serde_json::Value> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Worker])?;
    held(&inner, id)?;
    let state = &inner.state;
    let evaluation = state.jobs[id as usize - 1].evaluation;
    let by = state.evaluations[evaluation as usize - 1].asked.by.clone();
    let mut entries: Vec<Entry> = state.touches(&by, &touched.files).map(|event| (event, None)).collect();
    let known = |view: &VerdictView| (view.verdict.evaluation, view.verdict.check) == (evaluation, Check::Decoy);
    if !touched.files.is_empty() && !state.integrity().verdicts.iter().any(known) {
        let evidence = format!("its code opened what looks like labels and is none: {}", touched.files.join(", "));
        let verdict =
            Verdict { evaluation, check: Check::Decoy, kind: Bearing::Binding, evidence, of: None, left: None };
        entries.push((Event::Judged(verdict), None));
    }
    shared.commit_all(&mut inner, &entries).await?;
    Ok(Json(serde_json::json!({})))
}

/// A job that could not be finished.
#[utoipa::path(post, path = "/v1/jobs/{id}/failure", params(("id" = i64, Path)), request_body = Failure,
    responses((status = 200), (status = "default", body = ErrorBody)))]
pub async fn failure(
    State(shared): State<Shared>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Json(failure): Json<Failure>,
) -> Answer<serde_json::Value> {
    let mut inner = shared.inner.lock().await;
    who(&inner, &headers, &[Role::Worker])?;
    held(&inner, id)?;
    inner.leases.remove(&id);
    if failure.worker_fault {
        give_back(&shared, &mut inner, id, failure.reason).await?;
    } else {
        let log_tail = failure.log_tail.chars().take(MAX_TAIL).collect();
        shared.commit(&mut inner, Event::Failed { job: id, reason: failure.reason, log_tail }, None).await?;
    }
    Ok(Json(serde_json::json!({})))
}
