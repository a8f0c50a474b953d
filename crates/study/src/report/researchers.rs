//! What the researchers did: how their time went, who built on whom, findings.

use crate::result::{Row, StudyResult};
use aar_domain::rung::Kind;
use aar_server::Server;
use aar_server::handle::Snapshot;
use aar_server::pages::origin::{evaluation, of, told};
use aar_server::pages::timeline::{Lanes, key};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Findings listed per researcher; all are in the log.
const LISTED: usize = 12;

/// The section.
pub fn section(result: &StudyResult, server: &Server, snapshot: &Snapshot) -> Markup {
    html! {
        section {
            h2 { "What the researchers did" }
            (time(server, snapshot))
            h3 { "Who built on whom" }
            (timeline(result, snapshot))
            @for researcher in &result.researchers {
                h3 { (told(&researcher.name)) " " span.tag { (researcher.kind.map_or("human".into(), |kind| format!("{kind:?}").to_lowercase())) } }
                @if let Some(direction) = &researcher.direction { p.note { "started from: " (told(direction)) } }
                @let shown = |what: &str, shown: String| of(format_args!("researcher/{}/{what}", researcher.name), shown);
                p {
                    (shown("evaluations", counted(researcher.evaluations as usize, "evaluation"))) ", " (shown("findings", counted(researcher.findings, "finding"))) ", "
                    (shown("wall_s", format!("{:.0} s", researcher.wall_s))) " at work, " (shown("touches", counted(researcher.cheating.decoys, "decoy"))) " touched, " (shown("marked", counted(researcher.cheating.marked, "submission"))) " not ranked" (shown("built_on", built_on(result, &researcher.name)))
                }
                (findings(snapshot, &researcher.name))
            }
        }
    }
}

/// What everybody was at.
fn time(server: &Server, snapshot: &Snapshot) -> Markup {
    let course = server.course();
    let lanes = Lanes::of(&course, snapshot.participants.iter(), &snapshot.evaluations, |_| true);
    html! {
        figure {
            div.wide { (lanes.figure()) }
            figcaption { (key()) " Time of research, without what lies between runs. Who works in turns trains when its evaluation does; what others were at was seen from outside." }
        }
        details { summary { "The data behind the figure" } (lanes.table()) }
    }
}

/// A number with its noun, in the plural where it must be.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn built_on(result: &StudyResult, name: &str) -> String {
    let mut authors: BTreeMap<&str, usize> = BTreeMap::new();
    for row in result.leaderboard.iter().filter(|row| !row.rung.is_result() && row.by == name) {
        if let Some(author) = row.parent_by.as_deref().filter(|author| *author != name) {
            *authors.entry(author).or_default() += 1;
        }
    }
    if authors.is_empty() {
        return String::new();
    }
    let list: Vec<String> = authors.iter().map(|(author, count)| format!("{author} ({count})")).collect();
    format!("; built on snapshots of {}", list.join(", "))
}

fn findings(snapshot: &Snapshot, name: &str) -> Markup {
    let own: Vec<_> = snapshot.findings.iter().filter(|finding| finding.posted.by == name).collect();
    html! {
        @if !own.is_empty() {
            details {
                summary { "findings" }
                ul {
                    @for finding in own.iter().rev().take(LISTED) {
                        li {
                            span.tag { (format!("{:?}", finding.posted.kind).to_lowercase()) } " " (told(&finding.posted.title)) " "
                            @match finding.posted.evaluation { Some(evaluation) => (super::evidence(evaluation)), None => span.tag { "claimed" } }
                            @for (_, comment) in &finding.comments { br; span.note data-told { (comment.by) ": " (comment.body) } }
                        }
                    }
                }
                @if own.len() > LISTED { p.note { "and earlier ones, which the log keeps" } }
            }
        }
    }
}

/// One line per researcher: its graded submissions in order, joined to what they were built on.
fn timeline(result: &StudyResult, snapshot: &Snapshot) -> Markup {
    let names: Vec<&str> = result.researchers.iter().map(|researcher| researcher.name.as_str()).collect();
    let graded: Vec<&Row> =
        result.leaderboard.iter().filter(|row| !row.rung.is_result() && names.contains(&row.by.as_str())).collect();
    let turn = |row: &Row| {
        snapshot.evaluations.get(row.evaluation as usize - 1).and_then(|record| record.asked.turn).unwrap_or(0)
    };
    let turns = graded.iter().map(|row| turn(row)).max().unwrap_or(0) + 1;
    let (left, row_height) = (90.0, 46.0);
    let step = (860.0 - left - 20.0) / f64::from(turns);
    let place = |row: &Row| {
        let y = names.iter().position(|name| *name == row.by).unwrap_or(0) as f64 * row_height + 26.0;
        (left + step * (f64::from(turn(row)) + 0.5), y)
    };
    let height = names.len() as f64 * row_height + 24.0;
    html! {
        figure {
            div.wide { svg viewBox={ "0 0 860 " (height) } role="img" aria-label="who built on whom" {
                @for (i, name) in names.iter().enumerate() {
                    text data-told x="4" y=(i as f64 * row_height + 30.0) { (name) }
                    line x1=(left) x2="850" y1=(i as f64 * row_height + 26.0) y2=(i as f64 * row_height + 26.0) stroke="var(--line)" {}
                }
                @for row in &graded {
                    @if let Some(parent) = parent_of(row, &graded, snapshot) {
                        (edge(place(parent), place(row)))
                    }
                }
                @for row in &graded {
                    g {
                        title { "#" (row.evaluation) " " (row.method) }
                        circle cx=(place(row).0) cy=(place(row).1) r="5" fill=(if row.kind == Kind::Random { "var(--faint)" } else { "var(--accent)" }) {}
                        text.value data-from={ "evaluation/" (row.evaluation) "/pgr" } x=(place(row).0) y=(place(row).1 - 9.0) text-anchor="middle" { (row.pgr.map_or("–".into(), |pgr| format!("{pgr:.2}"))) }
                    }
                }
                text.faint x=(left) y=(height - 6.0) { "turns →" }
            } }
            figcaption { "Graded submissions by turn, with their PGR; a curve leads from the snapshot a submission was built on." }
        }
        details { summary { "The data behind the figure" }
            div.scroll { table.small {
                thead { tr { th { "#" } th { "by" } th { "turn" } th { "PGR" } th { "built on" } } }
                tbody { @for row in &graded { tr {
                    td { (super::evidence(row.evaluation)) } td { (told(&row.by)) } td.n { (evaluation(row.evaluation, "turn", turn(row))) }
                    td.n { (evaluation(row.evaluation, "pgr", row.pgr.map_or("–".into(), |pgr| format!("{pgr:.2}")))) }
                    td { @match parent_of(row, &graded, snapshot) { Some(parent) => (super::evidence(parent.evaluation)), None => "–" } }
                } } }
            } }
        }
    }
}

/// The earlier submission that a row was built on.
fn parent_of<'a>(row: &Row, rows: &[&'a Row], snapshot: &Snapshot) -> Option<&'a Row> {
    let parent = row.parent.as_ref()?;
    let ended = |row: &Row| snapshot.evaluations.get(row.evaluation as usize - 1).and_then(|record| record.ended_ms);
    let asked = snapshot.evaluations.get(row.evaluation as usize - 1)?.at_ms;
    rows.iter()
        .copied()
        .filter(|other| other.bundle == *parent)
        .find(|other| ended(other).is_some_and(|at| at <= asked))
}

fn edge(from: (f64, f64), to: (f64, f64)) -> Markup {
    let bend = (to.0 - from.0) / 2.0;
    let path = format!(
        "M{:.1},{:.1} C{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}",
        from.0,
        from.1,
        from.0 + bend,
        from.1 + 14.0,
        to.0 - bend,
        to.1 + 14.0,
        to.0,
        to.1
    );
    html! { path d=(path) fill="none" stroke="var(--faint)" stroke-width="1.4" {} }
}
