//! Transfer: does it hold elsewhere? What `aar transfer` found, or what would be tried.

use super::layout::{Frame, evidence, live, page as framed, with_interval};
use super::origin::{evaluation, of, told};
use super::{Pages, Visitor};
use crate::board::Row;
use aar_domain::rung::Kind;
use aar_domain::stats::Estimate;
use aar_domain::transfer::Fate;
use aar_domain::transfer::matrix::{Cell, Line, Matrix, Target};
use aar_domain::transfer::production::Trial;
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};

/// The page.
pub async fn page(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let board = pages.scores.board().await;
    let finalists: Vec<&Row> = board.results().filter(|row| row.kind != Kind::Baseline).collect();
    let inner = pages.shared.inner.lock().await;
    let testbed = inner.state.opening.as_ref().map(|opening| opening.testbed.clone()).unwrap_or_default();
    let matrix = crate::transfer::of(&inner.state.notes);
    let trial = crate::transfer::production(&inner.state.notes);
    drop(inner);
    let tried = match &matrix {
        Some(matrix) => html! { (table(matrix)) p.note { a href="/data/transfer.csv" download { "CSV" } } },
        None => html! {
            p.empty {
                "Not tried: no finalist of this study was run on another testbed or another model. Everything measured here speaks of “" (told(&testbed)) "” alone. "
                "Once it is closed, " code { "aar transfer DIR --fresh 5" } " runs the finalists, untouched, on five worlds nobody has seen."
            }
            @if !finalists.is_empty() { (planned(&finalists, &testbed)) }
        },
    };
    let body = html! { (tried) @if let Some(trial) = &trial { (production(trial)) } };
    framed(&Frame::of(&pages, visitor, "Transfer", "/transfer").await, &live("transfer", &body))
}

/// What came of the production trial, for the page and the report.
pub fn production(trial: &Trial) -> Markup {
    let Trial { registered, weak, plain, accuracy, ceiling, .. } = trial;
    let share = |what: &str, share: f64| of(format_args!("production/{what}"), format!("{share:.3}"));
    html! {
        h3 { "In production" }
        p { (told(format!("“{}”", registered.method))) (of("production/difference", trial.says())) }
        table.small {
            caption { "Accuracy of the generated verdict on “" (told(&registered.testbed)) "”" }
            thead { tr { th.n { "teacher" } th.n { "plain training" } th.n { "the method" } th.n { "ceiling" } } }
            tbody { tr {
                td.n { (share("weak", *weak)) } td.n { (share("plain", *plain)) }
                td.n { @match accuracy { Some(accuracy) => (share("accuracy", *accuracy)), None => "did not run" } }
                td.n { (share("ceiling", *ceiling)) }
            } }
        }
        p.note {
            "Registered before it was run: the method, " (registered.metric) ", a smallest effect of "
            (of("production/effect", format!("{:.1}", 100.0 * registered.effect))) " points, and "
            (of("production/seeds", registered.seeds)) " seeds, which find such an effect with a power of "
            (of("production/power", format!("{:.2}", registered.power))) "."
        }
    }
}

fn planned(finalists: &[&Row], testbed: &str) -> Markup {
    html! {
        h2 { "What would be tried" }
        div.scroll { table {
            thead { tr { th { "finalist" } th { "by" } th.n { "on " (told(testbed)) ", PGR [95 %]" } th { "elsewhere" } th { "evaluation" } } }
            tbody { @for row in finalists { tr {
                td { (told(&row.record.asked.name)) } td { (told(row.author())) } td.n { (evaluation(row.record.id, "pgr", with_interval(row.score.pgr))) }
                td { "not tried" } td { (evidence(row.record.id)) }
            } } }
        } }
    }
}

/// Methods × testbeds, for the page and the report.
pub fn table(matrix: &Matrix) -> Markup {
    html! {
        div.scroll { table.transfer {
            caption { "PGR on other testbeds, from the stored bundles, untouched, with the share of the PGR at home that is left. A method holds where that share is clearly above one half." }
            thead { tr {
                th { "method" } th { "by" } th.n { "at home, on " (told(&matrix.home)) }
                @for target in &matrix.targets { th { (told(&target.name)) br; small { (target.subject) } } }
                th { "so it" }
            } }
            tbody { @for line in &matrix.methods { (row(line)) } }
            tfoot { (foot(matrix)) }
        } }
        @if let Some(predicts) = matrix.predicts {
            p {
                "How far PGR at home predicts PGR elsewhere (rank correlation over methods, on the testbeds where all of them ran): "
                (of("transfer/predicts", shown(Some(predicts.correlation)))) "."
            }
        }
        ul.targets { @for target in &matrix.targets { li { b { (told(&target.name)) } ", " (told(&target.subject)) ": " (told(&target.origin)) @if !target.fresh { " Does not count for the rule." } } } }
    }
}

fn row(line: &Line) -> Markup {
    html! { tr {
        td { (told(&line.method)) } td { (told(&line.by)) } td.n { (of(format_args!("transfer/{}", line.bundle), shown(line.home))) }
        @for (place, cell) in line.cells.iter().enumerate() { td.n { (said(&line.bundle, place, cell)) } }
        td { (line.follows()) }
    } }
}

fn said(bundle: &str, place: usize, cell: &Cell) -> Markup {
    let from = format!("transfer/{bundle}/{place}");
    html! {
        (of(&from, shown(cell.pgr))) br;
        span class={ "fate " (mark(cell.fate)) } { (cell.fate.words()) }
        @if let Some(retained) = cell.retained { br; small { "keeps " (of(&from, shown(Some(retained)))) } }
        @if let Some(reason) = &cell.failed { br; small { (told(reason)) } }
    }
}

fn mark(fate: Fate) -> &'static str {
    match fate {
        Fate::Holds => "good",
        Fate::Weaker | Fate::NotMeasurable => "faint",
        Fate::Gone | Fate::Harmful => "bad",
    }
}

fn foot(matrix: &Matrix) -> Markup {
    let cells = |what: &dyn Fn(&Target) -> String| {
        html! { @for (place, target) in matrix.targets.iter().enumerate() { td.n { (of(format_args!("transfer/target/{place}"), what(target))) } } }
    };
    html! {
        tr { td { "plain training there" } td {} td {} (cells(&|target| shown(target.plain))) td {} }
        tr { td { "gap, and its lower bound" } td {} td {} (cells(&|target| format!("{:.3} ({:.3})", target.gap, target.gap_low))) td {} }
        tr { td { "seeds" } td {} td {} (cells(&|target| target.seeds.to_string())) td {} }
    }
}

/// An estimate as a cell says it.
pub fn shown(estimate: Option<Estimate>) -> String {
    estimate.map_or("undefined".into(), |estimate| estimate.to_string())
}
