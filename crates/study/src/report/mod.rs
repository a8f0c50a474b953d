//! The report: one page with everything in it, to send to a colleague. Opens without a network, prints, and reads in the dark.
//!
//! `page` lays out the sections; `figures` draws them as SVG; every figure has its table beside it, and every value
//! carries the id of the evaluation behind it.

use crate::plan::Plan;
use crate::result::StudyResult;
use aar_domain::testbed::TestbedRecord;
use aar_server::Server;
use maud::{DOCTYPE, Markup, PreEscaped, html};

mod believe;
mod board;
mod figures;
mod researchers;
mod settings;

/// The page as HTML.
pub fn page(result: &StudyResult, plan: &Plan, testbed: &TestbedRecord, server: &Server) -> String {
    let snapshot = server.snapshot();
    let body: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "aar · " (plan.name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kicker { "aar " (env!("CARGO_PKG_VERSION")) " · study " (plan.name) " · seed " (plan.seed) }
                    h1 { (result.problem) " on " (result.testbed) }
                    p.verdict { (result.verdict) }
                }
                section {
                    (figures::progress(result, &snapshot))
                    (baselines(result))
                }
                (board::section(result, server))
                (researchers::section(result, &snapshot))
                (researchers::families(result))
                (elsewhere(result))
                (believe::section(result, testbed, &snapshot))
                (settings::section(result, plan, testbed, &snapshot))
            }
        }
    };
    body.into_string()
}

fn baselines(result: &StudyResult) -> Markup {
    let (weak, ceiling) = (result.baselines.weak, result.baselines.ceiling);
    html! {
        table.small {
            caption { "The two ends of the scale, on the selection split" }
            thead { tr { th { "" } th { "accuracy" } th { "standard error" } th { "frozen seeds" } th { "PGR" } } }
            tbody {
                tr { td { "weak teacher" } td { (format!("{:.3}", weak.mean)) } td { (format!("{:.3}", weak.se)) } td { (weak.seeds) } td { "0" } }
                tr { td { "ceiling" } td { (format!("{:.3}", ceiling.mean)) } td { (format!("{:.3}", ceiling.se)) } td { (ceiling.seeds) } td { "1" } }
            }
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
            p {
                "Not tried. Everything above speaks of " strong { (result.testbed) } " alone. To see another world: "
                code { "aar run --set testbed=fresh --out out/fresh" } "."
            }
        }
    }
}

/// Dark and light, print, no colour that alone carries meaning.
const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #8a919a; --line: #d9dde2; --accent: #0b6bcb; --warn: #b3541e; --soft: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #14171a; --faint: #8d96a0; --line: #32383e; --accent: #6cb2f7; --warn: #f0a06a; --soft: #1d2125; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin: .2rem 0 .8rem; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
.kicker, .note, figcaption, caption { color: var(--faint); font-size: .85rem; } caption { text-align: left; padding-bottom: .2rem; }
.verdict { font-size: 1.1rem; border-left: 4px solid var(--accent); padding: .3rem 0 .3rem .9rem; margin: 0; max-width: 52rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; margin: .6rem 0; } table.small { width: auto; min-width: 28rem; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid var(--line); padding: .3rem .5rem; } td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; vertical-align: top; }
td.n { text-align: right; white-space: nowrap; } td.fig { padding: 0 .3rem; width: 15rem; } td.m { min-width: 19rem; }
details { margin: .1rem 0; } summary { cursor: pointer; } details pre { margin: .4rem 0 0; }
pre { background: var(--soft); padding: .6rem .8rem; overflow-x: auto; font-size: .8rem; white-space: pre-wrap; } code { font-size: .9em; background: var(--soft); padding: 0 .25em; }
svg { max-width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .faint { fill: var(--faint); }
.scroll { overflow-x: auto; } .tag { border: 1px solid var(--line); border-radius: 3px; padding: 0 .35em; font-size: .8rem; white-space: nowrap; }
@media print { body { margin: 0; max-width: none; } details { display: block; } }
";
