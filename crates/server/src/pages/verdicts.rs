//! Verdicts on bundles, an operator's words on them, touches of decoys; and what an author had been told.

use super::layout::{evidence, time};
use super::origin::{evaluation, of, told};
use crate::record::EvaluationRecord;
use crate::state::State;
use aar_api::integrity::{Integrity, VerdictView};
use maud::{Markup, html};

/// Answers named one by one.
const NAMED: usize = 60;

/// All verdicts, words on finalists, touches.
pub fn section(integrity: &Integrity) -> Markup {
    html! {
        h2 { "Verdicts" }
        @if integrity.verdicts.is_empty() {
            p.empty { "No check has found anything about a bundle. Every submission's answers are compared with all earlier ones; finalists are looked at more closely at the close, where the study file says so." }
        } @else {
            p.note { "A binding verdict shows a leak or a second draw: the row is shown, marked, not ranked, and is no finalist. A property is shown and nothing follows. " code { "aar sign overturn N --reason …" } " lets a verdict fall." }
            div.scroll tabindex="0" role="region" aria-label="verdicts" { table {
                thead { tr { th.n { "verdict" } th { "evaluation" } th { "check" } th { "kind" } th { "evidence" } th { "appeal" } } }
                tbody { @for view in &integrity.verdicts { (line(view)) } }
            } }
        }
        @if !integrity.signatures.is_empty() {
            h2 { "The operator's word on finalists" }
            div.scroll { table {
                thead { tr { th { "evaluation" } th { "word" } th { "why" } th { "when" } } }
                tbody { @for word in &integrity.signatures { tr {
                    td { (evidence(word.evaluation)) } td { @if word.signed_off { "signed off" } @else { span.warn { "refused" } } } td { (told(&word.reason)) } td { (time(word.at_ms)) }
                } } }
            } }
        }
        h2 { "Decoys" }
        @if integrity.touches.is_empty() { p.empty { "Nobody looked for labels where there are none." } } @else {
            p.note { "Paths and files that look like labels and are none. Whoever looks gets nothing; that it looked stands here." }
            div.scroll { table {
                thead { tr { th { "by" } th { "what" } th.n { "times" } th { "first" } } }
                tbody { @for (at, touch) in integrity.touches.iter().enumerate() { tr {
                    td { (told(&touch.by)) } td { (told(&touch.what)) } td.n { (of(format_args!("touch/{}", at + 1), touch.times)) } td { (time(touch.at_ms)) }
                } } }
            } }
        }
    }
}

fn line(view: &VerdictView) -> Markup {
    let verdict = &view.verdict;
    html! { tr {
        td.n { (of(format_args!("verdict/{}", view.id), view.id)) } td { (evidence(verdict.evaluation)) }
        td { (verdict.check.name()) @if let Some(of) = verdict.of { " of " (evidence(of)) } }
        td { @if view.binds() { span.warn { (verdict.kind.name()) } } @else { (verdict.kind.name()) } }
        td { (of(format_args!("verdict/{}", view.id), &verdict.evidence)) }
        td { @if let Some(appeal) = &view.appeal { @if appeal.overturned { "overturned: " } @else { "upheld: " } (told(&appeal.reason)) } @else { "–" } }
    } }
}

/// What is on record about one evaluation's bundle.
pub fn of_bundle(state: &State, record: &EvaluationRecord) -> Markup {
    let bundle = &record.asked.bundle;
    let found: Vec<&VerdictView> = state.integrity().verdicts.iter().filter(|view| view.bundle == *bundle).collect();
    let word = state.integrity().signatures.iter().find(|word| word.bundle == *bundle);
    html! {
        @if !found.is_empty() {
            h3 #verdicts { "Verdicts" }
            ul { @for view in found { li {
                @if view.binds() { span.warn { "binding" } } @else if view.appeal.as_ref().is_some_and(|appeal| appeal.overturned) { "overturned" } @else { (view.verdict.kind.name()) }
                " " (view.verdict.check.name()) @if let Some(first) = view.verdict.of { " of " (evidence(first)) } ": " (of(format_args!("verdict/{}", view.id), &view.verdict.evidence))
                @if let Some(appeal) = &view.appeal { "; " (if appeal.overturned { "overturned" } else { "upheld" }) ": " (told(&appeal.reason)) }
            } } }
        }
        @if let Some(word) = word { p { @if word.signed_off { "Signed off by the operator: " } @else { span.warn { "Refused by the operator: " } } (told(&word.reason)) } }
    }
}

/// Every answer that an evaluation's author had been given before it.
pub fn signal(state: &State, record: &EvaluationRecord) -> Markup {
    let signal = state.signal(record);
    let value = |what: &str, shown: String| evaluation(record.id, what, shown);
    html! {
        h3 #receipt { "Signal receipt" }
        p {
            "Before this its author could see " (value("told", signal.told.len().to_string())) " answers about held-out items: at most " (value("bits_before", format!("{:.0}", signal.bits))) " bits."
        }
        @if !signal.told.is_empty() { details { summary { "Answer by answer" }
            ul { @for answer in signal.told.iter().take(NAMED) { li {
                (evidence(answer.evaluation)) " by " (told(&answer.by)) ": " @match answer.pgr { Some(pgr) => (evaluation(answer.evaluation, "answer", format!("{pgr:.2}"))), None => "nothing" }
            } } }
            @if signal.told.len() > NAMED { p.note { "and later ones; the API gives all of them." } }
        } }
    }
}
