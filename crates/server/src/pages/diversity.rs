//! Diversity: how mixed the team's ideas are through time, and who tried what.

use super::layout::{Frame, encoded, evidence, live, page as framed};
use super::origin::{of, told};
use super::{Pages, Visitor, figures};
use crate::event::Role;
use crate::ideas::{self, Point};
use crate::state::State as Study;
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Points drawn, and rows of the table, at most.
const DRAWN: usize = 100;

/// The page.
pub async fn page(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let inner = pages.shared.inner.lock().await;
    let state = &inner.state;
    let course = ideas::course(&state.evaluations, &state.retired);
    let body = live(
        "diversity",
        &html! {
            @if course.is_empty() { p.empty { "No submission yet, so there are no ideas to count. Every submission names its family; " a href="/evaluations" { "what is under way" } "." } }
            @else { (collapse(state)) (through_time(&course)) (who_tried_what(state)) }
        },
    );
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Diversity", "/diversity").await, &body)
}

/// The study's own notes, where it found that all do the same.
fn collapse(state: &Study) -> Markup {
    let last = state.notes.iter().rfind(|note| note.kind == "diversity");
    let text = |key: &str| last.and_then(|note| note.body[key].as_str()).unwrap_or_default();
    html! {
        @if last.is_some_and(|note| note.body["collapsed"] == true) {
            p.warn { "Nearly all who are at work stand in one family: " strong data-told { (text("family")) }
                @if !text("redirected").is_empty() { ". A new direction was given to " strong data-told { (text("redirected")) } }
                ". " code { "aar ctl say" } " reaches them." }
        }
    }
}

/// At even distances, the last one among them.
pub fn thinned(course: &[Point]) -> Vec<Point> {
    let step = course.len().div_ceil(DRAWN).max(1);
    course.iter().rev().step_by(step).rev().copied().collect()
}

/// The figure.
pub fn figure(course: &[Point]) -> Markup {
    let drawn = thinned(course);
    let (values, most): (Vec<f64>, Vec<f64>) = drawn.iter().map(|point| (point.entropy, point.most())).unzip();
    figures::line(&values, &most, "submissions, in the order they were made", "bits")
}

fn through_time(course: &[Point]) -> Markup {
    let drawn = thinned(course);
    let last = drawn.last().copied();
    html! {
        h2 { "Entropy of idea families over active researchers" }
        @if let Some(last) = last {
            p { "Now " strong { (of(format_args!("entropy/{}", last.evaluation), format!("{:.2} bits", last.entropy))) }
                ": " (of(format_args!("entropy/{}", last.evaluation), last.active)) " researchers at work in " (of(format_args!("entropy/{}", last.evaluation), last.families)) " families." }
        }
        @if course.len() > 1 {
            figure {
                div.wide tabindex="0" role="region" aria-label="figure" { (figure(course)) }
                figcaption {
                    "Every researcher stands in the family of its latest submission; who retired stands nowhere. Nought: all in one family. Dashed: every one in a family of its own. "
                    a href="/figures/diversity.svg" download { "SVG" } " · " a href="/data/diversity.csv" download { "CSV" }
                }
            }
            details #entropy-table { summary { "The same as a table" @if drawn.len() < course.len() { ", thinned; all of it is in the CSV" } }
                div.scroll { table {
                    thead { tr { th { "after" } th.n { "researchers at work" } th.n { "families" } th.n { "entropy, bits" } } }
                    tbody { @for point in &drawn { tr {
                        @let from = format!("entropy/{}", point.evaluation);
                        td { (evidence(point.evaluation)) } td.n { (of(&from, point.active)) } td.n { (of(&from, point.families)) } td.n { (of(&from, format!("{:.2}", point.entropy))) }
                    } } }
                } }
            }
        }
    }
}

fn who_tried_what(state: &Study) -> Markup {
    let matrix = ideas::matrix(&state.evaluations);
    let mut totals = BTreeMap::<&str, usize>::new();
    for (family, count) in matrix.values().flatten() {
        *totals.entry(family).or_default() += count;
    }
    let most = matrix.values().flat_map(BTreeMap::values).copied().max().unwrap_or(1);
    let team = state.participants.values().filter(|participant| participant.role == Role::Researcher);
    let none = BTreeMap::new();
    html! {
        h2 { "Who tried what" }
        div.scroll tabindex="0" role="region" aria-label="families and researchers" { table.matrix {
            thead { tr { th { "submissions" } @for family in totals.keys() { th.n data-told { (family) } } th.n { "entropy, bits" } } }
            tbody {
                @for researcher in team { (line(&researcher.name, matrix.get(researcher.name.as_str()).unwrap_or(&none), &totals, most)) }
                tr.total { td { "all" } @for (family, count) in &totals { td.n { a href={ "/leaderboard?family=" (encoded(family)) } { (of(format_args!("log/family/{family}"), count)) } } }
                    td.n { (of("log/entropy", format!("{:.2}", ideas::entropy(totals.values().copied())))) } }
            }
        } }
        p.note { "The darker a cell, the more submissions. A number leads to the rows of the leaderboard." }
    }
}

fn line(name: &str, own: &BTreeMap<&str, usize>, totals: &BTreeMap<&str, usize>, most: usize) -> Markup {
    let shade = |count: usize| format!("n s{}", (4 * count).div_ceil(most));
    html! { tr {
        td { (told(name)) }
        @for family in totals.keys() {
            @match own.get(family) {
                Some(&count) => { td class=(shade(count)) { a href={ "/leaderboard?family=" (encoded(family)) "&by=" (encoded(name)) } { (of(format_args!("researcher/{name}/family/{family}"), count)) } } }
                None => { td.n { "·" } }
            }
        }
        td.n { @if own.is_empty() { "–" } @else { (of(format_args!("researcher/{name}/entropy"), format!("{:.2}", ideas::entropy(own.values().copied())))) } }
    } }
}
