//! Integrity: is the log what it was, what checks found, what failed, who tried how often, what may have leaked.

use super::layout::{Frame, encoded, evidence, live, page as framed};
use super::origin::of;
use super::watch::Checked;
use super::{Pages, Visitor};
use crate::event::{Participant, Purpose, Role};
use crate::record::{EvaluationRecord, Status};
use crate::state::State as Study;
use aar_api::integrity::Cheating;
use aar_api::receipt::Receipt;
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Evaluations named per reason of failure.
const NAMED: usize = 12;
/// Reasons listed.
const REASONS: usize = 40;

/// The page.
pub async fn page(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let (head, over) = {
        let inner = pages.shared.inner.lock().await;
        (inner.receipt(), inner.state.phase == crate::event::Phase::Closed)
    };
    let checked = pages.watch.look(&pages.shared, &head, over).await;
    let inner = pages.shared.inner.lock().await;
    let state = &inner.state;
    let body = html! {
        (live("log", &log(&head, checked.as_ref())))
        (live("verdicts", &super::verdicts::section(state.integrity())))
        (live("attempts", &attempts(state)))
        (live("failures", &failures(state)))
        (live("circumstances", &circumstances(state)))
    };
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Integrity", "/integrity").await, &body)
}

fn log(head: &Receipt, checked: Option<&Checked>) -> Markup {
    html! {
        h2 { "The event log" }
        dl.facts {
            div { dt { "events" } dd { (of("log/height", head.height)) } }
            div { dt { "head of the chain" } dd { code { (head.head.get(..16).unwrap_or(&head.head)) } } }
            div { dt { "checked" } dd { @match checked {
                None => "under way",
                Some(Checked { failed: Some(_), .. }) => span.warn { "could not be done" },
                Some(checked) if checked.faults.is_empty() => { "holds up to event " (of("log/checked", checked.height)) }
                Some(checked) => span.warn { (of("log/faults", checked.faults.len())) " faults" },
            } } }
        }
        @if let Some(failed) = checked.and_then(|checked| checked.failed.as_ref()) { p.warn data-told { (failed) } }
        @for fault in checked.iter().flat_map(|checked| checked.faults.iter().take(NAMED)) { p.warn data-told { (fault) } }
        p.note {
            "Every event carries the hash of all before it; bundles and margins are compared with the hashes that events name, and heads with those kept beside the log. \
             A head written down elsewhere proves the log later: " code { "aar audit verify DIR --receipt FILE" } "."
        }
    }
}

/// What one researcher asked for.
#[derive(Default)]
struct Attempts<'a> {
    submitted: usize,
    failed: usize,
    bundles: BTreeSet<&'a str>,
    told: usize,
}

fn attempts(state: &Study) -> Markup {
    let mut all = BTreeMap::<&str, Attempts>::new();
    for record in state.evaluations.iter().filter(|record| record.asked.purpose == Purpose::Submission) {
        let own = all.entry(&record.asked.by).or_default();
        own.submitted += 1;
        own.failed += usize::from(record.status == Status::Failed);
        own.told += usize::from(record.answer.is_some());
        own.bundles.insert(&record.asked.bundle);
    }
    let cheating = state.cheating();
    let team: Vec<&Participant> = state.participants.values().filter(|p| p.role == Role::Researcher).collect();
    html! {
        h2 { "Attempts" }
        @if team.is_empty() { p.empty { "Nobody takes part yet." } } @else {
            p.note { "Every attempt is charged, those that fail too. Submitting one bundle again is a second draw of the same lot: seeds are the server's, so it gives the same answer." }
            div.scroll tabindex="0" role="region" aria-label="attempts" { table {
                thead { tr { th { "researcher" } th.n { "submissions" } th.n { "of them failed" } th.n { "bundles" } th.n { "submitted again" } th.n { "answers told" } th.n { "not ranked" } th.n { "decoys touched" } } }
                tbody { @for researcher in team { (line(&researcher.name, all.get(researcher.name.as_str()), cheating.get(researcher.name.as_str()))) } }
            } }
        }
    }
}

fn line(name: &str, own: Option<&Attempts>, cheating: Option<&Cheating>) -> Markup {
    let nothing = Attempts::default();
    let own = own.unwrap_or(&nothing);
    let Cheating { decoys, marked } = cheating.copied().unwrap_or_default();
    let shown = |what: &str, count: usize| html! { td.n { (of(format_args!("researcher/{name}/{what}"), count)) } };
    html! { tr {
        td { a data-told href={ "/evaluations?by=" (encoded(name)) } { (name) } }
        (shown("submitted", own.submitted)) (shown("submissions_failed", own.failed)) (shown("bundles", own.bundles.len()))
        (shown("again", own.submitted - own.bundles.len())) (shown("told", own.told))
        (shown("marked", marked)) (shown("touches", decoys))
    } }
}

fn failures(state: &Study) -> Markup {
    let mut reasons = BTreeMap::<&str, Vec<&EvaluationRecord>>::new();
    for record in &state.evaluations {
        if let Some((reason, _)) = &record.failure {
            reasons.entry(reason).or_default().push(record);
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, records)| std::cmp::Reverse(records.len()));
    html! {
        h2 { "What failed" }
        @if reasons.is_empty() { p.empty { "No evaluation has failed." } } @else {
            div.scroll { table {
                thead { tr { th { "reason" } th.n { "evaluations" } th { "which" } } }
                tbody { @for (reason, records) in reasons.iter().take(REASONS) { tr {
                    td data-told { (reason) }
                    td.n data-from={ "log/failed/" (records[0].id) } { (records.len()) }
                    td { @for record in records.iter().take(NAMED) { (evidence(record.id)) " " } @if records.len() > NAMED { "… " a href="/evaluations?status=failed" { "all" } } }
                } } }
            } }
        }
    }
}

fn circumstances(state: &Study) -> Markup {
    let isolation = state.notes.iter().rfind(|note| note.kind == "isolation");
    let stops = state.notes.iter().filter(|note| note.kind == "run" && note.body["stopped"] == true).count();
    html! {
        h2 { "Circumstances" }
        ul {
            li { "Isolation of researchers and bundles: " strong { (isolation.and_then(|note| note.body["isolation"].as_str()).unwrap_or("not on record")) } "; " code { "aar doctor" } " says what this machine can." }
            li { "Stopped and gone on with: " (of("log/stops", stops)) " times." }
            @if let Some(opening) = &state.opening {
                li { "Plan, rule and analysis were fixed at the start: " code { (opening.plan.get(..16).unwrap_or(&opening.plan)) } "; the key that drew all seeds was committed to: " code { (opening.key_commitment.get(..16).unwrap_or(&opening.key_commitment)) } "." }
            }
        }
    }
}
