//! The researchers: what each is at and was at, where it started, what it found.

use super::layout::{Frame, amount, live, page as framed, time};
use super::origin::of;
use super::timeline::{self, Lanes};
use super::{Pages, Visitor, steer};
use crate::event::{Participant, Purpose, Role};
use crate::record::{EvaluationRecord, Status};
use crate::spending::{Account, Spending};
use crate::state::State;
use axum::Extension;
use axum::extract::State as Part;
use axum::response::Html;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The page.
pub async fn page(Part(pages): Part<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let spending = pages.spending().await;
    let inner = pages.shared.inner.lock().await;
    let body = live("researchers", &all(&inner.state, spending.as_ref(), steer::possible(&inner.state, visitor)));
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Researchers", "/researchers").await, &body)
}

/// What one researcher did.
#[derive(Default)]
struct Work<'a> {
    evaluations: Vec<&'a EvaluationRecord>,
    submitted: usize,
    findings: usize,
}

fn works(state: &State) -> BTreeMap<&str, Work<'_>> {
    let mut works = BTreeMap::<&str, Work>::new();
    for record in &state.evaluations {
        let work = works.entry(&record.asked.by).or_default();
        work.submitted += usize::from(record.asked.purpose == Purpose::Submission);
        work.evaluations.push(record);
    }
    for finding in &state.findings {
        works.entry(&finding.posted.by).or_default().findings += 1;
    }
    works
}

fn all(state: &State, spending: Option<&Spending>, steered: bool) -> Markup {
    let team: Vec<&Participant> =
        state.participants.values().filter(|participant| participant.role == Role::Researcher).collect();
    let (from, to) = state.course.window();
    let (lanes, mut works) = (Lanes::at(state), works(state));
    html! {
        @if team.is_empty() { p.empty { "Nobody takes part yet: researchers stand in the study file under " code { "[[researchers]]" } "." } }
        @else {
            div.note { (timeline::key()) }
            div.scroll tabindex="0" role="region" aria-label="researchers" { table {
                thead { tr { th { "name" } th { "state" } th { "timeline" } th.n { "evaluations" } th.n { "failed" } th.n { "findings" } @if spending.is_some() { th.n { "spent" } } th { "kind" } th { "started from" } } }
                tbody { @for researcher in &team {
                    @let account = spending.map(|spending| spending.callers.get(&researcher.name));
                    (line(state, researcher, &works.remove(researcher.name.as_str()).unwrap_or_default(), &lanes, account, steered))
                 } }
            } }
            p.note {
                "From " (time(from)) " to " (time(to)) "; what lies between runs of the study is left out. Who works in turns trains when its evaluation does; what others are at is seen from outside. "
                a href="/figures/timeline.svg" download { "SVG" } " · " a href="/data/timeline.csv" download { "CSV" }
            }
            h2 { "How their time went" }
            (lanes.table())
        }
    }
}

/// What a researcher's language model cost.
fn spent(name: &str, account: Option<&Account>) -> Markup {
    let shown = |what: &str, shown: String| of(format_args!("spending/{name}/{what}"), shown);
    html! {
        @if let Some(account) = account {
            "US$ " (shown("usd", format!("{:.2}", account.usd())))
            br; span.note { (shown("tokens", amount(account.usage.total()))) " tokens" }
        } @else { "–" }
    }
}

fn line(
    state: &State,
    researcher: &Participant,
    work: &Work,
    lanes: &Lanes,
    account: Option<Option<&Account>>,
    steered: bool,
) -> Markup {
    let name = super::layout::encoded(&researcher.name);
    let failed = work.evaluations.iter().filter(|record| record.status == Status::Failed).count();
    let kind = researcher.kind.and_then(|kind| serde_json::to_value(kind).ok());
    let shown = |what: &str, shown: String| of(format_args!("researcher/{}/{what}", researcher.name), shown);
    html! {
        tr {
            td.who { strong { a data-told href={ "/researchers/" (name) } { (researcher.name) } } }
            td { (doing(state, researcher, &work.evaluations)) @if steered { (steer::buttons(state, &researcher.name)) } }
            td.fig.time { (lanes.short(&researcher.name)) }
            td.n { a href={ "/evaluations?by=" (name) } { (shown("evaluations", format!("{} of {}", work.submitted, researcher.evaluations))) } }
            td.n { (shown("failed", failed.to_string())) }
            td.n { a href={ "/forum?by=" (name) } { (shown("findings", work.findings.to_string())) } }
            @if let Some(account) = account { td.n { (spent(&researcher.name, account)) } }
            td { (kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("human")) }
            td.words data-told { (researcher.direction.as_deref().unwrap_or("–")) }
        }
    }
}

/// What it is at.
pub fn doing(state: &State, researcher: &Participant, own: &[&EvaluationRecord]) -> &'static str {
    if state.retired.contains(&researcher.name) {
        if state.stopped.contains(&researcher.name) { "ended by the operator" } else { "finished" }
    } else if state.paused.contains(&researcher.name) {
        "paused by the operator"
    } else if own.iter().any(|record| record.status == Status::Running) {
        "being evaluated"
    } else if own.iter().any(|record| record.status == Status::Queued) {
        "waiting for a worker"
    } else {
        match state.phase {
            crate::event::Phase::Baselines => "not started",
            crate::event::Phase::Running => "thinking",
            _ => "over",
        }
    }
}
