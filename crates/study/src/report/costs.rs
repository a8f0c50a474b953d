//! What it cost: by researcher, and in all.

use crate::result::StudyResult;
use aar_server::handle::Snapshot;
use aar_server::pages::origin::{of, told};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The section.
pub fn section(result: &StudyResult, snapshot: &Snapshot) -> Markup {
    let mut spent = BTreeMap::<&str, (usize, u64)>::new();
    for record in &snapshot.evaluations {
        let entry = spent.entry(&record.asked.by).or_default();
        *entry = (entry.0 + 1, entry.1.saturating_add(snapshot.cpu_ms(record)));
    }
    html! {
        section {
            h2 { "What it cost" }
            p {
                (of("log/wall", format!("{:.0} s", result.wall_s))) " on the wall, " (of("ledger/cpu-ms", format!("{:.0} CPU-s", result.cpu_s))) " in evaluations, "
                (of("ledger/operations", format!("{:.1} × 10¹²", result.operations as f64 / 1e12))) " counted operations of training."
            }
            @if let Some(spending) = &result.spending {
                p {
                    "Language models: " (of("spending/usd", format!("US$ {:.2}", spending.usd))) " for " (of("spending/calls", spending.calls)) " calls"
                    @if let Some(usd) = spending.usd_per_hour { ", " (of("spending/usd_per_hour", format!("US$ {usd:.2}"))) " per researcher's hour at work" }
                    @if let Some(usd) = spending.usd_per_point { ", " (of("spending/usd_per_point", format!("US$ {usd:.2}"))) " per hundredth of PGR of the best replicated method" }
                    "."
                }
                table.small {
                    thead { tr { th { "researcher" } th { "US$" } th { "US$ an hour" } th { "tokens" } th { "calls" } } }
                    tbody { @for researcher in &result.researchers { @if let Some(own) = &researcher.spending { tr {
                        @let shown = |what: &str, shown: String| of(format_args!("spending/{}/{what}", researcher.name), shown);
                        td { (told(&researcher.name)) } td.n { (shown("usd", format!("{:.2}", own.usd))) }
                        td.n { @if let Some(usd) = own.usd_per_hour { (shown("usd_per_hour", format!("{usd:.2}"))) } @else { "–" } }
                        td.n { (shown("tokens", own.tokens.total().to_string())) } td.n { (shown("calls", own.calls.to_string())) }
                    } } } }
                }
            }
            table.small {
                thead { tr { th { "asked for by" } th { "evaluations, all purposes" } th { "CPU-s" } } }
                tbody { @for (by, (evaluations, cpu_ms)) in &spent { tr {
                    td { (told(by)) } td.n { (of(format_args!("costs/{by}/evaluations"), evaluations)) }
                    td.n { (of(format_args!("costs/{by}/cpu_s"), format!("{:.1}", *cpu_ms as f64 / 1000.0))) }
                } } }
            }
        }
    }
}
