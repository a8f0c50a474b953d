//! The figures, as SVG that uses the page's own colours.

use crate::result::{Row, StudyResult};
use aar_domain::rung::{Kind, Rung};
use aar_server::handle::Snapshot;
use aar_server::pages::axis::Axis;
use maud::{Markup, html};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 320.0;

/// PGR over evaluations in the order they ended: graded points hollow, replicated ones solid with whiskers.
pub fn progress(result: &StudyResult, snapshot: &Snapshot) -> Markup {
    let ended = |row: &&Row| {
        snapshot.evaluations.get(row.evaluation as usize - 1).and_then(|record| record.ended_ms).unwrap_or(0)
    };
    let mut rows: Vec<&Row> = result.leaderboard.iter().filter(|row| row.pgr.is_some()).collect();
    rows.sort_by_key(|row| (row.rung, ended(row), row.evaluation));
    if rows.is_empty() {
        return html! { p.note { "No PGR to draw." } };
    }
    let values = rows.iter().flat_map(|row| row.pgr.into_iter().chain(row.pgr_ci.into_iter().flatten()));
    let y = Axis::over(values, HEIGHT - 36.0, 12.0);
    let step = (WIDTH - 80.0) / rows.len() as f64;
    let x = |i: usize| 56.0 + step * (i as f64 + 0.5);
    let split = rows.iter().position(|row| row.rung != Rung::Graded).unwrap_or(rows.len());
    html! {
        figure style="margin: 1rem 0" {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label="PGR of every evaluation" {
                @for tick in y.ticks() {
                    line x1="50" x2=(WIDTH - 10.0) y1=(y.at(tick)) y2=(y.at(tick)) stroke="var(--line)" stroke-width="1" {}
                    text.faint x="44" y=(y.at(tick) + 4.0) text-anchor="end" { (format!("{tick:.2}")) }
                }
                @if let (Some(floor), Some(plain)) = (result.noise_floor, plain_value(result)) {
                    rect x="50" width=(WIDTH - 60.0) y=(y.at(plain + floor)) height=((y.at(plain - floor) - y.at(plain + floor)).max(0.0)) fill="var(--faint)" opacity="0.15" {}
                    text.faint x=(WIDTH - 14.0) y=(y.at(plain + floor) - 4.0) text-anchor="end" { "plain ± noise floor" }
                }
                @if split < rows.len() {
                    line x1=(x(split) - step / 2.0) x2=(x(split) - step / 2.0) y1="6" y2=(HEIGHT - 30.0) stroke="var(--faint)" stroke-dasharray="4 4" {}
                    text.faint x=(x(split) - step / 2.0 + 4.0) y="16" { "replicated" }
                }
                @for (i, row) in rows.iter().enumerate() { (point(row, x(i), &y)) }
                text.faint x="56" y=(HEIGHT - 8.0) { "evaluations, in the order they ended" }
                text.faint x="56" y="16" { "PGR" }
            }
            figcaption {
                "Every evaluation. Hollow: graded on the feedback split (announcements). Solid: replicated on fresh seeds and unseen items (results). \
                 Circles: researchers; squares: baselines; crosses: the random control. Whiskers: 95 % intervals. The numbers stand in the table below."
            }
        }
    }
}

/// Plain training's graded PGR.
fn plain_value(result: &StudyResult) -> Option<f64> {
    result.leaderboard.iter().find(|row| row.rung == Rung::Graded && row.p_plain.is_none())?.pgr
}

fn point(row: &Row, x: f64, y: &Axis) -> Markup {
    let value = row.pgr.unwrap_or(0.0);
    let at = y.at(value);
    let solid = row.rung != Rung::Graded;
    let fill = if solid { "var(--accent)" } else { "var(--paper)" };
    let opacity = if solid { "1" } else { "0.75" };
    html! {
        g opacity=(opacity) stroke="var(--accent)" stroke-width="1.5" {
            title { "#" (row.evaluation) " " (row.method) " by " (row.by) ": " (format!("{value:.2}")) }
            @if let Some([low, high]) = row.pgr_ci {
                line x1=(x) x2=(x) y1=(y.at(low)) y2=(y.at(high)) stroke-width=(if solid { "2" } else { "1" }) {}
            }
            @match row.kind {
                Kind::Baseline => { rect x=(x - 4.0) y=(at - 4.0) width="8" height="8" fill=(fill) {} }
                Kind::Random => {
                    line x1=(x - 4.0) x2=(x + 4.0) y1=(at - 4.0) y2=(at + 4.0) {}
                    line x1=(x - 4.0) x2=(x + 4.0) y1=(at + 4.0) y2=(at - 4.0) {}
                }
                _ => { circle cx=(x) cy=(at) r="4.5" fill=(fill) {} }
            }
        }
    }
}
