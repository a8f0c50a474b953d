//! One researcher: what it is at, what it spent, its notebook, and the way to its transcript.

use super::layout::{Frame, amount, encoded, evidence, live, page as framed, status, time, with_interval};
use super::origin::{evaluation, of, told};
use super::researchers::doing;
use super::timeline::{self, Lanes};
use super::{Pages, Visitor};
use crate::event::{Participant, Phase, Role};
use crate::spending::Account;
use crate::state::State as Study;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use std::io::Read;
use std::path::PathBuf;

/// What a language model's process writes of its state: an allegation, like all in its workspace.
#[derive(serde::Deserialize)]
struct Says {
    state: String,
    #[serde(default)]
    what: String,
    since_ms: i64,
    seen_ms: i64,
}

/// Findings and evaluations listed.
const LISTED: usize = 10;
/// Bytes of a notebook that are shown.
const NOTEBOOK: u64 = 100_000;

/// Why somebody does not get to see a researcher's own things.
pub enum Refused {
    /// There is no such researcher.
    Unknown(Html<String>),
    /// Not while the study runs.
    NotYet(Html<String>),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Refused::Unknown(page) => (StatusCode::NOT_FOUND, page).into_response(),
            Refused::NotYet(page) => (StatusCode::FORBIDDEN, page).into_response(),
        }
    }
}

/// Whether what a researcher keeps to itself may be shown: to the operator always, to a viewer when the study is over.
fn open(state: &Study, visitor: Visitor) -> bool {
    visitor == Visitor::Operator || state.phase == Phase::Closed
}

/// Make sure that there is such a researcher, and that its own things may be shown.
pub async fn desk(pages: &Pages, visitor: Visitor, name: &str) -> Result<(), Refused> {
    let (known, allowed) = {
        let inner = pages.shared.inner.lock().await;
        (researcher(&inner.state, name).is_some(), open(&inner.state, visitor))
    };
    let frame = Frame::of(pages, visitor, "Researchers", "/researchers").await;
    match (known, allowed) {
        (true, true) => Ok(()),
        (false, _) => Err(Refused::Unknown(framed(
            &frame,
            &html! { p.empty { "There is no such researcher. " a href="/researchers" { "All researchers" } } },
        ))),
        (true, false) => Err(Refused::NotYet(framed(&frame, &not_yet()))),
    }
}

fn not_yet() -> Markup {
    html! { p.empty { "Notebook and transcript are the operator's to read while the study runs; a viewer may when it is over." } }
}

fn researcher<'a>(state: &'a Study, name: &str) -> Option<&'a Participant> {
    state.participants.get(name).filter(|participant| participant.role == Role::Researcher)
}

/// The page.
pub async fn page(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Response {
    let board = pages.scores.board().await;
    let spending = pages.spending().await;
    let inner = pages.shared.inner.lock().await;
    let state = &inner.state;
    let Some(known) = researcher(state, &name) else {
        drop(inner);
        return match desk(&pages, visitor, &name).await {
            Err(refused) => refused.into_response(),
            Ok(()) => StatusCode::NOT_FOUND.into_response(),
        };
    };
    let account = spending.and_then(|spending| spending.callers.get(&name).copied());
    let allowed = open(state, visitor);
    let head = html! {
        p { a href="/researchers" { "← all researchers" } }
        h2 { (told(&name)) }
        (facts(state, known, account))
        @if allowed {
            p { @if pages.transcripts.has(&name) { a href={ "/researchers/" (encoded(&name)) "/transcript" } { "What it and its language model said" } " · " } a href="#notebook" { "its notebook" } }
        }
        (course(state, &name))
        h3 { "Evaluations" }
        (evaluations(state, &board, &name))
        h3 { "Findings" }
        (findings(state, &name))
    };
    drop(inner);
    let own = if allowed { notebook(&pages, &name).await } else { not_yet() };
    let body = html! { (live("researcher", &head)) (live("notebook", &own)) };
    framed(&Frame::of(&pages, visitor, "Researcher", "/researchers").await, &body).into_response()
}

/// What it was at, and what went wrong with its process.
fn course(state: &Study, name: &str) -> Markup {
    let lanes = Lanes::at(state);
    let troubles: Vec<_> = state.course.troubles(name).collect();
    html! {
        h3 { "Timeline" }
        figure {
            div.wide tabindex="0" role="region" aria-label="figure" { (lanes.long(name)) }
            figcaption { (timeline::key()) " In all: " (lanes.words(name)) ". " a href="/figures/timeline.svg" download { "everybody's as SVG" } " · " a href="/data/timeline.csv" download { "CSV" } }
        }
        @if !troubles.is_empty() {
            p.note { "What went wrong with its process, as the study's watchdog saw it:" }
            ul { @for sight in troubles.iter().rev().take(LISTED) { li { span.warn { (sight.doing.name()) } " since " (time(sight.since_ms)) @if !sight.why.is_empty() { ": " (told(&sight.why)) } } } }
        }
    }
}

fn facts(state: &Study, known: &Participant, account: Option<Account>) -> Markup {
    let name = &known.name;
    let own: Vec<_> = state.evaluations.iter().filter(|record| record.asked.by == *name).collect();
    html! {
        p.note { "started from: " span data-told { (known.direction.as_deref().unwrap_or("wherever it liked")) } }
        dl.facts {
            div { dt { "now" } dd { (doing(state, known, &own)) } }
            div { dt { "evaluations" } dd { (of(format_args!("researcher/{name}/evaluations"), format!("{} of {}", state.used(name), known.evaluations))) } }
            @if let Some(account) = account { (spent(&format!("spending/{name}"), &account)) }
        }
    }
}

/// What was spent, as facts; `from` names the account.
pub fn spent(from: &str, account: &Account) -> Markup {
    let used = account.usage.input + account.usage.cache_read + account.usage.cache_write;
    html! {
        div { dt { "language models" } dd data-from={ (from) "/usd" } {
            "US$ " (format!("{:.2}", account.usd())) @if let Some(limit) = account.limits.usd { " of " (format!("{limit:.2}")) }
            @if account.open_nano > 0 { small { " + " (format!("{:.2}", account.open_nano as f64 / 1e9)) " held back" } }
            @if let Some(limit) = account.limits.usd { meter min="0" max=(limit.max(1e-9)) value=(account.usd()) aria-label="dollars" {} }
        } }
        div { dt { "tokens read, written" } dd {
            (of(format_args!("{from}/read"), amount(used))) ", " (of(format_args!("{from}/written"), amount(account.usage.output)))
            @if let Some(limit) = account.limits.tokens { small { " of " (of(format_args!("{from}/token_limit"), amount(limit))) } }
        } }
        div { dt { "calls" } dd { (of(format_args!("{from}/calls"), account.calls)) @if account.failures > 0 { small { ", " (of(format_args!("{from}/failures"), account.failures)) " without a whole answer" } } } }
    }
}

fn evaluations(state: &Study, board: &crate::board::Board, name: &str) -> Markup {
    let own = state.evaluations.iter().rev().filter(|record| record.asked.by == name);
    let own: Vec<_> = own.take(LISTED).collect();
    html! {
        @if own.is_empty() { p.empty { "It has submitted nothing yet." } } @else {
            div.scroll tabindex="0" role="region" aria-label="its evaluations" { table {
                thead { tr { th { "evaluation" } th { "method" } th { "status" } th.n { "PGR [95 %]" } th { "asked for" } } }
                tbody { @for record in &own { tr {
                    td { (evidence(record.id)) } td { (told(&record.asked.name)) } td { (status(record)) }
                    td.n { @match board.row(record.id) { Some(row) => (evaluation(record.id, "pgr", with_interval(row.score.pgr))), None => "–" } }
                    td { (time(record.at_ms)) }
                } } }
            } }
            p { a href={ "/evaluations?by=" (encoded(name)) } { "All of them" } " · " a href={ "/leaderboard?by=" (encoded(name)) } { "on the leaderboard" } }
        }
    }
}

fn findings(state: &Study, name: &str) -> Markup {
    let own: Vec<_> = state.findings.iter().rev().filter(|finding| finding.posted.by == name).take(LISTED).collect();
    html! {
        @if own.is_empty() { p.empty { "It has posted nothing yet." } } @else {
            ul { @for finding in &own { li { a data-told href={ "/forum/" (finding.id) } { (finding.posted.title) } span.note { " " (super::forum::kind(finding.posted.kind)) } } } }
            p { a href={ "/forum?by=" (encoded(name)) } { "All of them" } }
        }
    }
}

async fn notebook(pages: &Pages, name: &str) -> Markup {
    let work = pages.folder.join("researchers").join(name);
    let read = tokio::task::spawn_blocking(move || {
        let says = read(work.join(".aar/state.json")).and_then(|text| serde_json::from_str::<Says>(&text).ok());
        (says, read(work.join("notebook.md")))
    });
    let (says, text) = read.await.unwrap_or_default();
    html! {
        @if let Some(says) = &says {
            p { "It says of itself: " strong data-told { (says.state) @if !says.what.is_empty() { " (" (says.what) ")" } } ", since " (time(says.since_ms)) "; last sign of life " (time(says.seen_ms)) "." }
        }
        h3 { "Notebook" }
        @match text {
            Some(text) => div.notebook data-told { (super::markdown::render(&text)) },
            None => p.empty { "It keeps none. A language model's is the file " code { "notebook.md" } " in its workspace." },
        }
    }
}

/// The head of a file that a researcher wrote.
fn read(path: PathBuf) -> Option<String> {
    let mut bytes = vec![];
    crate::foreign::open(&path)?.take(NOTEBOOK).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned()).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_notebook_that_leads_elsewhere_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (secret, link, pipe) = (dir.path().join("key"), dir.path().join("notebook.md"), dir.path().join("pipe"));
        std::fs::write(&secret, "secret").unwrap();
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!((read(link), read(pipe), read(dir.path().to_owned())), (None, None, None));
        assert_eq!(read(secret).as_deref(), Some("secret"));
    }
}
