//! Can it be believed? What was isolated, what leaked at most, what was not tested.

use crate::result::StudyResult;
use aar_api::receipt::Receipt;
use aar_domain::testbed::{Origin, TestbedRecord};
use aar_server::handle::Snapshot;
use aar_server::pages::origin::{of, told};
use maud::{Markup, html};

/// The section.
pub fn section(result: &StudyResult, testbed: &TestbedRecord, snapshot: &Snapshot, head: &Receipt) -> Markup {
    let isolation =
        snapshot.notes.iter().rfind(|note| note.kind == "isolation").and_then(|note| note.body["isolation"].as_str());
    let stops = snapshot.notes.iter().filter(|note| note.kind == "run" && note.body["stopped"] == true).count();
    html! {
        section {
            h2 { "Can it be believed?" }
            ul {
                li { "Isolation of researchers and bundles on this machine: " strong { (isolation.unwrap_or("unknown")) } "." }
                li {
                    "Bits that answers may have given away, at most: " (of("ledger/milli-bits", format!("{:.0}", result.bits.0)))
                    @if let Some(limit) = result.bits.1 { " of " (of("ledger/milli-bits", format!("{limit:.0}"))) } ". Researchers saw scores as steps through the ledger only."
                }
                li { "Code never met a test input: training and predicting ran in separate sandboxes, the second without any researcher's code." }
                li { "Seeds were the server's, the same for all bundles of a split; finalists ran on other seeds, other teachers and other items." }
                li data-told { (origin(testbed)) }
                @if testbed.truth_public { li { strong { "Demonstration: " } "the truth of this world is public and the study's key follows from its seed." } }
                @if stops > 0 { li { "The study was stopped and resumed " (of("log/stops", stops)) " times; nothing was charged twice." } }
                li { "The log has " (of("log/height", head.height)) " events; the head of its chain is " code { (head.head) } ". Whoever keeps that line can tell later whether the log is what it was: " code { "aar audit verify DIR" } "." }
                li { strong { "Not tested here: " } "whether it holds on other worlds, models or real data; attacks by adversarial researchers beyond the sandbox's own guarantees." }
            }
            @if !testbed.checks.is_empty() { (checks(testbed)) }
        }
    }
}

fn origin(testbed: &TestbedRecord) -> String {
    match &testbed.origin {
        Origin::Minted { generator, commitment, mechanism, attempts, models } => format!(
            "The world was minted by generator {generator} from a secret with commitment {}…, accepted at draw {attempts}; mechanism: {mechanism}{}. \
             An interval speaks of this world's facts, not of other worlds.",
            commitment.get(..16).unwrap_or_default(),
            models.as_ref().map(|models| format!("; models: {models}")).unwrap_or_default()
        ),
        Origin::Imported { digest, note } => {
            format!("Imported data with digest {}…; {note}.", digest.get(..16).unwrap_or_default())
        }
    }
}

fn checks(testbed: &TestbedRecord) -> Markup {
    let side = |bound: Option<f64>| bound.map_or("–".into(), |bound| format!("{bound:.2}"));
    html! {
        details {
            summary { "What the testbed was measured to be before anybody worked on it" }
            table.small {
                thead { tr { th { "property" } th { "measured" } th { "at least" } th { "at most" } th { "holds" } } }
                tbody {
                    @for check in &testbed.checks {
                        tr {
                            td { (told(&check.name)) } td.n data-told { (format!("{:.3}", check.value)) } td.n data-told { (side(check.bounds.0)) } td.n data-told { (side(check.bounds.1)) }
                            td { @if check.report_only { "reported" } @else if check.holds() { "yes" } @else { strong { "no" } } }
                        }
                    }
                }
            }
        }
    }
}
