//! The study at a glance: problem, headline figure, gauges, what runs now, verdict.

use super::layout::{Frame, evidence, live, page as framed, with_interval};
use super::scores::{Board, Row};
use super::{Pages, Visitor, figures};
use crate::event::{Phase, Role};
use crate::record::{EvaluationRecord, Status};
use crate::state::State;
use aar_domain::rung::{Rung, Split};
use aar_grader::ledger::{Account, Unit};
use aar_grader::vault::Frozen;
use axum::Extension;
use axum::extract::State as Part;
use axum::response::Html;
use maud::{Markup, html};

/// Rows in the short table.
const SHORT: usize = 8;

/// The page.
pub async fn page(Part(pages): Part<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let board = pages.scores.board().await;
    let vault = pages.shared.vault.clone();
    let frozen = tokio::task::spawn_blocking(move || vault.frozen(Split::Selection)).await.ok();
    let concluded = pages.verdict.lock().ok().and_then(|verdict| verdict.clone());
    let inner = pages.shared.inner.lock().await;
    let state = &inner.state;
    let body = html! {
        (live("glance", &html! {
            p.verdict { (verdict(state, concluded.as_deref())) }
            (facts(state, frozen, &board))
        }))
        (live("headline", &headline(&board, state)))
        (live("now", &now(state)))
        (live("team", &team(state)))
    };
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Study", "/").await, &body)
}

fn verdict(state: &State, concluded: Option<&str>) -> String {
    match (state.phase, concluded) {
        (_, Some(verdict)) => verdict.to_owned(),
        (Phase::Closed, None) => "The study is closed. Its verdict stands in the report: `aar report DIR`.".into(),
        (Phase::Closing, None) => {
            "Finalists are being re-run on fresh seeds and unseen items; only that makes results.".into()
        }
        (Phase::Baselines, None) => "The baselines run first; researchers start when they are done.".into(),
        (Phase::Running, None) => {
            "No verdict yet: graded values are announcements, and the best of many is a maximum over noise.".into()
        }
    }
}

fn facts(state: &State, frozen: Option<Frozen>, board: &Board) -> Markup {
    let opening = state.opening.as_ref();
    let best = board.rows.iter().find(|row| row.kind != aar_domain::rung::Kind::Baseline);
    html! {
        p.note {
            "weak-to-strong / " (opening.map_or("", |opening| opening.subject.as_str()))
            ", testbed " strong { (opening.map_or("", |opening| opening.testbed.as_str())) }
            @if board.waiting > 0 { " · " (board.waiting) " evaluations are still being scored" }
        }
        dl.facts {
            @if let Some(frozen) = frozen {
                div { dt { "weak teacher" } dd { (format!("{:.3} ± {:.3}", frozen.weak, frozen.weak_se)) } }
                div { dt { "ceiling" } dd { (format!("{:.3} ± {:.3}", frozen.ceiling, frozen.ceiling_se)) } }
                div { dt { "gap" } dd { (format!("{:.3}", frozen.ceiling - frozen.weak)) } }
            }
            @if let Some(floor) = board.noise_floor { div { dt { "noise floor, graded" } dd { (format!("± {floor:.2} PGR")) } } }
            @if let Some(best) = best {
                div { dt { "best " (if best.rung == Rung::Graded { "announced" } else { "replicated" }) } dd { (with_interval(best.score.pgr)) " " (evidence(best.record.id)) } }
            }
            (gauge("evaluations", state.ledger.account(Unit::Evaluations), 1.0, ""))
            (gauge("leak ledger", state.ledger.account(Unit::MilliBits), 1000.0, " bits"))
            (gauge("computing, all evaluations", state.ledger.account(Unit::CpuMs), 1000.0, " CPU-s"))
        }
    }
}

fn gauge(name: &str, account: Account, per: f64, unit: &str) -> Markup {
    let (used, reserved) = (account.used as f64 / per, account.reserved as f64 / per);
    html! {
        div {
            dt { (name) }
            dd {
                (format!("{used:.0}")) @if let Some(limit) = account.limit { " of " (format!("{:.0}", limit as f64 / per)) } (unit)
                @if reserved > 0.0 { small { " + " (format!("{reserved:.0}")) " held back" } }
                @if let Some(limit) = account.limit {
                    meter min="0" max=(limit.max(1)) value=(account.used + account.reserved) aria-label=(name) {}
                }
            }
        }
    }
}

fn headline(board: &Board, state: &State) -> Markup {
    let rows: Vec<&Row> = board.rows.iter().take(SHORT).collect();
    html! {
        h2 { "PGR over evaluations" }
        @if rows.is_empty() {
            p.empty { "Nothing is evaluated yet. " @if state.evaluations.is_empty() { "The first evaluations are the baselines; they are queued in a moment." } @else { "What is under way stands below." } }
        } @else {
            figure {
                div.wide { (figures::progress(board)) }
                figcaption {
                    "Hollow: graded on the feedback split. Solid: replicated on fresh seeds and unseen items. Circles: researchers; squares: baselines; crosses: the random control. \
                     The step is the best so far, a maximum over noise; the band is plain ± the noise floor. Whiskers: 95 % intervals. "
                    a href="/figures/progress.svg" download { "SVG" } " · " a href="/data/evaluations.csv" download { "CSV" }
                }
            }
            div.scroll { table {
                thead { tr { th { "rank" } th { "method" } th { "by" } th { "rung" } th.n { "PGR [95 %]" } th { "evaluation" } } }
                tbody { @for row in &rows { tr {
                    td { (row.rank) } td { (row.record.asked.name) } td { (row.author()) } td { (super::board::rung(row.rung)) }
                    td.n { (with_interval(row.score.pgr)) } td { (evidence(row.record.id)) }
                } } }
            } }
            p { a href="/leaderboard" { "The whole leaderboard (" (board.rows.len()) " rows)" } }
        }
    }
}

fn now(state: &State) -> Markup {
    let under_way: Vec<&EvaluationRecord> =
        state.evaluations.iter().filter(|record| record.status == Status::Running).collect();
    let queued = state.evaluations.iter().filter(|record| record.status == Status::Queued).count();
    html! {
        h2 { "What runs now" }
        @if under_way.is_empty() && queued == 0 {
            p.empty {
                @if state.phase == Phase::Closed { "Nothing: the study is over." }
                @else { "No evaluation. If this stays so, researchers are thinking, or the study was stopped: the command that started it goes on with it." }
            }
        } @else {
            ul { @for record in under_way.iter().take(12) { li {
                (evidence(record.id)) " " (record.asked.name) " by " (record.asked.by) ": "
                meter min="0" max=(record.jobs.len()) value=(record.done) aria-label="seeds" {} " seed " ((record.done + 1).min(record.jobs.len())) " of " (record.jobs.len())
            } } }
            @if queued > 0 { p.note { (queued) " more wait for a worker." } }
        }
    }
}

fn team(state: &State) -> Markup {
    let names = state.participants.values().filter(|participant| participant.role == Role::Researcher);
    html! {
        h2 { "Latest in the forum" }
        @if state.findings.is_empty() { p.empty { "No findings yet; researchers post them as they learn something." } }
        ul { @for finding in state.findings.iter().rev().take(5) { li {
            a href={ "/forum/" (finding.id) } { (finding.posted.title) } span.note { " " (super::forum::kind(finding.posted.kind)) " by " (finding.posted.by) }
        } } }
        p { a href="/researchers" { (names.count()) " researchers" } " · " a href="/forum" { (state.findings.len()) " findings" } }
    }
}
