//! How everybody's time went: a lane each, the table of it, and both to take away. Used by pages and report.

use super::origin::{of, told};
use crate::event::{Participant, Role};
use crate::record::{EvaluationRecord, Status};
use crate::state::State;
use crate::timeline::{Course, Doing, Span, Turns, sums, turns};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Steps of a time axis, in minutes.
const STEPS: [i64; 13] = [1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 720, 1440, 4320];
/// At most so many of them.
const TICKS: i64 = 8;
/// Columns of a short lane.
const SHORT: usize = 230;
/// Columns of a long one.
const LONG: usize = 1000;
/// Height of a lane.
const HEIGHT: usize = 22;

/// Everybody's time.
pub struct Lanes<'a> {
    course: &'a Course,
    lanes: Vec<Lane<'a>>,
    /// From when until when, in milliseconds at work.
    window: (i64, i64),
}

struct Lane<'a> {
    who: &'a Participant,
    spans: Vec<Span>,
    own: Vec<&'a EvaluationRecord>,
}

impl<'a> Lanes<'a> {
    /// Of all researchers; `ready` says whether a turn may begin.
    pub fn of(
        course: &'a Course,
        participants: impl Iterator<Item = &'a Participant>,
        evaluations: &'a [EvaluationRecord],
        ready: impl Fn(u32) -> bool,
    ) -> Self {
        let turns: Turns = turns(evaluations, ready);
        let mut own = BTreeMap::<&str, Vec<&EvaluationRecord>>::new();
        for record in evaluations {
            own.entry(&record.asked.by).or_default().push(record);
        }
        let lane = |who: &'a Participant| {
            let own = own.remove(who.name.as_str()).unwrap_or_default();
            Lane { who, spans: course.spans(who, &own, &turns), own }
        };
        let lanes = participants.filter(|who| who.role == Role::Researcher).map(lane).collect();
        let (from, to) = course.window();
        Self { course, lanes, window: (course.worked(from), course.worked(to)) }
    }

    /// Of a study as it stands.
    pub(super) fn at(state: &'a State) -> Self {
        Self::of(&state.course, state.participants.values(), &state.evaluations, |turn| state.turn_ready(turn))
    }

    fn lane(&self, name: &str) -> Option<&Lane<'a>> {
        self.lanes.iter().find(|lane| lane.who.name == name)
    }

    /// The column that a moment falls into.
    fn column(&self, at_ms: i64, columns: usize) -> usize {
        let (from, to) = self.window;
        let passed = (self.course.worked(at_ms) - from).max(0) as f64 / (to - from).max(1) as f64;
        ((columns as f64 * passed) as usize).min(columns)
    }

    /// One researcher's lane, short, for a line of a table.
    pub fn short(&self, name: &str) -> Markup {
        html! { @if let Some(lane) = self.lane(name) {
            svg width=(SHORT) height=(HEIGHT) viewBox={ "0 0 " (SHORT) " " (HEIGHT) } role="img" aria-label=(said(&lane.spans)) { (self.bars(lane, SHORT)) }
        } }
    }

    /// One researcher's lane, long, with the time under it.
    pub fn long(&self, name: &str) -> Markup {
        let lanes: Vec<&Lane> = self.lane(name).into_iter().collect();
        self.drawn(&lanes)
    }

    /// Everybody's.
    pub fn figure(&self) -> Markup {
        self.drawn(&self.lanes.iter().collect::<Vec<_>>())
    }

    fn drawn(&self, lanes: &[&Lane]) -> Markup {
        let (left, row) = (if lanes.len() == 1 { 4 } else { 130 }, HEIGHT + 4);
        let bottom = lanes.len() * row + 4;
        let total = (self.window.1 - self.window.0).max(1);
        let minutes = STEPS.into_iter().find(|step| total / (step * 60_000) <= TICKS).unwrap_or(total / 60_000 / TICKS);
        let place = |minute: i64| left as f64 + LONG as f64 * (minute * 60_000) as f64 / total as f64;
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (left + LONG + 30) " " (bottom + 18) } role="img" aria-label="what everybody was at over time" {
                @for minute in (0..=total / 60_000).step_by(minutes.max(1) as usize) {
                    @let x = format!("{:.1}", place(minute));
                    line x1=(x) x2=(x) y1="2" y2=(bottom) stroke="var(--line)" {}
                    text.faint x=(x) y=(bottom + 14) text-anchor=(if minute == 0 { "start" } else { "middle" }) { (if minutes >= 60 { format!("{} h", minute / 60) } else { format!("{minute} min") }) }
                }
                @for (at, lane) in lanes.iter().enumerate() {
                    @if lanes.len() > 1 { text data-told x="4" y=(at * row + 17) { (lane.who.name) } }
                    g transform={ "translate(" (left) " " (at * row + 2) ")" } { (self.bars(lane, LONG)) }
                }
            }
        }
    }

    /// A lane's marks; which is which shows by thickness too.
    fn bars(&self, lane: &Lane, columns: usize) -> Markup {
        let kinds = self.columns(&lane.spans, columns);
        let path = |doing: Doing| {
            let mut path = String::new();
            let mut at = 0;
            for run in kinds.chunk_by(|a, b| a == b) {
                if run[0] == Some(doing) {
                    path.push_str(&format!("M{at} 9h{}", run.len()));
                }
                at += run.len();
            }
            path
        };
        // What it hands in goes on beside what it is at, where it does not wait for it.
        let beside = |wanted: fn(&EvaluationRecord) -> bool| {
            let shown = lane.own.iter().filter(|record| !lane.who.turns && wanted(record));
            let piece = |record: &&EvaluationRecord| {
                let from = self.column(record.at_ms, columns);
                let to = self.column(record.ended_ms.unwrap_or(i64::MAX), columns);
                format!("M{from} 20h{}", (to - from.min(to)).max(1))
            };
            shown.map(piece).collect::<String>()
        };
        let failed = lane.own.iter().filter(|record| record.status == Status::Failed);
        let crosses: String = failed
            .filter_map(|record| {
                Some(format!("M{} 3l6 12m0 -12l-6 12", self.column(record.ended_ms?, columns).max(3) - 3))
            })
            .collect();
        html! {
            @for doing in Doing::ALL {
                @let path = path(doing);
                @if !path.is_empty() { (mark(doing, &path)) }
            }
            @for (path, dash) in [(beside(|record| record.ended()), None), (beside(|record| !record.ended()), Some("3 2"))] {
                @if !path.is_empty() { path d=(path) stroke="var(--accent)" stroke-width="3" stroke-dasharray=[dash] {} }
            }
            @if !crosses.is_empty() { path d=(crosses) stroke="var(--warn)" stroke-width="1.5" fill="none" {} }
        }
    }

    /// What fills most of each column.
    fn columns(&self, spans: &[Span], columns: usize) -> Vec<Option<Doing>> {
        let (from, to) = self.window;
        let width = (to - from).max(1) as f64 / columns as f64;
        let mut filled = vec![[0.0f64; Doing::ALL.len()]; columns];
        for span in spans {
            let place = |at_ms: i64| ((self.course.worked(at_ms) - from).max(0) as f64 / width).min(columns as f64);
            let (begin, end) = (place(span.from_ms), place(span.to_ms));
            let kind = Doing::ALL.iter().position(|doing| *doing == span.doing).unwrap_or(0);
            for (at, filled) in filled.iter_mut().enumerate().take(end.ceil() as usize).skip(begin as usize) {
                filled[kind] += end.min(at as f64 + 1.0) - begin.max(at as f64);
            }
        }
        let most = |shares: &[f64; Doing::ALL.len()]| {
            let (at, most) = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
            // Rounding leaves slivers.
            (*most > 0.02).then(|| Doing::ALL[at])
        };
        filled.iter().map(most).collect()
    }

    /// How much time went where.
    pub fn table(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label="how their time went" { table.short {
                thead { tr { th { "researcher" } @for doing in Doing::ALL { th.n { (doing.name()) } } } }
                tbody { @for lane in &self.lanes { tr {
                    td.who { (told(&lane.who.name)) }
                    @for (doing, spent) in Doing::ALL.iter().zip(sums(&lane.spans)) { td.n { (shown(&lane.who.name, *doing, spent)) } }
                } } }
            } }
        }
    }

    /// One researcher's time, in words.
    pub fn words(&self, name: &str) -> Markup {
        let spent = self.lane(name).map(|lane| sums(&lane.spans)).unwrap_or_default();
        let spent = Doing::ALL.into_iter().zip(spent).filter(|(_, spent)| *spent > 0);
        html! { @for (at, (doing, spent)) in spent.enumerate() { @if at > 0 { ", " } (doing.name()) " " (shown(name, doing, spent)) } }
    }

    /// Name, what, from, until: everything that the figures show.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.lanes.iter().flat_map(|lane| lane.spans.iter().map(|span| (lane.who.name.as_str(), span)))
    }
}

fn shown(name: &str, doing: Doing, spent_ms: i64) -> Markup {
    of(format_args!("timeline/{name}/{}", doing.name()), duration(spent_ms))
}

/// As a person reads it.
fn duration(ms: i64) -> String {
    let seconds = ms as f64 / 1000.0;
    match ms / 1000 {
        0 if ms == 0 => "–".into(),
        0..120 => format!("{seconds:.0} s"),
        120..36_000 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

fn said(spans: &[Span]) -> String {
    let spent = Doing::ALL.into_iter().zip(sums(spans)).filter(|(_, spent)| *spent > 0);
    let words: Vec<String> = spent.map(|(doing, spent)| format!("{} {}", doing.name(), duration(spent))).collect();
    if words.is_empty() { "nothing yet".into() } else { words.join(", ") }
}

fn mark(doing: Doing, path: &str) -> Markup {
    let (colour, width, opacity, dash) = match doing {
        Doing::Thinking => ("var(--accent)", "5", "0.5", None),
        Doing::Training => ("var(--accent)", "13", "1", None),
        Doing::Waiting => ("var(--faint)", "1.5", "1", None),
        Doing::Hung => ("var(--warn)", "13", "1", Some("2 1.5")),
        Doing::Paused | Doing::Gone => ("var(--faint)", "5", "1", Some("1 3")),
    };
    html! { path d=(path) stroke=(colour) stroke-width=(width) stroke-opacity=(opacity) stroke-dasharray=[dash] {} }
}

/// What the marks mean.
pub fn key() -> Markup {
    html! {
        div.key { @for doing in Doing::ALL {
            span { svg width="26" height="18" viewBox="0 0 26 18" aria-hidden="true" { (mark(doing, "M1 9h24")) } (doing.name()) }
        }
        span { svg width="26" height="18" viewBox="0 0 26 18" aria-hidden="true" { path d="M1 9h24" stroke="var(--accent)" stroke-width="3" {} } "an evaluation beside it" }
        span { svg width="14" height="18" viewBox="0 0 14 18" aria-hidden="true" { path d="M4 3l6 12m0 -12l-6 12" stroke="var(--warn)" stroke-width="1.5" fill="none" {} } "failed" } }
    }
}
