//! Families of ideas: how mixed the team was through time, and which were tried.

use crate::result::{Row, StudyResult};
use aar_domain::rung::Kind;
use aar_server::handle::Snapshot;
use aar_server::ideas::{self, Point};
use aar_server::pages::figures::line;
use aar_server::pages::origin::{evaluation, of, told};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Points drawn at most.
const DRAWN: usize = 100;

/// The section.
pub fn section(result: &StudyResult, snapshot: &Snapshot) -> Markup {
    let course = ideas::course(&snapshot.evaluations, &snapshot.retired);
    let step = course.len().div_ceil(DRAWN).max(1);
    let drawn: Vec<Point> = course.iter().rev().step_by(step).rev().copied().collect();
    let (values, most): (Vec<f64>, Vec<f64>) = drawn.iter().map(|point| (point.entropy, point.most())).unzip();
    html! {
        section {
            h2 { "Ideas" }
            @if drawn.len() > 1 {
                figure {
                    div.wide { (line(&values, &most, "submissions, in the order they were made", "bits")) }
                    figcaption { "Entropy of idea families over the researchers at work, each standing where its latest submission does. Nought: all in one family. Dashed: every one in a family of its own." }
                }
                (data(&drawn))
            }
            @for notice in &result.collapses {
                p { "After " (super::evidence(notice.evaluation)) " nearly all who were at work stood in one family: " (told(&notice.family))
                    @if let Some(name) = &notice.redirected { "; a new direction was given to " (told(name)) } "." }
            }
            (families(result))
        }
    }
}

fn data(drawn: &[Point]) -> Markup {
    html! {
        details { summary { "The data behind the figure" }
            div.scroll { table.small {
                thead { tr { th { "after" } th { "researchers at work" } th { "families" } th { "entropy, bits" } } }
                tbody { @for point in drawn { tr {
                    @let from = format!("entropy/{}", point.evaluation);
                    td { (super::evidence(point.evaluation)) } td.n { (of(&from, point.active)) } td.n { (of(&from, point.families)) } td.n { (of(&from, format!("{:.2}", point.entropy))) }
                } } }
            } }
        }
    }
}

fn families(result: &StudyResult) -> Markup {
    let mut families = BTreeMap::<&str, Vec<&Row>>::new();
    for row in result.leaderboard.iter().filter(|row| !row.rung.is_result() && row.kind != Kind::Baseline) {
        families.entry(&row.family).or_default().push(row);
    }
    html! {
        table.small {
            thead { tr { th { "family" } th { "graded submissions" } th { "best graded PGR" } th { "#" } } }
            tbody {
                @for (family, rows) in &families {
                    // Rows come best first.
                    @let best = rows[0];
                    tr {
                        td { (told(family)) } td.n { (of(format_args!("graded/{family}"), rows.len())) }
                        td.n { (evaluation(best.evaluation, "pgr", best.pgr.map_or("–".into(), |pgr| format!("{pgr:.2}")))) } td { (super::evidence(best.evaluation)) }
                    }
                }
            }
        }
    }
}
