//! Figures as SVG in the page's own colours. No colour alone carries meaning: kinds have shapes.

use super::axis::Axis;
use crate::board::{Board, Row};
use crate::spending::{Spent, spent_by};
use aar_domain::rung::Kind;
use aar_domain::stats::Pgr;
use maud::{Markup, html};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 320.0;
/// More graded points than this are drawn as dots without a link each.
const LINKED: usize = 120;

/// What PGR is drawn over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// Evaluations in the order they ended.
    #[default]
    Evaluations,
    /// Hours since the first one was asked for.
    Hours,
    /// CPU-hours of all that ended before.
    Cost,
    /// US$ that language models had cost by then.
    Dollars,
    /// Tokens that had been read and written by then.
    Tokens,
}

impl Over {
    /// From a URL; what is unknown is the order.
    pub fn named(name: &str) -> Self {
        match name {
            "hours" => Over::Hours,
            "cost" => Over::Cost,
            "dollars" => Over::Dollars,
            "tokens" => Over::Tokens,
            _ => Over::Evaluations,
        }
    }

    /// What stands under the figure.
    pub fn label(self) -> &'static str {
        match self {
            Over::Evaluations => "evaluations, in the order they ended",
            Over::Hours => "hours since the first evaluation was asked for",
            Over::Cost => "CPU-hours of evaluations",
            Over::Dollars => "US$ that language models had cost by then",
            Over::Tokens => "millions of tokens that language models had used by then",
        }
    }

    /// Where each row lies, rows being in the order they ended. Replicated rows follow at even steps.
    fn of(self, rows: &[&Row], course: &[Spent]) -> Vec<f64> {
        let start = rows.iter().map(|row| row.record.at_ms).min().unwrap_or(0);
        let mut spent = 0.0;
        let place = |(at, row): (usize, &&Row)| {
            spent += row.cpu_ms as f64 / 3.6e6;
            let by_then = || spent_by(course, row.record.ended_ms.unwrap_or(start));
            match self {
                Over::Evaluations => at as f64 + 0.5,
                Over::Hours => (row.record.ended_ms.unwrap_or(start) - start) as f64 / 3.6e6,
                Over::Cost => spent,
                Over::Dollars => by_then().map_or(0.0, |spent| spent.usd),
                Over::Tokens => by_then().map_or(0.0, |spent| spent.tokens as f64 / 1e6),
            }
        };
        rows.iter().enumerate().map(place).collect()
    }
}

/// Rows with a PGR: graded ones in the order they ended, then replicated ones. Returns how many are graded.
pub fn in_order(board: &Board) -> (Vec<&Row>, usize) {
    let mut rows: Vec<&Row> = board.rows.iter().filter(|row| row.pgr().is_some()).collect();
    rows.sort_by_key(|row| (row.rung.is_result(), row.record.ended_ms, row.record.id));
    let split = rows.iter().position(|row| row.rung.is_result()).unwrap_or(rows.len());
    (rows, split)
}

/// PGR of every evaluation: graded points hollow, the team's best so far as a step, replicated ones solid on the right. `course` is what
/// language models cost, for what is drawn over that; `link` leads from an evaluation to where it is told about.
pub fn progress(board: &Board, over: Over, course: &[Spent], link: &dyn Fn(i64) -> String) -> Markup {
    let (rows, split) = in_order(board);
    if rows.is_empty() {
        return html! {};
    }
    let crowded = rows.len() > LINKED;
    // Intervals that are not drawn take no room.
    let drawn = |(at, row): (usize, &&Row)| {
        let pgr = row.score.pgr?;
        Some(if crowded && at < split { [pgr.value; 3] } else { [pgr.value, pgr.low, pgr.high] })
    };
    let y = Axis::over(rows.iter().enumerate().filter_map(drawn).flatten(), HEIGHT - 36.0, 22.0);
    let at = over.of(&rows, course);
    let (x, border) = places(&at, split, over);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="group" aria-label={ "PGR over " (over.label()) } {
            @for tick in y.ticks() {
                line x1="50" x2=(WIDTH - 70.0) y1=(y.at(tick)) y2=(y.at(tick)) stroke="var(--line)" {}
                text.faint x="44" y=(y.at(tick) + 4.0) text-anchor="end" { (format!("{tick:.2}")) }
            }
            (references(&rows[..split], &x, board.noise_floor.map(|(floor, _)| floor), &y))
            @if split < rows.len() {
                line x1=(border) x2=(border) y1="6" y2=(HEIGHT - 30.0) stroke="var(--faint)" stroke-dasharray="4 4" {}
                text.faint x=(border - 4.0) y="14" text-anchor="end" { "replicated →" }
            }
            @let best = best_so_far(&rows[..split], &x, is_team);
            @if crowded { path d=(band(&best, &y)) fill="var(--accent)" fill-opacity="0.12" {} }
            path d=(steps(&best, &y)) fill="none" stroke="var(--accent)" stroke-width="1.5" stroke-opacity="0.6" {}
            @if crowded { path d=(dots(&rows[..split], &x, &y)) stroke="var(--accent)" stroke-width="3.5" stroke-linecap="round" stroke-opacity="0.55" {} }
            @for (i, row) in rows.iter().enumerate().skip(if crowded { split } else { 0 }) { (point(row, x[i], &y, link)) }
            text.faint x="56" y=(HEIGHT - 8.0) { (over.label()) }
            @if over != Over::Evaluations && split > 0 { text.faint x=(x[split - 1]) y=(HEIGHT - 8.0) text-anchor="end" { "up to " (format!("{:.2}", at[split - 1])) } }
            text.faint x="8" y="14" { "PGR" }
        }
    }
}

/// Places of all rows, and of the border between graded and replicated ones.
fn places(rows: &[f64], split: usize, over: Over) -> (Vec<f64>, f64) {
    let (from, to) = (56.0, WIDTH - 74.0);
    if over == Over::Evaluations {
        let step = (to - from) / rows.len() as f64;
        return (rows.iter().map(|at| from + step * at).collect(), from + step * split as f64);
    }
    let share = if split == rows.len() { 1.0 } else { 0.8 };
    let border = from + (to - from) * share;
    let graded = &rows[..split];
    let last = graded.last().copied().unwrap_or(1.0).max(1e-9);
    let mut x: Vec<f64> = graded.iter().map(|at| from + (border - from - 10.0) * at / last).collect();
    let step = (to - border) / (rows.len() - split).max(1) as f64;
    x.extend((0..rows.len() - split).map(|at| border + step * (at as f64 + 0.5)));
    (x, border)
}

/// Baselines as lines, plain training with the noise floor around it, and the random control's best so far as a step.
fn references(graded: &[&Row], x: &[f64], floor: Option<f64>, y: &Axis) -> Markup {
    let baselines: Vec<&&Row> = graded.iter().filter(|row| row.kind == Kind::Baseline).collect();
    let plain = baselines.iter().find(|row| row.record.is_plain()).and_then(|row| row.pgr());
    let random = best_so_far(graded, x, |row| row.kind == Kind::Random);
    let end = WIDTH - 70.0;
    let mut labels: Vec<(f64, String)> =
        baselines.iter().filter_map(|row| Some((y.at(row.pgr()?), short(&row.record.asked.name)))).collect();
    labels.extend(random.last().map(|step| (y.at(step.pgr.value), "random".to_owned())));
    html! {
        @if let (Some(plain), Some(floor)) = (plain, floor) {
            rect x="50" width=(end - 50.0) y=(y.at(plain + floor)) height=(y.at(plain - floor) - y.at(plain + floor)) fill="var(--faint)" opacity="0.15" {}
        }
        @for row in &baselines {
            @if let Some(value) = row.pgr() {
                line x1="50" x2=(end) y1=(y.at(value)) y2=(y.at(value)) stroke="var(--warn)" stroke-opacity=(if row.record.is_plain() { "1" } else { "0.4" }) { title { (row.record.asked.name) } }
            }
        }
        path d=(steps(&random, y)) fill="none" stroke="var(--warn)" stroke-width="1.5" stroke-dasharray="2 4" {}
        @for (at, label) in spread(labels) { text data-told x=(end + 4.0) y=(format!("{:.1}", at + 4.0)) { (label) } }
    }
}

/// As much of a name as there is room for.
fn short(name: &str) -> String {
    if name.chars().count() > 10 { name.chars().take(9).chain(['…']).collect() } else { name.to_owned() }
}

/// Labels moved apart, from the top down.
fn spread(mut labels: Vec<(f64, String)>) -> Vec<(f64, String)> {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    labels.dedup_by(|a, b| a.1 == b.1);
    // As much up as down, for those that lie on one another.
    let mut free = labels.first().map_or(0.0, |label| label.0 - 6.0 * (labels.len() as f64 - 1.0)).max(6.0);
    for label in &mut labels {
        label.0 = label.0.max(free);
        free = label.0 + 12.5;
    }
    labels
}

/// A new best: from here on.
struct Step {
    x: f64,
    until: f64,
    pgr: Pgr,
}

fn is_team(row: &Row) -> bool {
    !matches!(row.kind, Kind::Baseline | Kind::Random | Kind::Control)
}

fn best_so_far(graded: &[&Row], x: &[f64], wanted: impl Fn(&Row) -> bool) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    let end = x.get(graded.len().saturating_sub(1)).copied().unwrap_or(0.0);
    for (row, &x) in graded.iter().zip(x).filter(|(row, _)| wanted(row)) {
        let Some(pgr) = row.score.pgr else { continue };
        if steps.last().is_none_or(|best| pgr.value > best.pgr.value) {
            if let Some(last) = steps.last_mut() {
                last.until = x;
            }
            steps.push(Step { x, until: end, pgr });
        }
    }
    steps
}

fn steps(best: &[Step], y: &Axis) -> String {
    let mut path = String::new();
    for step in best {
        let turn = if path.is_empty() { format!("M{:.1} ", step.x) } else { "V".into() };
        let _ = write!(path, "{turn}{:.1}H{:.1}", y.at(step.pgr.value), step.until);
    }
    path
}

/// The intervals of the best so far.
fn band(best: &[Step], y: &Axis) -> String {
    let box_of = |step: &Step| {
        let (top, bottom) = (y.at(step.pgr.high), y.at(step.pgr.low));
        format!("M{:.1} {top:.1}H{:.1}V{bottom:.1}H{:.1}Z", step.x, step.until, step.x)
    };
    best.iter().map(box_of).collect()
}

fn dots(graded: &[&Row], x: &[f64], y: &Axis) -> String {
    let mut path = String::new();
    for (i, value) in graded.iter().enumerate().filter_map(|(i, row)| Some((i, row.pgr()?))) {
        let _ = write!(path, "M{:.1} {:.1}h0", x[i], y.at(value));
    }
    path
}

fn point(row: &Row, x: f64, y: &Axis, link: &dyn Fn(i64) -> String) -> Markup {
    let Some(pgr) = row.score.pgr else { return html! {} };
    let at = y.at(pgr.value);
    let solid = row.rung.is_result();
    let fill = if solid { "var(--accent)" } else { "var(--paper)" };
    let (x, at) = ((x * 10.0).round() / 10.0, (at * 10.0).round() / 10.0);
    html! {
        a href=(link(row.record.id)) stroke="var(--accent)" stroke-width="1.5" stroke-opacity=(if solid { "1" } else { "0.75" }) {
            title { "#" (row.record.id) " " (row.record.asked.name) " by " (row.author()) ": " (super::layout::with_interval(row.score.pgr)) }
            line x1=(x) x2=(x) y1=(format!("{:.1}", y.at(pgr.low))) y2=(format!("{:.1}", y.at(pgr.high))) stroke-width=(if solid { "2" } else { "1" }) {}
            @match row.kind {
                Kind::Baseline => { rect x=(x - 4.0) y=(at - 4.0) width="8" height="8" fill=(fill) {} }
                Kind::Random => { path d=(format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, at - 4.0)) {} }
                _ => { circle cx=(x) cy=(at) r="4.5" fill=(fill) {} }
            }
        }
    }
}

/// A line through values at even steps, over a fainter one: entropy below the most it could be.
pub fn line(values: &[f64], most: &[f64], label: &str, name: &str) -> Markup {
    let top = most.iter().chain(values).fold(1.0f64, |top, value| top.max(*value));
    let (height, last) = (200.0, values.len().saturating_sub(1).max(1) as f64);
    let place = |(at, value): (usize, &f64)| {
        format!("{:.1},{:.1}", 56.0 + (WIDTH - 126.0) * at as f64 / last, height - 30.0 - (height - 50.0) * value / top)
    };
    let points = |values: &[f64]| values.iter().enumerate().map(place).collect::<Vec<_>>().join(" ");
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(label) {
            @for tick in 0..=(top.floor() as usize) {
                @let y = format!("{:.1}", height - 30.0 - (height - 50.0) * tick as f64 / top);
                line x1="50" x2=(WIDTH - 70.0) y1=(y) y2=(y) stroke="var(--line)" {}
                text.faint x="44" y=(y) dy="4" text-anchor="end" { (tick) }
            }
            polyline points=(points(most)) fill="none" stroke="var(--faint)" stroke-dasharray="3 4" {}
            polyline points=(points(values)) fill="none" stroke="var(--accent)" stroke-width="2" {}
            text.faint x="56" y=(height - 8.0) { (label) }
            text.faint x="8" y="14" { (name) }
        }
    }
}

/// One value with its interval and seeds, on the scale shared by all rows.
pub fn whisker(value: Option<(f64, [f64; 2])>, by_seed: &[f64], solid: bool, scale: &Axis) -> Markup {
    html! { svg width="230" height="22" viewBox="0 0 230 22" aria-hidden="true" { (dot(value, by_seed, solid, scale)) } }
}

/// The same as a part of another figure.
pub(super) fn dot(value: Option<(f64, [f64; 2])>, by_seed: &[f64], solid: bool, scale: &Axis) -> Markup {
    let at = |value: f64| format!("{:.1}", scale.at(value));
    html! {
        line x1=(at(0.0)) x2=(at(0.0)) y1="2" y2="20" stroke="var(--line)" {}
        line x1=(at(1.0)) x2=(at(1.0)) y1="2" y2="20" stroke="var(--line)" {}
        @if let Some((value, [low, high])) = value {
            line x1=(at(low)) x2=(at(high)) y1="11" y2="11" stroke="var(--accent)" stroke-width="2" {}
            @for seed in by_seed { circle cx=(at(*seed)) cy="11" r="1.6" fill="var(--faint)" {} }
            circle cx=(at(value)) cy="11" r="4" fill=(if solid { "var(--accent)" } else { "var(--paper)" }) stroke="var(--accent)" stroke-width="1.5" {}
        }
    }
}
