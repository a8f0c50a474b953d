//! The study at a glance: problem, headline figure, gauges, what runs now, verdict.

use super::figures::{self, Over};
use super::layout::{Frame, evidence, live, page as framed, with_interval};
use super::origin::{self, of, told};
use super::{Pages, Visitor};
use crate::board::{Board, Row};
use crate::event::{Phase, Role};
use crate::record::{EvaluationRecord, Status};
use crate::spending::{self, Spending};
use crate::state::State;
use aar_domain::rung::Split;
use aar_grader::ledger::{Account, Unit};
use aar_grader::vault::Frozen;
use axum::Extension;
use axum::extract::{Query, State as Part};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;
use std::time::Duration;

/// A page waits so long for weak and ceiling.
const PATIENCE: Duration = Duration::from_millis(30);
/// Rows in the short table.
const SHORT: usize = 8;

/// What the headline is drawn over.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    over: String,
}

/// The page.
pub async fn page(
    Part(pages): Part<Pages>,
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Html<String> {
    let board = pages.scores.board().await;
    let frozen = frozen(&pages).await;
    let spending = pages.spending().await;
    let concluded = pages.verdict.lock().ok().and_then(|verdict| verdict.clone());
    let inner = pages.shared.inner.lock().await;
    let state = &inner.state;
    let body = html! {
        (live("glance", &html! {
            p.verdict data-from="board/replicated" { (verdict(state, concluded.as_deref())) }
            (facts(state, frozen, &board, spending.as_ref()))
        }))
        (live("headline", &headline(&board, state, Over::named(&wanted.over))))
        (live("now", &now(state)))
        (live("team", &team(state)))
    };
    drop(inner);
    framed(&Frame::of(&pages, visitor, "Study", "/").await, &body)
}

/// Weak and ceiling; absent while they are computed for the first time.
async fn frozen(pages: &Pages) -> Option<Frozen> {
    let (vault, changes) = (pages.shared.vault.clone(), pages.shared.changes.clone());
    let (done, wait) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        if done.send(vault.frozen(Split::Selection)).is_err() {
            // The page did not wait: whoever looks is told that there is more to see.
            changes.send_modify(|count| *count += 1);
        }
    });
    tokio::time::timeout(PATIENCE, wait).await.ok()?.ok()
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

fn facts(state: &State, frozen: Option<Frozen>, board: &Board, spending: Option<&Spending>) -> Markup {
    let opening = state.opening.as_ref();
    let best = board.rows.iter().find(|row| row.kind != aar_domain::rung::Kind::Baseline);
    html! {
        p.note {
            "weak-to-strong / " (opening.map_or("", |opening| opening.subject.as_str()))
            ", testbed " strong { (told(opening.map_or("", |opening| opening.testbed.as_str()))) }
            @if board.waiting > 0 { " · " (of("log/waiting", board.waiting)) " evaluations are still being scored" }
        }
        dl.facts {
            @if let Some(frozen) = frozen {
                div { dt { "weak teacher" } dd { (of("testbed/selection/weak", format!("{:.3} ± {:.3}", frozen.weak, frozen.weak_se))) } }
                div { dt { "ceiling" } dd { (of("testbed/selection/ceiling", format!("{:.3} ± {:.3}", frozen.ceiling, frozen.ceiling_se))) } }
                div { dt { "gap" } dd { (of("testbed/selection/gap", format!("{:.3}", frozen.ceiling - frozen.weak))) } }
            }
            @if let Some((floor, plain)) = board.noise_floor { div { dt { "noise floor, graded" } dd { (origin::evaluation(plain, "noise_floor", format!("± {floor:.2} PGR"))) } } }
            @if let Some(best) = best {
                div { dt { "best " (if best.rung.is_result() { "replicated" } else { "announced" }) } dd { (origin::evaluation(best.record.id, "pgr", with_interval(best.score.pgr))) " " (evidence(best.record.id)) } }
            }
            (gauge("evaluations", "evaluations", state.ledger.account(Unit::Evaluations), 1.0, ""))
            (gauge("leak ledger", "milli-bits", state.ledger.account(Unit::MilliBits), 1000.0, " bits"))
            (gauge("computing, all evaluations", "cpu-ms", state.ledger.account(Unit::CpuMs), 1000.0, " CPU-s"))
            @if let Some(spending) = spending { (super::researcher::spent("team-spending", &spending.team)) }
        }
    }
}

fn gauge(name: &str, entry: &str, account: Account, per: f64, unit: &str) -> Markup {
    let (used, reserved) = (account.used as f64 / per, account.reserved as f64 / per);
    html! {
        div {
            dt { (name) }
            dd data-from={ "ledger/" (entry) } {
                (format!("{used:.0}")) @if let Some(limit) = account.limit { " of " (format!("{:.0}", limit as f64 / per)) } (unit)
                @if reserved > 0.0 { small { " + " (format!("{reserved:.0}")) " held back" } }
                @if let Some(limit) = account.limit {
                    meter min="0" max=(limit.max(1)) value=(account.used + account.reserved) aria-label=(name) {}
                }
            }
        }
    }
}

fn headline(board: &Board, state: &State, over: Over) -> Markup {
    let course = spending::course(&state.notes);
    let choices = choices(&course);
    let rows: Vec<&Row> = board.rows.iter().take(SHORT).collect();
    html! {
        h2 { "PGR over " (over.label()) }
        @if rows.is_empty() {
            p.empty { @if board.waiting > 0 { "What was evaluated is being scored; this page fills as it is. " } @else { "Nothing is evaluated yet. " } @if state.evaluations.is_empty() { "The first evaluations are the baselines; they are queued in a moment." } @else { "What is under way stands below." } }
        } @else {
            p.note { "over " @for (name, key, text) in choices {
                a.choice href={ "/?over=" (key) } aria-current=[(name == over).then_some("true")] { (text) } " "
            } }
            figure {
                div.wide tabindex="0" role="region" aria-label="figure" { (figures::progress(board, over, &course, &|id| format!("/evaluations/{id}"))) }
                figcaption {
                    "Hollow: graded on the feedback split. Solid: replicated on fresh seeds and unseen items. Circles: researchers; squares: baselines; crosses: the random control. \
                     The step is the team's best so far, a maximum over noise; the dotted one is the random control's. Lines: baselines; the band is plain ± the noise floor. Whiskers: 95 % intervals. "
                    a href={ "/figures/progress.svg?over=" (format!("{over:?}").to_lowercase()) } download { "SVG" } " · " a href="/data/evaluations.csv" download { "CSV" }
                }
            }
            (short(&rows))
            p { a href="/leaderboard" { "The whole leaderboard (" (of("log/board", board.rows.len())) " rows)" } }
        }
    }
}

/// What it can be drawn over: dollars and tokens where some were spent.
fn choices(course: &[spending::Spent]) -> Vec<(Over, &'static str, &'static str)> {
    let mut choices = vec![
        (Over::Evaluations, "evaluations", "evaluations"),
        (Over::Hours, "hours", "hours"),
        (Over::Cost, "cost", "CPU-hours"),
    ];
    if course.iter().any(|spent| spent.usd > 0.0) {
        choices.push((Over::Dollars, "dollars", "dollars"));
    }
    if course.iter().any(|spent| spent.tokens > 0) {
        choices.push((Over::Tokens, "tokens", "tokens"));
    }
    choices
}

fn short(rows: &[&Row]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "rank" } th { "method" } th { "by" } th { "rung" } th.n { "PGR [95 %]" } th { "evaluation" } } }
            tbody { @for row in rows { tr {
                td { (super::board::rank(row)) } td { (told(&row.record.asked.name)) } td { (told(row.author())) } td { (row.rung.name()) }
                td.n { (origin::evaluation(row.record.id, "pgr", with_interval(row.score.pgr))) } td { (evidence(row.record.id)) }
            } } }
        } }
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
                (evidence(record.id)) " " (told(&record.asked.name)) " by " (told(&record.asked.by)) ": "
                meter min="0" max=(record.jobs.len()) value=(record.done) aria-label="seeds" {} " " (origin::evaluation(record.id, "done", format!("{} of {}", record.done, record.jobs.len()))) " seeds done"
            } } }
            @if queued > 0 { p.note { (of("log/queued", queued)) " more wait for a worker." } }
        }
    }
}

fn team(state: &State) -> Markup {
    let names = state.participants.values().filter(|participant| participant.role == Role::Researcher);
    html! {
        h2 { "Latest in the forum" }
        @if state.findings.is_empty() { p.empty { "No findings yet; researchers post them as they learn something." } }
        ul { @for finding in state.findings.iter().rev().take(5) { li {
            a data-told href={ "/forum/" (finding.id) } { (finding.posted.title) } span.note { " " (super::forum::kind(finding.posted.kind)) " by " (told(&finding.posted.by)) }
        } } }
        p { a href="/researchers" { (of("log/researchers", names.count())) " researchers" } " · " a href="/forum" { (of("log/findings", state.findings.len())) " findings" } }
    }
}
