//! Figures as SVG in the page's own colours. No colour alone carries meaning: kinds have shapes.

use super::axis::Axis;
use super::scores::{Board, Row};
use aar_domain::rung::{Kind, Rung};
use maud::{Markup, html};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 320.0;
/// More graded points than this are drawn as dots without a link each.
const LINKED: usize = 120;

/// PGR over evaluations in the order they ended: graded points hollow, the best so far as a step, replicated ones solid.
pub fn progress(board: &Board) -> Markup {
    let mut rows: Vec<&Row> = board.rows.iter().filter(|row| row.pgr().is_some()).collect();
    rows.sort_by_key(|row| (row.rung, row.record.ended_ms, row.record.id));
    if rows.is_empty() {
        return html! {};
    }
    let values = rows.iter().flat_map(|row| row.score.pgr).flat_map(|pgr| [pgr.value, pgr.low, pgr.high]);
    let y = Axis::over(values, HEIGHT - 36.0, 22.0);
    let step = (WIDTH - 130.0) / rows.len() as f64;
    let x = |i: usize| 56.0 + step * (i as f64 + 0.5);
    let split = rows.iter().position(|row| row.rung != Rung::Graded).unwrap_or(rows.len());
    let crowded = rows.len() > LINKED;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label="PGR of every evaluation" {
            @for tick in y.ticks() {
                line x1="50" x2=(WIDTH - 70.0) y1=(y.at(tick)) y2=(y.at(tick)) stroke="var(--line)" {}
                text.faint x="44" y=(y.at(tick) + 4.0) text-anchor="end" { (format!("{tick:.2}")) }
            }
            (references(&rows[..split], board.noise_floor, &y))
            @if split < rows.len() {
                line x1=(x(split) - step / 2.0) x2=(x(split) - step / 2.0) y1="6" y2=(HEIGHT - 30.0) stroke="var(--faint)" stroke-dasharray="4 4" {}
                text.faint x=(x(split) - step / 2.0 - 4.0) y="14" text-anchor="end" { "replicated →" }
            }
            path d=(best_so_far(&rows[..split], &x, &y)) fill="none" stroke="var(--accent)" stroke-width="1.5" stroke-opacity="0.6" {}
            @if crowded { path d=(dots(&rows[..split], &x, &y)) stroke="var(--accent)" stroke-width="3.5" stroke-linecap="round" stroke-opacity="0.55" {} }
            @for (i, row) in rows.iter().enumerate().skip(if crowded { split } else { 0 }) { (point(row, x(i), &y)) }
            text.faint x="56" y=(HEIGHT - 8.0) { "evaluations, in the order they ended" }
            text.faint x="8" y="14" { "PGR" }
        }
    }
}

/// Plain training with the noise floor around it, and the random control's best, as lines.
fn references(graded: &[&Row], floor: Option<f64>, y: &Axis) -> Markup {
    let plain = graded.iter().find(|row| row.is_plain()).and_then(|row| row.pgr());
    let random =
        graded.iter().filter(|row| row.kind == Kind::Random).filter_map(|row| row.pgr()).max_by(|a, b| a.total_cmp(b));
    let end = WIDTH - 70.0;
    let crossing = plain.zip(random).is_some_and(|(a, b)| (y.at(a) - y.at(b)).abs() < 13.0);
    html! {
        @if let (Some(plain), Some(floor)) = (plain, floor) {
            rect x="50" width=(end - 50.0) y=(y.at(plain + floor)) height=(y.at(plain - floor) - y.at(plain + floor)) fill="var(--faint)" opacity="0.15" {}
        }
        @for (value, name, dash, shift) in [(plain, "plain", "none", 4.0), (random, "random", "2 4", if crossing { 17.0 } else { 4.0 })] {
            @if let Some(value) = value {
                line x1="50" x2=(end) y1=(y.at(value)) y2=(y.at(value)) stroke="var(--warn)" stroke-dasharray=(dash) {}
                text x=(end + 4.0) y=(y.at(value) + shift) { (name) }
            }
        }
    }
}

fn best_so_far(graded: &[&Row], x: &impl Fn(usize) -> f64, y: &Axis) -> String {
    let (mut path, mut best) = (String::new(), f64::NEG_INFINITY);
    for (i, value) in graded.iter().enumerate().filter_map(|(i, row)| Some((i, row.pgr()?))) {
        if value > best {
            let start = if path.is_empty() { 'M' } else { 'H' };
            let _ = match start {
                'M' => write!(path, "M{:.1} {:.1}", x(i), y.at(value)),
                _ => write!(path, "H{:.1}V{:.1}", x(i), y.at(value)),
            };
            best = value;
        }
    }
    if !path.is_empty() {
        let _ = write!(path, "H{:.1}", x(graded.len() - 1));
    }
    path
}

fn dots(graded: &[&Row], x: &impl Fn(usize) -> f64, y: &Axis) -> String {
    let mut path = String::new();
    for (i, value) in graded.iter().enumerate().filter_map(|(i, row)| Some((i, row.pgr()?))) {
        let _ = write!(path, "M{:.1} {:.1}h0", x(i), y.at(value));
    }
    path
}

fn point(row: &Row, x: f64, y: &Axis) -> Markup {
    let Some(pgr) = row.score.pgr else { return html! {} };
    let at = y.at(pgr.value);
    let solid = row.rung != Rung::Graded;
    let fill = if solid { "var(--accent)" } else { "var(--paper)" };
    html! {
        a href={ "/evaluations/" (row.record.id) } stroke="var(--accent)" stroke-width="1.5" stroke-opacity=(if solid { "1" } else { "0.75" }) {
            title { "#" (row.record.id) " " (row.record.asked.name) " by " (row.author()) ": " (super::layout::with_interval(row.score.pgr)) }
            line x1=(x) x2=(x) y1=(y.at(pgr.low)) y2=(y.at(pgr.high)) stroke-width=(if solid { "2" } else { "1" }) {}
            @match row.kind {
                Kind::Baseline => { rect x=(x - 4.0) y=(at - 4.0) width="8" height="8" fill=(fill) {} }
                Kind::Random => { path d=(format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, at - 4.0)) {} }
                _ => { circle cx=(x) cy=(at) r="4.5" fill=(fill) {} }
            }
        }
    }
}

/// One value with its interval and seeds, on the scale shared by all rows.
pub fn whisker(value: Option<(f64, [f64; 2])>, by_seed: &[f64], solid: bool, scale: &Axis) -> Markup {
    html! {
        svg width="230" height="22" viewBox="0 0 230 22" aria-hidden="true" {
            line x1=(scale.at(0.0)) x2=(scale.at(0.0)) y1="2" y2="20" stroke="var(--line)" {}
            line x1=(scale.at(1.0)) x2=(scale.at(1.0)) y1="2" y2="20" stroke="var(--line)" {}
            @if let Some((value, [low, high])) = value {
                line x1=(scale.at(low)) x2=(scale.at(high)) y1="11" y2="11" stroke="var(--accent)" stroke-width="2" {}
                @for seed in by_seed { circle cx=(scale.at(*seed)) cy="11" r="1.6" fill="var(--faint)" {} }
                circle cx=(scale.at(value)) cy="11" r="4" fill=(if solid { "var(--accent)" } else { "var(--paper)" }) stroke="var(--accent)" stroke-width="1.5" {}
            }
        }
    }
}
