//! Transfer: does it hold elsewhere? Nothing was tried elsewhere yet, and that is what the page says.

use super::layout::{Frame, evidence, live, page as framed, with_interval};
use super::origin::{evaluation, told};
use super::{Pages, Visitor};
use crate::board::Row;
use aar_domain::rung::{Kind, Rung};
use axum::Extension;
use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};

/// The page.
pub async fn page(State(pages): State<Pages>, Extension(visitor): Extension<Visitor>) -> Html<String> {
    let board = pages.scores.board().await;
    let finalists: Vec<&Row> = board.on(Rung::Replicated).filter(|row| row.kind != Kind::Baseline).collect();
    let inner = pages.shared.inner.lock().await;
    let testbed = inner.state.opening.as_ref().map(|opening| opening.testbed.clone()).unwrap_or_default();
    drop(inner);
    let body = live(
        "transfer",
        &html! {
            p.empty {
                "Not tried: no finalist of this study was run on another testbed or another model. Everything measured here speaks of “" (told(&testbed)) "” alone. "
                "To see how the same research goes on a world nobody has seen: " code { "aar run --set testbed=fresh --out out/fresh" } "."
            }
            @if !finalists.is_empty() { (matrix(&finalists, &testbed)) }
        },
    );
    framed(&Frame::of(&pages, visitor, "Transfer", "/transfer").await, &body)
}

fn matrix(finalists: &[&Row], testbed: &str) -> Markup {
    html! {
        h2 { "What would be tried" }
        div.scroll { table {
            thead { tr { th { "finalist" } th { "by" } th.n { "on " (told(testbed)) ", PGR [95 %]" } th { "another world" } th { "another subject" } th { "another model family" } th { "evaluation" } } }
            tbody { @for row in finalists { tr {
                td { (told(&row.record.asked.name)) } td { (told(row.author())) } td.n { (evaluation(row.record.id, "pgr", with_interval(row.score.pgr))) }
                td { "not tried" } td { "not tried" } td { "not tried" } td { (evidence(row.record.id)) }
            } } }
        } }
    }
}
