//! The frame of every page, and how values are written.

use super::origin::{of, told};
use super::{Pages, Visitor};
use crate::event::Phase;
use crate::record::EvaluationRecord;
use aar_domain::stats::Pgr;
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

/// What the frame says.
pub struct Frame {
    title: &'static str,
    path: &'static str,
    study: String,
    phase: Phase,
    waiting: usize,
    visitor: Visitor,
}

impl Frame {
    /// Of the study as it is now.
    pub async fn of(pages: &Pages, visitor: Visitor, title: &'static str, path: &'static str) -> Self {
        let inner = pages.shared.inner.lock().await;
        let state = &inner.state;
        let study = state.opening.as_ref().map(|opening| opening.study.clone()).unwrap_or_default();
        let waiting = state.evaluations.iter().filter(|record| !record.ended()).count();
        Self { title, path, study, phase: state.phase, waiting, visitor }
    }
}

const PAGES: [(&str, &str); 10] = [
    ("/", "Study"),
    ("/leaderboard", "Leaderboard"),
    ("/researchers", "Researchers"),
    ("/forum", "Forum"),
    ("/evaluations", "Evaluations"),
    ("/lineage", "Lineage"),
    ("/diversity", "Diversity"),
    ("/transfer", "Transfer"),
    ("/integrity", "Integrity"),
    ("/access", "Access"),
];

/// A page with its frame.
pub fn page(frame: &Frame, body: &Markup) -> Html<String> {
    let content = html! {
        a.skip href="#main" { "To the content" }
        header {
            p.kicker {
                strong { "aar" } " · study " (told(&frame.study)) " · "
                span.tag data-live="phase" id="phase" { (frame.phase.name()) @if frame.waiting > 0 { ", " (of("log/under-way", frame.waiting)) " evaluations under way" } }
                " · " (frame.visitor.name()) " · " span #live role="status" { "as of this page's loading" }
            }
            nav aria-label="pages" {
                @for (path, name) in PAGES {
                    a href=(path) aria-current=[(path == frame.path).then_some("page")] { (name) }
                }
            }
        }
        main #main tabindex="-1" { h1 { (frame.title) } (body) }
    };
    document(&format!("{} · {}", frame.title, frame.study), &content)
}

/// A page for those who may not see more.
pub fn bare(title: &str, body: &Markup) -> Html<String> {
    document(title, &html! { main { (body) } })
}

fn document(title: &str, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "aar · " (title) }
                link rel="icon" type="image/svg+xml" href="/icon.svg";
                link rel="stylesheet" href="/style.css";
                script src="/pages.js" defer {}
            }
            body { (content) }
        }
    };
    Html(page.into_string())
}

/// A part of a page that is replaced when the study moves.
pub fn live(name: &str, body: &Markup) -> Markup {
    html! { section id=(name) data-live=(name) { (body) } }
}

/// The evaluation behind a value.
pub fn evidence(id: i64) -> Markup {
    html! { a.evidence href={ "/evaluations/" (id) } { "#" (id) } }
}

/// A value with its interval.
pub fn with_interval(pgr: Option<Pgr>) -> String {
    pgr.map_or("undefined".into(), |pgr| {
        format!("{} [{}, {}]", hundredths(pgr.value), hundredths(pgr.low), hundredths(pgr.high))
    })
}

/// Without a sign before nought.
fn hundredths(value: f64) -> String {
    let text = format!("{value:.2}");
    if text == "-0.00" { "0.00".into() } else { text }
}

/// A count as a person reads it; from ten thousand on with a prefix.
pub fn amount(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.1} k", count as f64 / 1e3),
        _ => format!("{:.1} M", count as f64 / 1e6),
    }
}

/// A moment: UTC as it stands, the viewer's zone by script.
pub fn time(at_ms: i64) -> Markup {
    let text = utc(at_ms);
    html! { time datetime=(text.replace(' ', "T") + "Z") { (text) " UTC" } }
}

/// `2026-01-31 09:05:00`; days to dates after Howard Hinnant's `civil_from_days`.
fn utc(at_ms: i64) -> String {
    let seconds = at_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// How far an evaluation is, or why it failed.
pub fn status(record: &EvaluationRecord) -> Markup {
    let under_way = super::origin::evaluation(record.id, "done", format!(" {}/{}", record.done, record.jobs.len()));
    html! { span class={ "tag " (record.status.name()) } { (record.status.name()) @if !record.ended() { (under_way) } } }
}

/// Links to the pages before and after; `query` is kept.
pub fn pager(path: &str, query: &str, at: usize, pages: usize) -> Markup {
    let link = |at: usize| format!("{path}?{query}{}page={at}", if query.is_empty() { "" } else { "&" });
    html! {
        @if pages > 1 {
            nav.pager aria-label="parts of the list" {
                @if at > 1 { a rel="prev" href=(link(at - 1)) { "← before" } }
                span { " part " (at) " of " (pages) " " }
                @if at < pages { a rel="next" href=(link(at + 1)) { "after →" } }
            }
        }
    }
}

/// `text` as part of a URL's query.
pub fn encoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_the_calendars() {
        for (at_ms, wanted) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_798_761_599_999, "2026-12-31 23:59:59"),
        ] {
            assert_eq!(super::utc(at_ms), wanted);
        }
    }
}
