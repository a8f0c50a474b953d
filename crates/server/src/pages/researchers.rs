//! The researchers: when each submitted what, where it started, what it found.

use super::layout::{Frame, amount, live, page as framed, time};
use super::origin::of;
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
    let span = span(state);
    let mut works = works(state);
    html! {
        @if team.is_empty() { p.empty { "Nobody takes part yet: researchers stand in the study file under " code { "[[researchers]]" } "." } }
        @else {
            p.note { "A line's bars run from submission to result; a cross is a failure, a dashed bar still runs. From " (time(span.0)) " to " (time(span.1)) ". " a href="/figures/timeline.svg" download { "SVG" } " · " a href="/data/evaluations.csv" download { "CSV" } }
            div.scroll tabindex="0" role="region" aria-label="researchers" { table {
                thead { tr { th { "name" } th { "state" } th { "timeline" } th.n { "evaluations" } th.n { "failed" } th.n { "findings" } @if spending.is_some() { th.n { "spent" } } th { "kind" } th { "started from" } } }
                tbody { @for researcher in &team {
                    @let account = spending.map(|spending| spending.callers.get(&researcher.name));
                    (line(state, researcher, &works.remove(researcher.name.as_str()).unwrap_or_default(), span, account, steered))
                 } }
            } }
        }
    }
}

/// From the first submission to the last result.
fn span(state: &State) -> (i64, i64) {
    let moments = || state.evaluations.iter().flat_map(|record| [Some(record.at_ms), record.ended_ms]).flatten();
    (moments().min().unwrap_or(0), moments().max().unwrap_or(1))
}

/// One researcher's line alone.
pub fn timeline_of(state: &State, name: &str) -> Markup {
    let own: Vec<&EvaluationRecord> = state.evaluations.iter().filter(|record| record.asked.by == name).collect();
    html! { @if !own.is_empty() { (timeline(&own, span(state))) } }
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
    span: (i64, i64),
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
            td.fig { (timeline(&work.evaluations, span)) }
            td.n { a href={ "/evaluations?by=" (name) } { (shown("evaluations", format!("{} of {}", work.submitted, researcher.evaluations))) } }
            td.n { (shown("failed", failed.to_string())) }
            td.n { a href={ "/forum?by=" (name) } { (shown("findings", work.findings.to_string())) } }
            @if let Some(account) = account { td.n { (spent(&researcher.name, account)) } }
            td { (kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("person")) }
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

/// Everybody's line, for the download.
pub fn figure(state: &State) -> Markup {
    let works = works(state);
    let team: Vec<&str> =
        state.participants.values().filter(|p| p.role == Role::Researcher).map(|p| p.name.as_str()).collect();
    let height = team.len() * 26 + 10;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 400 " (height) } role="img" aria-label="evaluations over time" {
            @for (at, name) in team.iter().enumerate() {
                text x="4" y=(at * 26 + 20) { (name) }
                g transform={ "translate(160 " (at * 26 + 5) ")" } { (bars(works.get(name).map_or(&[][..], |work| &work.evaluations), span(state))) }
            }
        }
    }
}

fn timeline(own: &[&EvaluationRecord], span: (i64, i64)) -> Markup {
    html! { svg width="230" height="22" viewBox="0 0 230 22" role="img" aria-label={ (own.len()) " evaluations over time" } { (bars(own, span)) } }
}

fn bars(own: &[&EvaluationRecord], (from, to): (i64, i64)) -> Markup {
    let x = |at: i64| 2.0 + 226.0 * (at - from) as f64 / (to - from).max(1) as f64;
    let bars = |wanted: &dyn Fn(&EvaluationRecord) -> bool| {
        let chosen = own.iter().filter(|record| wanted(record));
        chosen
            .map(|record| {
                format!("M{:.0} 11H{:.0}", x(record.at_ms), x(record.ended_ms.unwrap_or(to)).max(x(record.at_ms) + 2.0))
            })
            .collect::<String>()
    };
    let crosses: String = own
        .iter()
        .filter(|record| record.status == Status::Failed)
        .map(|record| format!("M{:.0} 5l6 12m0 -12l-6 12", x(record.ended_ms.unwrap_or(to)) - 3.0))
        .collect();
    html! {
        line x1="2" x2="228" y1="11" y2="11" stroke="var(--line)" {}
        path d=(bars(&|record| record.status == Status::Done)) stroke="var(--accent)" stroke-width="8" stroke-opacity="0.7" {}
        path d=(bars(&|record| !record.ended())) stroke="var(--accent)" stroke-width="3" stroke-dasharray="3 2" {}
        path d=(crosses) stroke="var(--warn)" stroke-width="1.5" fill="none" {}
    }
}
