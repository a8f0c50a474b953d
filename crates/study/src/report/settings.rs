//! Settings, seeds, hashes, costs, and the command that makes every number again.

use crate::plan::{ANALYSIS, Plan};
use crate::result::StudyResult;
use aar_domain::rung::Split;
use aar_domain::testbed::TestbedRecord;
use aar_server::handle::Snapshot;
use maud::{Markup, html};

/// The section.
pub fn section(result: &StudyResult, plan: &Plan, testbed: &TestbedRecord, snapshot: &Snapshot) -> Markup {
    let opening = snapshot.opening.as_ref();
    let key = snapshot.notes.iter().find(|note| note.kind == "key").and_then(|note| note.body["key"].as_str());
    html! {
        section {
            h2 { "Settings, costs, and how to get these numbers again" }
            table.small {
                tbody {
                    tr { td { "took" } td { (format!("{:.0} s", result.wall_s)) " on the wall, " (format!("{:.0} CPU-s", result.cpu_s)) " in evaluations, " (format!("{:.1} × 10¹²", result.operations as f64 / 1e12)) " counted operations of training" } }
                    tr { td { "plan" } td { code { (plan.hash().get(..16).unwrap_or_default()) } " (hashed at the start, with rule and analysis)" } }
                    tr { td { "finalist rule and analysis" } td { (ANALYSIS) } }
                    @if let Some(opening) = opening {
                        tr { td { "key, committed to at the start" } td { code { (opening.key_commitment) } } }
                        tr { td { "key, opened at the close" } td { @match key { Some(key) => code { (key) }, None => "not yet" } } }
                        @for split in Split::ALL {
                            tr { td { "seeds, " (split.name()) } td { (seeds(opening, split)) } }
                        }
                    }
                    tr { td { "testbed" } td { (testbed.name) ", " (testbed.pool_rows) " pool rows" } }
                    tr { td { "again from the log" } td { code { "aar report DIR" } " computes every number of this page from the stored answers" } }
                    tr { td { "again from nothing" } td { code { "aar run" } " with the study file below, seed " (plan.seed) } }
                }
            }
            details { summary { "the study file as it was run" } pre { (toml::to_string(plan).unwrap_or_default()) } }
        }
    }
}

fn seeds(opening: &aar_server::event::Opening, split: Split) -> String {
    let seeds = opening.seeds.get(&split).into_iter().flatten();
    seeds.map(|seed| format!("{} (teacher {})", seed.seed, seed.teacher)).collect::<Vec<_>>().join(", ")
}
