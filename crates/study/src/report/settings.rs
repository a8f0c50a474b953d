//! Settings, seeds and hashes.

use crate::plan::{ANALYSIS, Plan};
use aar_domain::rung::Split;
use aar_domain::testbed::TestbedRecord;
use aar_server::handle::Snapshot;
use maud::{Markup, html};

/// The section.
pub fn section(plan: &Plan, testbed: &TestbedRecord, snapshot: &Snapshot) -> Markup {
    let opening = snapshot.opening.as_ref();
    let key = snapshot.notes.iter().find(|note| note.kind == "key").and_then(|note| note.body["key"].as_str());
    html! {
        section {
            h2 { "Settings and seeds" }
            table.small {
                tbody {
                    tr { td { "plan" } td { code { (plan.hash().get(..16).unwrap_or_default()) } " (hashed at the start, with rule and analysis)" } }
                    tr { td { "finalist rule and analysis" } td data-told { (ANALYSIS) } }
                    @if let Some(opening) = opening {
                        tr { td { "key, committed to at the start" } td { code { (opening.key_commitment) } } }
                        tr { td { "key, opened at the close" } td { @match key { Some(key) => code { (key) }, None => "not yet" } } }
                        @for split in Split::ALL {
                            tr { td { "seeds, " (split.name()) } td { code { (seeds(opening, split)) } } }
                        }
                        tr { td { "answers to researchers" } td { code { (serde_json::to_string(&opening.policy).unwrap_or_default()) } } }
                    }
                    tr { td { "testbed" } td data-told { (testbed.name) ", " (testbed.pool_rows) " pool rows" } }
                    tr { td { "version" } td { "aar " code { (env!("CARGO_PKG_VERSION")) } } }
                }
            }
        }
    }
}

fn seeds(opening: &aar_server::event::Opening, split: Split) -> String {
    let seeds = opening.seeds.get(&split).into_iter().flatten();
    seeds.map(|seed| format!("{} (teacher {})", seed.seed, seed.teacher)).collect::<Vec<_>>().join(", ")
}
