//! Who built on whom: bundles in the order they were submitted, a lane per author, a curve from what was built on.

use super::layout::{Frame, evidence, live, page as framed, with_interval};
use super::origin::{evaluation, told};
use super::{Pages, Visitor};
use crate::board::{Board, Row};
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// More nodes than this are too many to see anything: then the best ones' ancestors are drawn.
const DRAWN: usize = 120;
/// Rows whose ancestors are drawn then.
const BEST: usize = 30;

/// Whose ancestors and descendants.
#[derive(Deserialize)]
pub struct Wanted {
    of: Option<i64>,
}

/// The page.
pub async fn page(
    State(pages): State<Pages>,
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let board = pages.scores.board().await;
    let (nodes, what) = chosen(&board, wanted.of);
    let body = live(
        "lineage",
        &html! {
            @if nodes.is_empty() { p.empty { "Nothing to draw yet: a bundle appears here when its evaluation has finished. " a href="/evaluations" { "What is under way" } } }
            @else {
                p.note { span data-told { (what) } " The fuller the circle, the higher its PGR. " @if wanted.of.is_some() { a href="/lineage" { "All" } " · " } a href="/data/evaluations.csv" download { "CSV, with parents" } " · " a href="/figures/lineage.svg" download { "SVG" } }
                figure { div.wide tabindex="0" role="region" aria-label="figure" { (graph(&nodes)) } }
                (table(&nodes))
            }
        },
    );
    framed(&Frame::of(&pages, visitor, "Lineage", "/lineage").await, &body)
}

/// The graph of the whole study, for the download.
pub fn whole(board: &Board) -> Markup {
    graph(&chosen(board, None).0)
}

/// One node per bundle, in the order of submission.
fn chosen(board: &Board, of: Option<i64>) -> (Vec<&Row>, String) {
    let mut nodes: BTreeMap<&str, &Row> = BTreeMap::new();
    let mut graded: Vec<&Row> = board.graded().collect();
    graded.sort_by_key(|row| row.record.id);
    for row in &graded {
        nodes.entry(&row.record.asked.bundle).or_insert(row);
    }
    let mut keep: BTreeSet<&str> = nodes.keys().copied().collect();
    let mut what = "Every graded bundle.".to_owned();
    if let Some(row) = of.and_then(|id| board.row(id)) {
        let own = row.record.asked.bundle.as_str();
        keep = ancestors([own].into(), &nodes);
        let children = graded.iter().filter(|row| row.record.asked.parent.as_deref() == Some(own));
        keep.extend(children.take(DRAWN).map(|row| row.record.asked.bundle.as_str()));
        what = format!("What “{}” was built on, and what was built on it.", row.record.asked.name);
    } else if nodes.len() > DRAWN {
        let mut best: Vec<&Row> = nodes.values().copied().collect();
        best.sort_by(|a, b| b.score.accuracy.total_cmp(&a.score.accuracy));
        keep = ancestors(best.iter().take(BEST).map(|row| row.record.asked.bundle.as_str()).collect(), &nodes);
        what = "The best bundles and what they were built on; all are in the CSV.".into();
    }
    // A long line of ancestors is cut at its far end.
    let mut rows: Vec<&Row> = keep.iter().filter_map(|bundle| nodes.get(bundle).copied()).collect();
    rows.sort_by_key(|row| row.record.id);
    rows.drain(..rows.len().saturating_sub(2 * DRAWN));
    (rows, what)
}

fn ancestors<'a>(mut keep: BTreeSet<&'a str>, nodes: &BTreeMap<&'a str, &'a Row>) -> BTreeSet<&'a str> {
    let mut open: Vec<&str> = keep.iter().copied().collect();
    while let Some(bundle) = open.pop() {
        let parent = nodes.get(bundle).and_then(|row| row.record.asked.parent.as_deref());
        open.extend(parent.filter(|parent| keep.insert(parent)));
    }
    keep
}

fn graph(nodes: &[&Row]) -> Markup {
    let lanes: Vec<&str> = nodes.iter().map(|row| row.author()).collect::<BTreeSet<_>>().into_iter().collect();
    let height = lanes.len() as f64 * 44.0 + 30.0;
    let step = 730.0 / nodes.len().max(1) as f64;
    let lane_of: BTreeMap<&str, usize> = lanes.iter().enumerate().map(|(at, lane)| (*lane, at)).collect();
    let at_of: BTreeMap<&str, usize> =
        nodes.iter().enumerate().rev().map(|(at, row)| (row.record.asked.bundle.as_str(), at)).collect();
    let place = |at: usize| {
        let lane = lane_of.get(nodes[at].author()).copied().unwrap_or(0);
        (110.0 + step * (at as f64 + 0.5), lane as f64 * 44.0 + 24.0)
    };
    let parent = |row: &Row| at_of.get(row.record.asked.parent.as_deref()?).copied();
    let curve = |from: usize, to: usize| {
        let ((x1, y1), (x2, y2)) = (place(from), place(to));
        let bend = if y1 == y2 { 16.0 } else { 0.0 };
        format!(
            "M{x1:.1} {y1:.1}C{:.1} {:.1} {:.1} {:.1} {x2:.1} {y2:.1}",
            (x1 + x2) / 2.0,
            y1 - bend,
            (x1 + x2) / 2.0,
            y2 - bend
        )
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 860 " (height) } role="group" aria-label="who built on whom" {
            @for (at, lane) in lanes.iter().enumerate() {
                line x1="104" x2="850" y1=(at as f64 * 44.0 + 24.0) y2=(at as f64 * 44.0 + 24.0) stroke="var(--line)" {}
                text data-told x="4" y=(at as f64 * 44.0 + 28.0) { @if *lane == "–" { "baselines" } @else { (lane.chars().take(14).collect::<String>()) } }
            }
            @for (at, row) in nodes.iter().enumerate() { @if let Some(from) = parent(row) { path d=(curve(from, at)) fill="none" stroke="var(--faint)" {} } }
            @for (at, row) in nodes.iter().enumerate() {
                a href={ "/evaluations/" (row.record.id) } {
                    title { "#" (row.record.id) " " (row.record.asked.name) " by " (row.author()) ": " (with_interval(row.score.pgr)) }
                    circle cx=(format!("{:.1}", place(at).0)) cy=(place(at).1) r="6" fill="var(--paper)" {}
                    circle cx=(format!("{:.1}", place(at).0)) cy=(place(at).1) r="6" fill="var(--accent)" stroke="var(--accent)" fill-opacity=(format!("{:.2}", row.pgr().unwrap_or(0.0).clamp(0.05, 1.0))) {}
                }
            }
            text.faint x="110" y=(height - 4.0) { "bundles, in the order they were submitted" }
        }
    }
}

fn table(nodes: &[&Row]) -> Markup {
    let of: BTreeMap<&str, &Row> = nodes.iter().rev().map(|row| (row.record.asked.bundle.as_str(), *row)).collect();
    let parent = |row: &Row| of.get(row.record.asked.parent.as_deref()?).copied();
    html! {
        details #lineage-table { summary { "The same as a table" }
            div.scroll { table {
                thead { tr { th { "evaluation" } th { "method" } th { "by" } th.n { "PGR [95 %]" } th { "built on" } } }
                tbody { @for row in nodes { tr {
                    td { (evidence(row.record.id)) } td { (told(&row.record.asked.name)) } td { (told(row.author())) } td.n { (evaluation(row.record.id, "pgr", with_interval(row.score.pgr))) }
                    td { @if let Some(parent) = parent(row) { (told(&parent.record.asked.name)) " " (evidence(parent.record.id)) } @else { "–" } }
                } } }
            } }
        }
    }
}
