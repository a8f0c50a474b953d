//! The leaderboard: ties as ties, a whisker per row; sort and filter stand in the URL.

use super::axis::Axis;
use super::layout::{Frame, encoded, evidence, live, page as framed, pager, with_interval};
use super::origin::{self, of, told};
use super::{Pages, Visitor, figures};
use crate::board::{Board, Row};
use crate::transfer;
use aar_domain::transfer::Fate;
use aar_domain::transfer::matrix::Matrix;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Rows at a time.
const SHOWN: usize = 50;

/// What to show.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    sort: String,
    family: String,
    by: String,
    rung: String,
    group: String,
    page: usize,
}

impl Wanted {
    fn query(&self) -> String {
        let pairs = [
            ("sort", &self.sort),
            ("family", &self.family),
            ("by", &self.by),
            ("rung", &self.rung),
            ("group", &self.group),
        ];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(key, value)| format!("{key}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }

    fn wants(&self, row: &Row) -> bool {
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        is(&self.family, &row.record.asked.family) && is(&self.by, row.author()) && is(&self.rung, row.rung.name())
    }

    fn sorted<'a>(&self, board: &'a Board) -> Vec<&'a Row> {
        let mut rows: Vec<&Row> = board.rows.iter().filter(|row| self.wants(row)).collect();
        match self.sort.as_str() {
            "new" => rows.sort_by_key(|row| std::cmp::Reverse(row.record.id)),
            "method" => rows.sort_by(|a, b| a.record.asked.name.cmp(&b.record.asked.name)),
            "by" => rows.sort_by(|a, b| a.author().cmp(b.author())),
            "family" => rows.sort_by(|a, b| a.record.asked.family.cmp(&b.record.asked.family)),
            "cost" => rows.sort_by_key(|row| row.cpu_ms),
            "reliance" => rows.sort_by(|a, b| left(a).total_cmp(&left(b))),
            "out" => {
                rows.sort_by(|a, b| b.score.accuracy_out.unwrap_or(0.0).total_cmp(&a.score.accuracy_out.unwrap_or(0.0)))
            }
            // As the board has it: by rung, best first.
            _ => {}
        }
        if self.group == "family" {
            // Families in the order of their first rows; within one the order stays.
            let mut first = BTreeMap::new();
            for (at, row) in rows.iter().enumerate() {
                first.entry(row.record.asked.family.as_str()).or_insert(at);
            }
            rows.sort_by_key(|row| first[row.record.asked.family.as_str()]);
        }
        rows
    }
}

/// The page.
pub async fn page(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let board = pages.scores.board().await;
    let tried = transfer::of(&pages.shared.inner.lock().await.state.notes);
    let rows = wanted.sorted(&board);
    let parts = rows.len().div_ceil(SHOWN).max(1);
    let at = wanted.page.clamp(1, parts);
    let shown = &rows[(at - 1) * SHOWN..(at * SHOWN).min(rows.len())];
    let body = html! {
        (filter(&wanted, &board))
        (live("board", &html! {
            @if board.waiting > 0 { p.note { (of("log/waiting", board.waiting)) " evaluations are still being scored." } }
            @if shown.is_empty() {
                p.empty { @if board.waiting > 0 { "They appear here as they are scored." } @else if board.rows.is_empty() { "No evaluation has finished yet; see " a href="/evaluations" { "what is under way" } "." } @else { "No row fits this filter. " a href="/leaderboard" { "Show all" } "." } }
            } @else {
                (table(shown, &board, tried.as_ref(), wanted.group == "family"))
                (pager("/leaderboard", &wanted.query(), at, parts))
                (notes(&board, tried.is_some()))
            }
        }))
    };
    framed(&Frame::of(&pages, visitor, "Leaderboard", "/leaderboard").await, &body)
}

/// What the columns say.
fn notes(board: &Board, tried: bool) -> Markup {
    html! {
        p.note {
            "Graded rows are announcements, re-run rows are results. Equal ranks (=) can't be told apart among rows of their kind"
            @if let Some((floor, plain)) = board.noise_floor { "; two equal graded methods differ by up to ± " (origin::evaluation(plain, "noise_floor", format!("{floor:.2}"))) " PGR in 95 of 100 comparisons" }
            ". p: against plain training, paired by seeds and items, Holm's over rows of a kind. Whisker: 95 %, small dots are seeds. Attempts: submissions that the author had made with this one. "
            "Without teacher: PGR of a finalist with the teacher's labels shuffled, of PGR as it is on the same seeds; what is left owes nothing to the teacher. A row without a rank is bound by a verdict or refused (" a href="/integrity" { "Integrity" } "). "
            @if !tried { "None was " a href="/transfer" { "tried elsewhere" } ". " }
            a href="/data/leaderboard.csv" download { "CSV" } " · " a href="/figures/leaderboard.svg" download { "SVG" }
        }
    }
}

fn filter(wanted: &Wanted, board: &Board) -> Markup {
    let families: BTreeSet<&str> = board.rows.iter().map(|row| row.record.asked.family.as_str()).collect();
    let authors: BTreeSet<&str> = board.rows.iter().map(Row::author).collect();
    let option = |value: &str, text: &str, now: &str| html! { option value=(value) selected[value == now] { (text) } };
    let list = |name: &str, all: &BTreeSet<&str>, now: &str| {
        html! {
            label { (name) select name=(name) { (option("", "all", now)) @for value in all { (option(value, value, now)) } } }
        }
    };
    html! {
        form.filter method="get" action="/leaderboard" {
            label { "sort" select name="sort" {
                @for (value, text) in [("", "rung, then PGR"), ("new", "newest"), ("out", "out of distribution"), ("cost", "cost"), ("reliance", "reliance on the teacher"), ("method", "method"), ("family", "family"), ("by", "author")] { (option(value, text, &wanted.sort)) }
            } }
            (list("rung", &board.rows.iter().map(|row| row.rung.name()).collect(), &wanted.rung))
            (list("family", &families, &wanted.family))
            (list("by", &authors, &wanted.by))
            label { "group" select name="group" { (option("", "no", &wanted.group)) (option("family", "by family", &wanted.group)) } }
            button { "Show" }
        }
    }
}

/// What a row keeps without the teacher's labels, for sorting; those that nobody looked at come last.
fn left(row: &Row) -> f64 {
    row.reliance.map_or(f64::INFINITY, |(_, left)| left.without)
}

fn table(rows: &[&Row], board: &Board, tried: Option<&Matrix>, grouped: bool) -> Markup {
    let values = rows.iter().filter_map(|row| row.score.pgr).flat_map(|pgr| [pgr.low, pgr.high]);
    let look = Look {
        board,
        tried,
        scale: Axis::over(values, 6.0, 224.0),
        // Not every testbed tells the distributions apart, not every study has finalists or examines them.
        parts: board.rows.iter().any(|row| row.score.accuracy_in.is_some()),
        examined: board.rows.iter().any(|row| row.reliance.is_some()),
        parents: board.rows.iter().rev().map(|row| (row.record.asked.bundle.as_str(), row.record.id)).collect(),
    };
    let family = |at: usize| rows.get(at).map(|row| row.record.asked.family.as_str());
    let columns = 13 + [look.parts, look.examined, tried.is_some()].into_iter().map(usize::from).sum::<usize>();
    html! {
        div.scroll tabindex="0" role="region" aria-label="leaderboard" { table {
            thead { tr {
                th { "rank" } th { "#" } th { "method" } th.n { "PGR [95 %]" } th { "0 … 1" } th { "rung" } th.n { "p plain" } th { "by" } th { "integrity" }
                @if look.examined { th.n { "without teacher" } } th { "family" } @if tried.is_some() { th { "elsewhere" } } @if look.parts { th.n { "in / out" } }
                th.n { "seeds" } th.n { "attempts" } th.n { "CPU-s" }
            } }
            tbody { @for (at, row) in rows.iter().enumerate() {
                @if grouped && (at == 0 || family(at - 1) != family(at)) { tr.group { th colspan=(columns) data-told scope="rowgroup" { (row.record.asked.family) } } }
                (line(row, &look))
            } }
        } }
    }
}

/// What all lines of a table share.
struct Look<'a> {
    board: &'a Board,
    tried: Option<&'a Matrix>,
    scale: Axis,
    parts: bool,
    examined: bool,
    /// Evaluations by bundle.
    parents: BTreeMap<&'a str, i64>,
}

fn line(row: &Row, look: &Look) -> Markup {
    let value = |what: &str, shown: String| origin::evaluation(row.record.id, what, shown);
    let interval = row.score.pgr.map(|pgr| (pgr.value, [pgr.low, pgr.high]));
    html! {
        tr.tied[look.board.tied(row)] {
            td { (rank(row)) } td { (evidence(row.record.id)) } td.m { (told(&row.record.asked.name)) span.note { (see(row, &look.parents)) } }
            td.n { (value("pgr", with_interval(row.score.pgr))) }
            td.fig { (figures::whisker(interval, &row.score.by_seed, row.rung.is_result(), &look.scale)) }
            td { (row.rung.name()) }
            td.n { (value("p_plain", p_value(row.p_plain))) }
            td.who { (told(row.author())) }
            td { (integrity(row)) }
            @if look.examined { td.n { (without_teacher(row)) } }
            td { (told(&row.record.asked.family)) }
            @if let Some(matrix) = look.tried { td { (elsewhere(matrix, row)) } }
            @if look.parts { td.n { (value("accuracy_in", accuracy(row.score.accuracy_in))) " / " (value("accuracy_out", accuracy(row.score.accuracy_out))) } }
            td.n { (value("seeds", row.score.replicated.by_seed.len().to_string())) }
            td.n { (value("attempts", row.attempts.map_or("–".into(), |attempts| attempts.to_string()))) }
            td.n { (value("cpu_s", format!("{:.1}", row.cpu_ms as f64 / 1000.0))) }
        }
    }
}

/// The way to what is behind a row.
fn see(row: &Row, parents: &BTreeMap<&str, i64>) -> Markup {
    let place = |part: &str| format!("/evaluations/{}#{part}", row.record.id);
    let parent = row.record.asked.parent.as_deref().and_then(|parent| parents.get(parent));
    html! {
        a href=(place("bundle")) { "bundle" @if parent.is_some() { " and diff" } } ", " a href=(place("receipt")) { "receipt" }
        @if let Some(parent) = parent { ", from " (evidence(*parent)) }
    }
}

/// What checks and the operator say of a row.
fn integrity(row: &Row) -> Markup {
    html! {
        @match &row.mark {
            Some(mark) => span.warn { (mark.what) },
            None if row.signed_off => "signed off",
            None if row.checks > 0 => a href={ "/evaluations/" (row.record.id) "#verdicts" } { (origin::evaluation(row.record.id, "checks", row.checks)) " checks" },
            None => "–",
        }
    }
}

fn without_teacher(row: &Row) -> Markup {
    html! {
        @match row.reliance {
            Some((verdict, left)) => (of(format_args!("verdict/{verdict}/left"), format!("{:.2} of {:.2}", left.without, left.with))),
            None => "–",
        }
    }
}

/// Whether it holds on other testbeds.
fn elsewhere(matrix: &Matrix, row: &Row) -> Markup {
    let line = matrix.methods.iter().find(|line| line.bundle == row.record.asked.bundle);
    html! {
        @match line {
            None => "–",
            Some(line) => {
                @let holds = line.cells.iter().filter(|cell| cell.fate == Fate::Holds).count();
                a href="/transfer" { "holds on " (of(format_args!("transfer/{}/holds", line.bundle), format!("{holds} of {}", line.cells.len()))) }
            }
        }
    }
}

/// The first rows as a figure of its own.
pub fn figure(board: &Board) -> Markup {
    let rows: Vec<&Row> = board.rows.iter().take(SHOWN).collect();
    let values = rows.iter().filter_map(|row| row.score.pgr).flat_map(|pgr| [pgr.value, pgr.low, pgr.high]);
    let scale = Axis::over(values, 6.0, 224.0);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 760 " (rows.len() * 24 + 34) } role="img" aria-label="leaderboard" {
            @for (at, row) in rows.iter().enumerate() {
                @let y = at * 24;
                text x="4" y=(y + 17) { @if let Some(rank) = row.rank { (rank) ". " } (row.record.asked.name.chars().take(44).collect::<String>()) }
                text.faint x="310" y=(y + 17) { (row.author()) ", " (row.rung.name()) }
                g transform={ "translate(430 " (y + 2) ")" } { (figures::dot(row.score.pgr.map(|pgr| (pgr.value, [pgr.low, pgr.high])), &row.score.by_seed, row.rung.is_result(), &scale)) }
                text x="664" y=(y + 17) { (row.pgr().map_or("–".into(), |pgr| format!("{pgr:.2}"))) }
            }
            text.faint x="4" y=(rows.len() * 24 + 24) { "PGR with 95 % intervals; the thin lines are 0 and 1. Solid: re-run at the close; hollow: graded." }
        }
    }
}

/// A rank, or why there is none.
pub fn rank(row: &Row) -> Markup {
    html! {
        @if let Some(rank) = row.rank { (origin::evaluation(row.record.id, "rank", rank)) }
        @if let Some(mark) = &row.mark { span.warn { (mark.what) @if let Some(of) = mark.of { " of " (evidence(of)) } } }
    }
}

fn accuracy(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

/// A p value.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".into(),
        Some(p) if p < 0.001 => "< 0.001".into(),
        Some(p) => format!("{p:.3}"),
    }
}
