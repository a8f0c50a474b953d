//! What checks found about bundles, what the operator said, who touched decoys.

use crate::result::StudyResult;
use aar_server::pages::origin::{of, told};
use maud::{Markup, html};

/// The section.
pub fn section(result: &StudyResult) -> Markup {
    let integrity = &result.integrity;
    html! {
        section {
            h2 { "Integrity" }
            p.note {
                "Binding verdicts show a leak or a second draw of one method: the row is shown and not ranked. Properties may belong to honest methods. \
                 Every submission is compared with all earlier ones; decoys are recorded; finalists are run again where one thing is altered, where the study file says so."
            }
            @if integrity.verdicts.is_empty() { p { "No check found anything." } } @else {
                div.scroll { table {
                    thead { tr { th { "verdict" } th { "#" } th { "check" } th { "kind" } th { "evidence" } th { "appeal" } } }
                    tbody { @for view in &integrity.verdicts { tr {
                        td { (of(format_args!("verdict/{}", view.id), view.id)) } td { (super::evidence(view.verdict.evaluation)) }
                        td { (view.verdict.check.name()) @if let Some(first) = view.verdict.of { " of " (super::evidence(first)) } }
                        td { @if view.binds() { strong { (view.verdict.kind.name()) } } @else { (view.verdict.kind.name()) } }
                        td { (of(format_args!("verdict/{}", view.id), &view.verdict.evidence)) }
                        td { @if let Some(appeal) = &view.appeal { (if appeal.overturned { "overturned: " } else { "upheld: " }) (told(&appeal.reason)) } @else { "–" } }
                    } } }
                } }
            }
            @if !integrity.signatures.is_empty() {
                ul { @for word in &integrity.signatures { li { (super::evidence(word.evaluation)) " was " (if word.signed_off { "signed off" } else { "refused" }) " by the operator: " (told(&word.reason)) } } }
            }
            @if !integrity.touches.is_empty() {
                p { "Looked for labels where there are none:" }
                ul { @for (at, touch) in integrity.touches.iter().enumerate() { li { (told(&touch.by)) ": " (told(&touch.what)) ", " (of(format_args!("touch/{}", at + 1), touch.times)) " times" } } }
            }
        }
    }
}
