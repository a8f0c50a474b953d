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
        let jobs = record.jobs.iter().filter_map(|&job| snapshot.jobs.get(job as usize - 1));
        let cpu_ms: u64 = jobs.map(|job| job.usage.train_cpu_ms + job.usage.predict_cpu_ms).sum();
        let entry = spent.entry(&record.asked.by).or_default();
        *entry = (entry.0 + 1, entry.1 + cpu_ms);
    }
    html! {
        section {
            h2 { "What it cost" }
            p {
                (of("log/wall", format!("{:.0} s", result.wall_s))) " on the wall, " (of("ledger/cpu-ms", format!("{:.0} CPU-s", result.cpu_s))) " in evaluations, "
                (of("ledger/operations", format!("{:.1} × 10¹²", result.operations as f64 / 1e12))) " counted operations of training."
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
