//! What is behind the figures, to take away: SVG with colours of its own, and CSV.

use super::figures::Over;
use super::{Pages, diversity, figures, lineage, tables};
use crate::ideas;
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
        "progress.svg" => figures::progress(&all, Over::named(&wanted.over), &|id| format!("/evaluations/{id}")),
        "lineage.svg" => lineage::whole(&all),
        "diversity.svg" => {
            let inner = pages.shared.inner.lock().await;
            diversity::figure(&ideas::course(&inner.state.evaluations, &inner.state.retired))
        }
        _ => return missing(),
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
    match tables::csv(&pages, &name).await {
        Some(text) => ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
        None => missing(),
    }
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "there is no such file").into_response()
}
