//! What a researcher and its language model said to each other, from the gateway's file: read by line number, so that a page of it
//! costs the same in a file of any length; searched; tools folded.

mod entry;
mod lines;

use super::layout::{Frame, amount, encoded, live, page as framed, time};
use super::origin::{of, told};
use super::researcher::desk;
use super::{Pages, Visitor};
use aar_llm::transcript::Outcome;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use entry::{Entry, From, Piece, What};
use lines::{Lines, Search};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines at a time.
const SHOWN: usize = 30;
/// Characters of a line that a page of them shows.
const SHORT: usize = 4_000;
/// Characters of a line that a page of its own shows.
const LONG: usize = 400_000;
/// Findings of a search at a time.
const HITS: usize = 25;
/// Candidates that are read for them.
const CANDIDATES: usize = 1_500;
/// Characters around what was found.
const AROUND: usize = 120;

/// The files of a study, each with what is known of it.
pub struct Transcripts {
    folder: PathBuf,
    known: Mutex<BTreeMap<String, Arc<Lines>>>,
}

impl Transcripts {
    /// In this folder, which need not be there.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder, known: Mutex::default() }
    }

    /// Of a researcher; the caller has made sure that it is one.
    fn lines(&self, name: &str) -> Arc<Lines> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(format!("{name}.jsonl"));
        known.entry(name.to_owned()).or_insert_with(|| Arc::new(Lines::of(path))).clone()
    }

    /// Whether there is one.
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(format!("{name}.jsonl")).is_file()
    }
}

/// What to show.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Words to look for.
    q: String,
    /// The first line, from 1; the newest ones where it is left out.
    at: usize,
}

/// Lines of a transcript, or those that hold what is looked for.
pub async fn page(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    if let Err(refused) = desk(&pages, visitor, &name).await {
        return refused.into_response();
    }
    let lines = pages.transcripts.lines(&name);
    let (of, asked) = (name.clone(), wanted.clone());
    // Files are read beside the server's own work.
    let read = tokio::task::spawn_blocking(move || match asked.q.trim() {
        "" => part(&lines, &of, asked.at),
        _ => found(&lines, &of, &asked),
    });
    let shown = read.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let body = html! {
        p { a href={ "/researchers/" (encoded(&name)) } { "← " (told(&name)) } }
        form.filter method="get" role="search" {
            label { "search" input type="search" name="q" value=(wanted.q) placeholder="all of these words"; }
            button { "Show" }
        }
        @match shown { Ok(shown) => (live("transcript", &shown)), Err(error) => (missing(&name, &error)) }
    };
    frame(&pages, visitor, &body).await.into_response()
}

/// One line, whole.
pub async fn one(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Path((name, line)): Path<(String, usize)>,
) -> Response {
    if let Err(refused) = desk(&pages, visitor, &name).await {
        return refused.into_response();
    }
    let lines = pages.transcripts.lines(&name);
    let read = tokio::task::spawn_blocking(move || {
        let count = lines.grow()?;
        let at = line.clamp(1, count.max(1)) - 1;
        Ok(lines.read(at..at + 1)?.first().and_then(|line| Entry::read(line)))
    });
    let entry: io::Result<Option<Entry>> = read.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let back = format!("/researchers/{}/transcript?at={}#l{line}", encoded(&name), first_of(line));
    let body = html! {
        p { a href=(back) { "← in its place" } }
        @match entry {
            Ok(Some(entry)) => (shown(&name, line, &entry, LONG)),
            Ok(None) => p.empty { "There is no such line." },
            Err(error) => (missing(&name, &error)),
        }
    };
    frame(&pages, visitor, &body).await.into_response()
}

async fn frame(pages: &Pages, visitor: Visitor, body: &Markup) -> Html<String> {
    framed(&Frame::of(pages, visitor, "Transcript", "/researchers").await, body)
}

fn missing(name: &str, error: &io::Error) -> Markup {
    html! {
        @if error.kind() == io::ErrorKind::NotFound {
            p.empty { "Nothing was said yet, or " (told(name)) " is no language model: only those have a transcript." }
        } @else {
            p.empty { "The transcript can't be read: " (error) }
        }
    }
}

/// The first line of the part that a line is in.
fn first_of(line: usize) -> usize {
    line.saturating_sub(1) / SHOWN * SHOWN + 1
}

fn part(lines: &Lines, name: &str, at: usize) -> io::Result<Markup> {
    let count = lines.grow()?;
    // Parts begin at fixed places, so that the newest one only grows at its end.
    let first = if at == 0 { first_of(count) } else { at.clamp(1, count.max(1)) };
    let read = lines.read(first - 1..first - 1 + SHOWN)?;
    let last = first + read.len().max(1) - 1;
    let size = lines.bytes() as f64 / 1e6;
    let link = |at: usize| format!("/researchers/{}/transcript?at={at}", encoded(name));
    let turn = html! {
        nav.pager aria-label="parts of the transcript" {
            @if first > 1 { a href=(link(1)) { "⇤ beginning" } " " a rel="prev" href=(link(first.saturating_sub(SHOWN).max(1))) { "← before" } }
            span { " lines " (first) " to " (last) " of " (count) " " }
            @if last < count { a rel="next" href=(link(last + 1)) { "after →" } " " a href=(link(first_of(count))) { "newest ⇥" } }
        }
    };
    Ok(html! {
        p.note {
            (of(format_args!("transcript/{name}/lines"), count)) " lines, " (of(format_args!("transcript/{name}/mb"), format!("{size:.1}"))) " MB. "
            "What was sent again with every call is shown once. The same in a terminal: " code { "aar replay " (told(name)) } "."
        }
        (turn)
        @for (line, bytes) in read.iter().enumerate() { (line_of(name, first + line, bytes)) }
        @if read.len() > 4 { (turn) }
    })
}

fn line_of(name: &str, line: usize, bytes: &[u8]) -> Markup {
    match Entry::read(bytes) {
        Some(entry) => shown(name, line, &entry, SHORT),
        None => html! { p.note { "(a line that was cut off)" } },
    }
}

fn shown(name: &str, line: usize, entry: &Entry, most: usize) -> Markup {
    let mut left = most;
    let mut cut = false;
    let mut pieces = vec![];
    for (at, piece) in entry.pieces.iter().enumerate() {
        let text: String = piece.text.chars().take(left).collect();
        left -= text.chars().count();
        cut |= text.len() < piece.text.len();
        if !text.is_empty() {
            pieces.push(said(&format!("l{line}-{at}"), piece, &text));
        }
    }
    html! {
        article.line id={ "l" (line) } {
            p.note { (head(entry)) " · " (time(entry.at_ms)) }
            @for piece in &pieces { (piece) }
            @if cut { p.note { a href={ "/researchers/" (encoded(name)) "/transcript/" (line) } { "… the whole of it" } } }
        }
    }
}

fn head(entry: &Entry) -> Markup {
    let call = entry.call.unwrap_or_default();
    let number = |what: &str, shown: String| of(format_args!("call/{call}/{what}"), shown);
    html! {
        @match &entry.what {
            What::Asked { model, begins } => {
                @if *begins { strong { "a conversation begins" } " · " }
                "call " (number("id", format!("#{call}"))) " to " (told(model))
            }
            What::Ended { outcome, charge } => {
                @let read = charge.usage.input + charge.usage.cache_read + charge.usage.cache_write;
                "answer to " (number("id", format!("#{call}"))) ": "
                (number("read", amount(read))) " tokens read, " (number("cached", amount(charge.usage.cache_read))) " of them from the cache, "
                (number("written", amount(charge.usage.output))) " written, US$ " (number("usd", format!("{:.4}", charge.nano as f64 / 1e9)))
                @if *outcome != Outcome::Answered { " · " span.tag.failed { (outcome.name()) } }
            }
            What::Refused => span.tag.failed { "refused by the gateway" },
        }
    }
}

/// A piece: what was said in the open, what tools did folded.
fn said(id: &str, piece: &Piece, text: &str) -> Markup {
    let first: String =
        text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().chars().take(110).collect();
    let fold = |class: &str, label: &str| {
        html! { details.fold id=(id) { summary { span class=(class) { (label) } " " code data-told { (first) } } pre data-told { (text) } } }
    };
    match &piece.from {
        From::System => fold("", "what stands above the conversation"),
        From::Reasoning => fold("", "reasoning"),
        From::Call(name) => {
            html! { details.fold id=(id) { summary { strong data-told { (name) } " " code data-told { (first) } } pre data-told { (text) } } }
        }
        From::Result(false) => fold("", "result"),
        From::Result(true) => fold("warn", "failed result"),
        From::Told => html! { div.said.told { p.note { "told" } pre data-told { (text) } } },
        From::Model => html! { div.said data-told { (super::markdown::render(text)) } },
        From::Gateway => html! { p.warn data-told { (text) } },
    }
}

fn found(lines: &Lines, name: &str, wanted: &Wanted) -> io::Result<Markup> {
    let count = lines.grow()?;
    let words: Vec<String> = wanted.q.split_whitespace().map(str::to_ascii_lowercase).collect();
    // In the file quotes and the like are written as JSON writes them.
    let raw = |word: &String| {
        let quoted = serde_json::to_string(word).unwrap_or_default();
        quoted.as_bytes()[1..quoted.len() - 1].to_vec()
    };
    let raw: Vec<Vec<u8>> = words.iter().map(raw).collect();
    let (mut hits, mut candidates, mut next) = (vec![], 0, None);
    lines.search(&raw, wanted.at.saturating_sub(1), &mut |line| {
        if hits.len() == HITS || candidates == CANDIDATES {
            next = Some(line + 1);
            return Ok(Search::Enough);
        }
        candidates += 1;
        let entry = lines.read(line..line + 1)?.first().and_then(|bytes| Entry::read(bytes));
        if let Some((entry, piece)) = entry.as_ref().and_then(|entry| Some((entry, entry.holds(&words)?))) {
            hits.push(hit(name, line + 1, entry, piece, &words[0]));
        }
        Ok(Search::On)
    })?;
    let query = format!("/researchers/{}/transcript?q={}", encoded(name), encoded(&wanted.q));
    Ok(html! {
        p.note {
            @if hits.is_empty() && next.is_none() { "No line holds all of these words. " } @else if next.is_some() { "The first lines that hold this; there may be more. " } @else { "All lines that hold this. " }
            a href={ "/researchers/" (encoded(name)) "/transcript" } { "The whole transcript" }
        }
        @for hit in &hits { (hit) }
        @if let Some(next) = next { p.pager { a rel="next" href={ (query) "&at=" (next) } { "look on from line " (next) " of " (count) " →" } } }
    })
}

fn hit(name: &str, line: usize, entry: &Entry, piece: &Piece, word: &str) -> Markup {
    let place = piece.lower().find(word).unwrap_or(0).min(piece.text.len());
    let before: String = piece.text[..floor(&piece.text, place)].chars().rev().take(AROUND).collect();
    let before: String = before.chars().rev().collect();
    let end = floor(&piece.text, (place + word.len()).min(piece.text.len()));
    let after: String = piece.text[end..].chars().take(AROUND).collect();
    let who = match &piece.from {
        From::System => "above the conversation",
        From::Told => "told",
        From::Model => "the model",
        From::Reasoning => "reasoning",
        From::Call(tool) => tool,
        From::Result(_) => "a tool's result",
        From::Gateway => "the gateway",
    };
    html! {
        article.line {
            p.note { a.pager href={ "/researchers/" (encoded(name)) "/transcript?at=" (first_of(line)) "#l" (line) } { "line " (line) } " · " (told(who)) " · " (time(entry.at_ms)) }
            p data-told { "…" (before) mark { (piece.text[floor(&piece.text, place)..end]) } (after) "…" }
        }
    }
}

/// The character's beginning at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
