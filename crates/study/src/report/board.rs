//! The leaderboard, with a fold under every row.

use crate::result::{Row, StudyResult};
use aar_domain::rung::Kind;
use aar_server::handle::Snapshot;
use aar_server::pages::axis::Axis;
use aar_server::pages::figures::whisker;
use aar_server::pages::origin::{evaluation, of, told};
use aar_server::{Server, card};
use maud::{Markup, html};

/// The section.
pub fn section(result: &StudyResult, server: &Server, snapshot: &Snapshot) -> Markup {
    let values = result.leaderboard.iter().flat_map(|row| row.pgr_ci.into_iter().flatten());
    let scale = Axis::over(values, 6.0, 224.0);
    let (replicated, graded): (Vec<&Row>, Vec<&Row>) = result.leaderboard.iter().partition(|row| row.rung.is_result());
    let plain = snapshot.evaluations.iter().find(|record| record.is_plain());
    html! {
        section {
            h2 { "Leaderboard" }
            @if !replicated.is_empty() {
                h3 { "Results: replicated on fresh seeds and unseen items" }
                (table(&replicated, &scale, server))
                (pairs(result))
                @if let Some(resolves) = result.resolves {
                    p.note { "Equal ranks can't be told apart. At these sizes a difference of " span data-from="close/resolves" { (format!("{resolves:.2}")) } " PGR is found with a power of 80 %; smaller ones may not be." }
                }
            }
            h3 { "Announcements: graded on the feedback split" }
            (table(&graded, &scale, server))
            @if let (Some(floor), Some(plain)) = (result.noise_floor, plain) {
                p.note { "Noise floor ± " (evaluation(plain.id, "noise_floor", format!("{floor:.2}"))) " PGR: what two equal methods differ by in 95 of 100 comparisons at this size. p values are Holm's over the rows of a table, paired with plain training by seeds and items." }
            }
            (failures(snapshot))
        }
    }
}

fn failures(snapshot: &Snapshot) -> Markup {
    let failed: Vec<_> =
        snapshot.evaluations.iter().filter_map(|record| Some((record, record.failure.as_ref()?))).collect();
    html! {
        h3 { "Failed evaluations (charged like all others)" }
        @if failed.is_empty() { p { "None." } } @else {
            div.scroll { table {
                thead { tr { th { "#" } th { "method" } th { "by" } th { "why, and its last lines" } } }
                tbody { @for (record, (reason, tail)) in failed { tr id={ "e" (record.id) } {
                    td { (super::evidence(record.id)) } td { (told(&record.asked.name)) } td { (told(&record.asked.by)) }
                    td data-told { (reason) @if !tail.is_empty() { details { summary { "log" } pre { (tail) } } } }
                } } }
            } }
        }
    }
}

/// Finalists compared with each other.
fn pairs(result: &StudyResult) -> Markup {
    html! {
        @if !result.pairs.is_empty() {
            details { summary { "Finalists compared with each other" }
                table.small {
                    thead { tr { th { "better" } th { "other" } th { "difference, PGR" } th { "p, Holm's over pairs" } } }
                    tbody { @for pair in &result.pairs {
                        @let from = format!("pair/{}/{}", pair.better, pair.other);
                        tr {
                            td { (super::evidence(pair.better)) } td { (super::evidence(pair.other)) }
                            td.n { (of(&from, format!("{:.2}", pair.difference))) } td.n { (of(&from, p_value(Some(pair.p)))) }
                        }
                    } }
                }
                p.note { "Paired by seeds and items. Equal ranks above are pairs that can't be told apart." }
            }
        }
    }
}

fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "< 0.001".into(),
        Some(p) => format!("{p:.3}"),
    }
}

fn table(rows: &[&Row], scale: &Axis, server: &Server) -> Markup {
    let replicated = rows.iter().any(|row| row.rung.is_result());
    html! {
        div.scroll {
            table {
                thead { tr { th { "rank" } th { "method" } th { "by" } th { "PGR [95 %]" } @if replicated { th { "announced" } th { "rung" } th { "without teacher" } } th { "0 … 1" } th { "p plain" } th { "in / out" } th { "attempts" } th { "#" } } }
                tbody { @for row in rows { (line(row, scale, server)) } }
            }
        }
    }
}

fn line(row: &Row, scale: &Axis, server: &Server) -> Markup {
    let number = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
    let pgr = match (row.pgr, row.pgr_ci) {
        (Some(pgr), Some([low, high])) => format!("{pgr:.2} [{low:.2}, {high:.2}]"),
        _ => "undefined".into(),
    };
    let value = |what: &str, shown: String| evaluation(row.evaluation, what, shown);
    html! {
        tr id={ "e" (row.evaluation) } {
            td { @if let Some(rank) = row.rank { (value("rank", rank.to_string())) } @if let Some(mark) = &row.mark { strong data-told { (mark) } } }
            td.m { details { summary { (told(&row.method)) } (fold(row, server)) } }
            td { @if row.kind == Kind::Baseline { "–" } @else { (told(&row.by)) } }
            td.n { (value("pgr", pgr)) }
            @if row.rung.is_result() {
                td.n { (value("announced", row.announced.map_or("–".into(), |announced| format!("{announced:.2}")))) } td { (row.rung.name()) }
                td.n { (value("left", row.without_teacher.map_or("–".into(), |left| format!("{:.2} of {:.2}", left.without, left.with)))) }
            }
            td.fig { (whisker(row.pgr.zip(row.pgr_ci), &row.pgr_by_seed, row.rung.is_result(), scale)) }
            td.n { (value("p_plain", p_value(row.p_plain))) }
            td.n { (value("accuracy_in", number(row.id_acc))) " / " (value("accuracy_out", number(row.ood_acc))) }
            td.n { (value("attempts", row.attempts.map_or("–".into(), |attempts| attempts.to_string()))) }
            td { (super::evidence(row.evaluation)) }
        }
    }
}

/// What is under a row: numbers, recipe, what it was built on.
fn fold(row: &Row, server: &Server) -> Markup {
    let bundle = server.bundle(&row.bundle);
    let recipe = bundle.as_ref().and_then(|bundle| bundle.text("recipe.toml"));
    let card = bundle.as_ref().and_then(|bundle| bundle.text(card::FILE));
    let value = |what: &str, shown: String| evaluation(row.evaluation, what, shown);
    let by_seed: Vec<String> = row.pgr_by_seed.iter().map(|pgr| format!("{pgr:.2}")).collect();
    html! {
        p.note {
            "family " (told(&row.family)) " · accuracy " (value("accuracy", format!("{:.3}", row.transfer_acc))) " on " (value("items", row.n_items.to_string())) " " (row.split.name()) " items · PGR by seed: " (value("by_seed", by_seed.join(", ")))
            " · bundle " code { (row.bundle.get(..12).unwrap_or_default()) }
            @if let Some(parent) = &row.parent {
                " · built on " code { (parent.get(..12).unwrap_or_default()) } @if let Some(author) = &row.parent_by { " by " (told(author)) }
            }
            " · signal receipt: at most " (value("bits_before", format!("{:.0}", row.bits_before))) " bits of held-out answers could be seen by its author before it was submitted"
        }
        @if let Some(card) = card {
            p.note { "Its card" @if let Some(hash) = &row.card { ", frozen with the submission as " code { (hash.get(..12).unwrap_or(hash)) } } ":" }
            pre { (card) }
            @if let Some(uses) = bundle.as_ref().and_then(card::uses) { p.note { "What its recipe uses: " (if uses.is_empty() { "none of what cards are checked for".to_owned() } else { uses.join(", ") }) "." } }
        }
        @if let Some(recipe) = recipe { pre { (recipe) } }
    }
}
