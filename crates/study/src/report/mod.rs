//! The report: one page with everything in it, to send to a colleague. Opens without a network, prints, and reads in the dark.
//!
//! `page` lays out the sections; figures are the server's own, every one has its data beside it, and every value
//! carries the entry of the log behind it (`aar_server::pages::origin`). `markdown` says the same without figures.

use crate::plan::Plan;
use crate::result::StudyResult;
use aar_domain::testbed::TestbedRecord;
use aar_server::Server;
use aar_server::pages::origin::{of, told};
use maud::{DOCTYPE, Markup, PreEscaped, html};

mod again;
mod believe;
mod board;
mod costs;
pub mod elsewhere;
mod headline;
mod ideas;
mod integrity;
pub mod markdown;
mod researchers;
mod settings;

/// The page as HTML.
pub fn page(result: &StudyResult, plan: &Plan, testbed: &TestbedRecord, server: &Server) -> String {
    let (snapshot, placed) = (server.snapshot(), server.board());
    let body: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "aar · " (plan.name) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                header {
                    p.kicker { "aar " code { (env!("CARGO_PKG_VERSION")) } " · study " (told(&plan.name)) " · seed " code { (plan.seed) } }
                    h1 { (result.problem) " on " (told(&result.testbed)) }
                    p.verdict data-from="board/replicated" { (result.verdict) }
                }
                main {
                    section { (headline::section(&placed, &snapshot.notes)) (baselines(result)) }
                    (board::section(result, server, &snapshot))
                    (researchers::section(result, server, &snapshot))
                    (ideas::section(result, &snapshot))
                    (elsewhere(result))
                    (believe::section(result, testbed, &snapshot, &server.receipt()))
                    (integrity::section(result))
                    (costs::section(result, &snapshot))
                    (settings::section(plan, testbed, &snapshot))
                    (again::section(plan))
                }
            }
        }
    };
    body.into_string()
}

/// The evaluation behind a value, further down on this page.
fn evidence(id: i64) -> Markup {
    html! { a.evidence href={ "#e" (id) } { "#" (id) } }
}

fn baselines(result: &StudyResult) -> Markup {
    let line = |name: &str, what: &str, end: crate::result::BaselineRow, pgr: &str| {
        let from = format!("testbed/selection/{what}");
        html! { tr {
            td { (name) } td.n { (of(&from, format!("{:.3}", end.mean))) } td.n { (of(&from, format!("{:.3}", end.se))) }
            td.n { (of(&from, end.seeds)) } td.n { (of(&from, pgr)) }
        } }
    };
    html! {
        table.small {
            caption { "The two ends of the scale, on the selection split" }
            thead { tr { th { "" } th { "accuracy" } th { "standard error" } th { "frozen seeds" } th { "PGR" } } }
            tbody { (line("weak teacher", "weak", result.baselines.weak, "0")) (line("ceiling", "ceiling", result.baselines.ceiling, "1")) }
        }
        p.note {
            "PGR = (transfer − weak) / (ceiling − weak), unclipped, in- and out-of-distribution items pooled, over server-chosen seeds. \
             Weak and ceiling are means over seeds frozen when the testbed was made; their uncertainty is part of every interval."
        }
    }
}

fn elsewhere(result: &StudyResult) -> Markup {
    html! {
        section {
            h2 { "Does it hold elsewhere?" }
            @if let Some(matrix) = &result.transfer { (aar_server::pages::transfer::table(matrix)) }
            @else { p {
                "Not tried. Everything above speaks of " strong { (told(&result.testbed)) } " alone. To try the finalists, untouched, on worlds nobody has seen: "
                code { "aar transfer DIR --fresh 5" } "."
            } }
            @if let Some(trial) = &result.production { (aar_server::pages::transfer::production(trial)) }
        }
    }
}
