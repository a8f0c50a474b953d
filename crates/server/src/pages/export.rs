//! What is behind the figures, to take away: SVG with colours of its own, and CSV.

use super::figures::Over;
use super::timeline::Lanes;
use super::{Pages, board, curves, diversity, figures, lineage, tables};
use crate::record::JobRecord;
use crate::state::State as Study;
use crate::{ideas, spending};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What a figure is drawn over.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Drawn {
    over: String,
}

/// A figure as a file; its colours are put in, for it leaves the page's style behind.
pub async fn figure(State(pages): State<Pages>, Path(name): Path<String>, Query(wanted): Query<Drawn>) -> Response {
    let all = pages.scores.board().await;
    let drawn = match name.as_str() {
        "progress.svg" => {
            let course = spending::course(&pages.shared.inner.lock().await.state.notes);
            figures::progress(&all, Over::named(&wanted.over), &course, &|id| format!("/evaluations/{id}"))
        }
        "lineage.svg" => lineage::whole(&all),
        "diversity.svg" => {
            let inner = pages.shared.inner.lock().await;
            diversity::figure(&ideas::course(&inner.state.evaluations, &inner.state.retired))
        }
        "leaderboard.svg" => board::figure(&all),
        "timeline.svg" => Lanes::at(&pages.shared.inner.lock().await.state).figure(),
        name => {
            let inner = pages.shared.inner.lock().await;
            match part_of(name, "loss-", ".svg").and_then(|id| curves::figure(&jobs(&inner.state, id)?)) {
                Some(figure) => figure,
                None => return missing(),
            }
        }
    };
    let mut text = drawn.into_string();
    for (name, colour) in [
        ("var(--line)", "#d9dde2"),
        ("var(--faint)", "#5f6871"),
        ("var(--accent)", "#0b6bcb"),
        ("var(--warn)", "#a3470f"),
        ("var(--paper)", "#fff"),
    ] {
        text = text.replace(name, colour);
    }
    text = text.replacen("<svg ", "<svg font-family=\"sans-serif\" font-size=\"12\" ", 1);
    ([(header::CONTENT_TYPE, "image/svg+xml")], text).into_response()
}

/// A table as a file.
pub async fn table(State(pages): State<Pages>, Path(name): Path<String>) -> Response {
    let own = match part_of(&name, "loss-", ".csv") {
        Some(id) => jobs(&pages.shared.inner.lock().await.state, id).map(|jobs| curves::csv(&jobs)),
        None => tables::table(&pages, &name).await.map(|table| table.csv()),
    };
    match own {
        Some(text) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
        None => missing(),
    }
}

/// The number in a name.
fn part_of(name: &str, before: &str, after: &str) -> Option<i64> {
    name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

/// An evaluation's seeds.
fn jobs(state: &Study, evaluation: i64) -> Option<Vec<&JobRecord>> {
    let record = state.evaluations.iter().find(|record| record.id == evaluation)?;
    Some(record.jobs.iter().filter_map(|&job| state.jobs.get(job as usize - 1)).collect())
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "there is no such file").into_response()
}
