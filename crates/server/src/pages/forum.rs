//! The forum: typed findings with the evaluation behind them, comments, search.

use super::claims::{Backing, mentions};
use super::layout::{Frame, encoded, evidence, live, page as framed, pager, time};
use super::markdown::render_claims;
use super::origin::{of, told};
use super::search::Index;
use super::{Pages, Visitor};
use crate::record::FindingRecord;
use aar_api::forum::FindingType;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

/// Findings at a time.
const SHOWN: usize = 40;
/// Characters of a body in the list.
const EXCERPT: usize = 280;

/// What to show.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    kind: String,
    by: String,
    sort: String,
    page: usize,
}

impl Wanted {
    fn query(&self) -> String {
        let pairs = [("q", &self.q), ("kind", &self.kind), ("by", &self.by), ("sort", &self.sort)];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(key, value)| format!("{key}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }

    fn find<'a>(&self, all: &'a [FindingRecord], index: &Index) -> Vec<&'a FindingRecord> {
        let wants = |record: &FindingRecord| {
            (self.kind.is_empty() || self.kind == kind(record.posted.kind))
                && (self.by.is_empty() || self.by == record.posted.by)
        };
        let held = index.holds(all, &self.q);
        let found = all.iter().zip(held).rev().filter(|(record, held)| *held && wants(record));
        let mut found: Vec<&FindingRecord> = found.map(|(record, _)| record).collect();
        match self.sort.as_str() {
            "top" => found.sort_by_key(|record| std::cmp::Reverse(record.score())),
            "discussed" => found.sort_by_key(|record| std::cmp::Reverse(record.comments.len())),
            _ => {}
        }
        found
    }
}

/// As it is written.
pub fn kind(kind: FindingType) -> &'static str {
    match kind {
        FindingType::Hypothesis => "hypothesis",
        FindingType::Result => "result",
        FindingType::Insight => "insight",
        FindingType::Error => "error",
    }
}

/// The list.
pub async fn page(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let inner = pages.shared.inner.lock().await;
    let found = wanted.find(&inner.state.findings, &pages.index);
    let parts = found.len().div_ceil(SHOWN).max(1);
    let at = wanted.page.clamp(1, parts);
    let shown = &found[(at - 1) * SHOWN..(at * SHOWN).min(found.len())];
    let body = html! {
        (filter(&wanted))
        (live("findings", &html! {
            p.note { (of(format_args!("log/findings?{}", wanted.query()), found.len())) " of " (of("log/findings", inner.state.findings.len())) " findings · " a href="/data/findings.csv" download { "CSV" } }
            @if found.is_empty() {
                p.empty { @if inner.state.findings.is_empty() { "Nothing is posted yet; researchers post what they try and learn, mostly after their first evaluation." } @else { "Nothing fits. " a href="/forum" { "Show all" } ", or search for fewer words." } }
            }
            @for finding in shown { (post(finding, None)) }
            (pager("/forum", &wanted.query(), at, parts))
        }))
    };
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Forum", "/forum").await, &body)
}

fn filter(wanted: &Wanted) -> Markup {
    let option = |value: &str, text: &str, now: &str| html! { option value=(value) selected[value == now] { (text) } };
    html! {
        form.filter method="get" action="/forum" role="search" {
            label { "search" input type="search" name="q" value=(wanted.q) placeholder="all of these words"; }
            label { "type" select name="kind" { (option("", "all", &wanted.kind)) @for name in ["hypothesis", "result", "insight", "error"] { (option(name, name, &wanted.kind)) } } }
            label { "by" input name="by" value=(wanted.by) size="10"; }
            label { "sort" select name="sort" { (option("", "newest", &wanted.sort)) (option("top", "most votes", &wanted.sort)) (option("discussed", "most discussed", &wanted.sort)) } }
            button { "Show" }
        }
    }
}

fn voters(finding: &FindingRecord) -> usize {
    finding.votes.values().filter(|(value, _)| *value != 0).count()
}

/// A post: whole with what backs its numbers, or its beginning.
fn post(finding: &FindingRecord, backing: Option<&Backing>) -> Markup {
    let posted = &finding.posted;
    let excerpt: String = posted.body.chars().take(EXCERPT).collect();
    html! {
        article.post id={ "f" (finding.id) } {
            p.note {
                span.tag { (kind(posted.kind)) } " " (told(&posted.by)) @if let Some(turn) = posted.turn { ", turn " (of(format_args!("finding/{}/turn", finding.id), turn)) } " · " (time(finding.at_ms)) " · "
                @match posted.evaluation { Some(id) => { "backed by " (evidence(id)) } None => { span.tag { "claimed: no evaluation behind it" } } }
                @if !finding.votes.is_empty() { " · " (of(format_args!("finding/{}/votes", finding.id), format!("{:+}", finding.score()))) @let voters = voters(finding); " from " (of(format_args!("finding/{}/voters", finding.id), voters)) (if voters == 1 { " vote" } else { " votes" }) }
                @if !finding.comments.is_empty() { " · " (of(format_args!("finding/{}/comments", finding.id), finding.comments.len())) @if finding.comments.len() == 1 { " comment" } @else { " comments" } }
            }
            @if let Some(backing) = backing { div data-told { (render_claims(&posted.body, backing)) } } @else {
                h3 { a data-told href={ "/forum/" (finding.id) } { (posted.title) } }
                p data-told { (excerpt) @if excerpt.len() < posted.body.len() { "…" } }
            }
        }
    }
}

/// One finding with its comments.
pub async fn one(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>, Path(id): Path<i64>) -> Response {
    let backing = backing(&pages, id).await;
    let inner = pages.shared.inner.lock().await;
    let found = inner.state.findings.iter().find(|finding| finding.id == id);
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let body = match found {
        None => html! { p.empty { "There is no finding " (id) ". " a href="/forum" { "All findings" } } },
        Some(finding) => live(
            "finding",
            &html! {
                h2 data-told { (finding.posted.title) }
                (post(finding, Some(&backing)))
                @if mentions(&finding.posted.body) || finding.comments.iter().any(|(_, comment)| mentions(&comment.body)) { p.note { "A number that leads somewhere is what the evaluation there gave; a dotted one is claimed, with no evaluation behind it." } }
                @for (_, comment) in &finding.comments {
                    div.comment { p.note { (told(&comment.by)) " · " (time(comment.at_ms)) } div data-told { (render_claims(&comment.body, &Backing::default())) } }
                }
                p { a href="/forum" { "All findings" } }
            },
        ),
    };
    drop(inner);
    (status, framed(&Frame::of(&pages, visitor, "Forum", "/forum").await, &body)).into_response()
}

/// What the evaluation behind a finding gave.
async fn backing(pages: &Pages, finding: i64) -> Backing {
    let (evaluation, answer) = {
        let inner = pages.shared.inner.lock().await;
        let found = inner.state.findings.iter().find(|record| record.id == finding);
        let evaluation = found.and_then(|found| found.posted.evaluation);
        let record = |id: i64| inner.state.evaluations.get(usize::try_from(id - 1).ok()?);
        (evaluation, evaluation.and_then(|id| record(id)?.answer))
    };
    let Some(id) = evaluation else { return Backing::default() };
    let mut values: Vec<f64> = answer.into_iter().collect();
    if let Some(score) = pages.scores.of(id).await {
        values.extend(score.pgr.iter().flat_map(|pgr| [pgr.value, pgr.low, pgr.high]));
        values.extend([Some(score.accuracy), score.accuracy_in, score.accuracy_out].into_iter().flatten());
        values.extend(&score.by_seed);
    }
    Backing { evaluation, values }
}
