//! Evaluations: queue, history, and everything about one of them.

use super::layout::{Frame, encoded, evidence, live, page as framed, pager, status, time, with_interval};
use super::origin::{evaluation, of, told};
use super::{Pages, Visitor};
use crate::card;
use crate::record::{EvaluationRecord, JobRecord};
use crate::state::State as Study;
use aar_api::bundle::Bundle;
use aar_domain::item::Distribution;
use aar_grader::Score;
use aar_grader::vault::Subset;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

/// Rows at a time.
const SHOWN: usize = 100;

/// Characters of a bundle that are shown, and of each file at least.
const READ: usize = 60_000;
const LEAST: usize = 500;

/// What to show.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    by: String,
    status: String,
    page: usize,
}

impl Wanted {
    fn query(&self) -> String {
        let set = [("by", &self.by), ("status", &self.status)].into_iter().filter(|(_, value)| !value.is_empty());
        set.map(|(key, value)| format!("{key}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }
}

/// The list, newest first, with what is under way on top.
pub async fn page(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let board = pages.scores.board().await;
    let scored: std::collections::BTreeMap<i64, &Score> =
        board.rows.iter().map(|row| (row.record.id, &*row.score)).collect();
    let inner = pages.shared.inner.lock().await;
    let wants = |record: &&EvaluationRecord| {
        (wanted.by.is_empty() || wanted.by == record.asked.by)
            && (wanted.status.is_empty() || wanted.status == record.status.name())
    };
    let mut found: Vec<&EvaluationRecord> = inner.state.evaluations.iter().rev().filter(wants).collect();
    found.sort_by_key(|record| record.ended());
    let parts = found.len().div_ceil(SHOWN).max(1);
    let at = wanted.page.clamp(1, parts);
    let shown = &found[(at - 1) * SHOWN..(at * SHOWN).min(found.len())];
    let row = |record: &EvaluationRecord| {
        html! { tr {
            td { (evidence(record.id)) } td { (told(&record.asked.name)) } td { (told(&record.asked.by)) } td { (record.asked.split.name()) } td { (status(record)) }
            td.n { @if let Some(score) = scored.get(&record.id) { (evaluation(record.id, "pgr", with_interval(score.pgr))) } @else { "–" } }
            td { @if let Some((reason, _)) = &record.failure { (told(reason)) } @else if let Some(ended) = record.ended_ms { (time(ended)) } }
        } }
    };
    let body = html! {
        (filter(&wanted))
        (live("evaluations", &html! {
            @if shown.is_empty() { p.empty { @if inner.state.evaluations.is_empty() { "None yet; the baselines come first." } @else { "None fits. " a href="/evaluations" { "Show all" } } } }
            @else {
                div.scroll tabindex="0" role="region" aria-label="evaluations" { table {
                    thead { tr { th { "evaluation" } th { "method" } th { "by" } th { "split" } th { "status" } th.n { "PGR [95 %]" } th { "ended, or why it failed" } } }
                    tbody { @for record in shown { (row(record)) } }
                } }
                (pager("/evaluations", &wanted.query(), at, parts))
                p.note { (of(format_args!("log/evaluations?{}", wanted.query()), found.len())) " evaluations · " a href="/data/evaluations.csv" download { "CSV" } }
            }
        }))
    };
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Evaluations", "/evaluations").await, &body)
}

fn filter(wanted: &Wanted) -> Markup {
    html! {
        form.filter method="get" action="/evaluations" {
            label { "status" select name="status" { @for name in ["", "queued", "running", "done", "failed"] { option value=(name) selected[name == wanted.status] { (if name.is_empty() { "all" } else { name }) } } } }
            label { "by" input name="by" value=(wanted.by) size="10"; }
            button { "Show" }
        }
    }
}

/// One evaluation.
pub async fn one(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>, Path(id): Path<i64>) -> Response {
    let score = pages.scores.of(id).await;
    let inner = pages.shared.inner.lock().await;
    let found = inner.state.evaluations.iter().find(|record| record.id == id);
    let code = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let body = match found {
        None => html! { p.empty { "There is no evaluation " (id) ". " a href="/evaluations" { "All evaluations" } } },
        Some(record) => {
            let subsets = inner.state.subsets(record.id);
            live("evaluation", &about(&inner.state, record, score.as_deref(), &subsets))
        }
    };
    drop(inner);
    (code, framed(&Frame::of(&pages, visitor, "Evaluations", "/evaluations").await, &body)).into_response()
}

fn about(state: &Study, record: &EvaluationRecord, score: Option<&Score>, subsets: &[Subset]) -> Markup {
    let asked = &record.asked;
    let bundle = state.bundles.get(&asked.bundle).map(|(bundle, _)| bundle);
    let parent =
        asked.parent.as_ref().and_then(|parent| state.evaluations.iter().find(|other| other.asked.bundle == *parent));
    let before = parent.and_then(|parent| state.bundles.get(&parent.asked.bundle)).map(|(bundle, _)| bundle);
    let same = state.evaluations.iter().filter(|other| other.asked.bundle == asked.bundle && other.id != record.id);
    let named: Vec<_> = state.findings.iter().filter(|finding| finding.posted.evaluation == Some(record.id)).collect();
    html! {
        h2 { (evidence(record.id)) " " (told(&asked.name)) " " (status(record)) }
        p { "by " (told(&asked.by)) ", family " (told(&asked.family)) ", on the " (asked.split.name()) " split · asked for " (time(record.at_ms)) @if let Some(ended) = record.ended_ms { ", ended " (time(ended)) } }
        p.note {
            "bundle " code { (asked.bundle.get(..12).unwrap_or(&asked.bundle)) }
            @if let Some(parent) = parent { " · built on " (told(&parent.asked.name)) " " (evidence(parent.id)) }
            @for other in same.take(SHOWN) { " · also evaluated as " (evidence(other.id)) }
            " · " a href={ "/lineage?of=" (record.id) } { "lineage" }
        }
        @if let Some((reason, tail)) = &record.failure { h3 { "Why it failed" } p.warn data-told { (reason) } @if !tail.is_empty() { pre { (tail) } } }
        @if let Some(score) = score {
            dl.facts {
                div { dt { "PGR [95 %]" } dd { (evaluation(record.id, "pgr", with_interval(score.pgr))) } }
                div { dt { "accuracy" } dd { (evaluation(record.id, "accuracy", format!("{:.3}", score.accuracy))) } }
                @if let Some(answer) = record.answer { div { dt { "what its author was told" } dd { (evaluation(record.id, "answer", format!("{answer:.2}"))) } } }
            }
        }
        @if !subsets.is_empty() { (parts(record.id, subsets)) }
        (super::verdicts::of_bundle(state, record))
        (seeds(state, record, score))
        (super::verdicts::signal(state, record))
        @if let Some(card) = bundle.and_then(|bundle| bundle.text(card::FILE)) {
            h3 { "Card" @if let Some(hash) = &asked.card { ", frozen with the submission as " code { (hash.get(..12).unwrap_or(hash)) } } }
            (super::markdown::render(&card))
            @if let Some(uses) = bundle.and_then(card::uses) { p.note { "Its recipe uses: " (if uses.is_empty() { "none of what cards are checked for".to_owned() } else { uses.join(", ") }) "." } }
        }
        @if let Some(bundle) = bundle { (files(record.id, bundle, before)) }
        h3 { "Findings that name it" }
        @if named.is_empty() { p.note { "None." } }
        ul { @for finding in named.iter().take(SHOWN) { li { a data-told href={ "/forum/" (finding.id) } { (finding.posted.title) } " by " (told(&finding.posted.by)) } } }
    }
}

/// What was handed in, file by file, with what was changed of what it was built on.
fn files(id: i64, bundle: &Bundle, before: Option<&Bundle>) -> Markup {
    let most = (READ / bundle.files.len().max(1)).max(LEAST);
    let shown = |path: &str| {
        let text = bundle.text(path)?;
        let cut = if text.chars().count() > most { "\n… (the API gives all of it)" } else { "" };
        Some(text.chars().take(most).collect::<String>() + cut)
    };
    html! {
        h3 #bundle { "Bundle, " (evaluation(id, "files", bundle.files.len())) " files" @if before.is_some() { ", with what was changed of what it was built on" } }
        @for file in &bundle.files {
            details id={ "file-" (file.path) } open[["recipe.toml", "train"].contains(&file.path.as_str())] {
                summary { code data-told { (file.path) } @if file.executable { " (executable)" } }
                @match (shown(&file.path), before.and_then(|before| before.text(&file.path))) {
                    (None, _) => p.note { "It is no text." },
                    (Some(text), Some(before)) if text.len() < most => pre.diff tabindex="0" { (super::diff::render(&before, &text)) },
                    (Some(text), _) => pre tabindex="0" { (text) },
                }
            }
        }
    }
}

/// Accuracy on the parts of the split, beside the two ends of the scale there.
fn parts(id: i64, subsets: &[Subset]) -> Markup {
    html! {
        h3 { "Parts of the split" }
        div.scroll { table.short {
            thead { tr { th { "items" } th.n { "how many" } th.n { "weak teacher" } th.n { "this method" } th.n { "lowest and highest seed" } th.n { "ceiling" } } }
            tbody { @for subset in subsets {
                @let (name, text) = match subset.distribution { Distribution::In => ("in", "in distribution"), Distribution::Out => ("out", "out of distribution") };
                @let shown = |what: &str, value: f64| evaluation(id, &format!("{name}/{what}"), format!("{value:.3}"));
                @let ends = subset.by_seed.iter().fold((1.0f64, 0.0f64), |(low, high), seed| (low.min(*seed), high.max(*seed)));
                tr {
                    td { (text) } td.n { (evaluation(id, &format!("{name}/items"), subset.items)) } td.n { (shown("weak", subset.weak)) }
                    td.n { strong { (shown("accuracy", subset.accuracy())) } } td.n { (shown("by_seed", ends.0)) " – " (shown("by_seed", ends.1)) } td.n { (shown("ceiling", subset.ceiling)) }
                }
            } }
        } }
    }
}

fn seeds(state: &Study, record: &EvaluationRecord, score: Option<&Score>) -> Markup {
    let jobs: Vec<&JobRecord> = record.jobs.iter().filter_map(|&job| state.jobs.get(job as usize - 1)).collect();
    html! {
        h3 { "Seeds" }
        div.scroll { table {
            thead { tr { th { "seed" } th.n { "teacher" } th { "status" } th.n { "accuracy" } th.n { "PGR" } th.n { "training, CPU-s" } th { "loss over steps" } th.n { "last loss" } } }
            tbody { @for (at, job) in jobs.iter().enumerate() { (seed(at, job, score)) } }
        } }
        @if let Some(figure) = super::curves::figure(&jobs) {
            h3 { "Training loss" }
            figure {
                div.wide tabindex="0" role="region" aria-label="figure" { (figure) }
                figcaption {
                    "A line per seed, as the bundle's own training wrote it down. "
                    a href={ "/figures/loss-" (record.id) ".svg" } download { "SVG" } " · " a href={ "/data/loss-" (record.id) ".csv" } download { "CSV" }
                }
            }
        }
    }
}

fn seed(at: usize, job: &JobRecord, score: Option<&Score>) -> Markup {
    let shown = |what: &str, shown: String| of(format_args!("seed/{}/{what}", job.id), shown);
    html! { tr {
        td { code { (job.seed.seed) } } td.n { (shown("teacher", job.seed.teacher.to_string())) } td { (job.status.name()) }
        td.n { (shown("accuracy", value(score.and_then(|score| score.replicated.by_seed.get(at))))) }
        td.n { (shown("pgr", value(score.and_then(|score| score.by_seed.get(at))))) }
        td.n { (shown("train_cpu_s", format!("{:.1}", job.usage.train_cpu_ms as f64 / 1000.0))) }
        td.fig { (curve(&job.curve)) } td.n { (shown("loss", job.curve.last().map_or("–".into(), |(_, loss)| format!("{loss:.3}")))) }
    } }
}

fn value(value: Option<&f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

fn curve(points: &[(u32, f32)]) -> Markup {
    let steps = points.last().map_or(1, |(step, _)| (*step).max(1)) as f32;
    let finite = || points.iter().filter(|(_, loss)| loss.is_finite());
    let (low, high) = finite().fold((f32::MAX, f32::MIN), |(low, high), (_, loss)| (low.min(*loss), high.max(*loss)));
    let place = |(step, loss): &(u32, f32)| {
        format!("{:.1},{:.1}", 2.0 + 226.0 * *step as f32 / steps, 20.0 - 18.0 * (loss - low) / (high - low).max(1e-6))
    };
    html! {
        @if points.len() > 1 {
            svg width="230" height="22" viewBox="0 0 230 22" role="img" aria-label="training loss" {
                polyline points=(finite().map(place).collect::<Vec<_>>().join(" ")) fill="none" stroke="var(--accent)" stroke-width="1.5" {}
            }
        } @else { "–" }
    }
}
