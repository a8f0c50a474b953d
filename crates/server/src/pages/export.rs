//! What is behind the figures, to take away: SVG with colours of its own, and CSV.

use super::layout::with_interval;
use super::{Pages, board, figures, forum, lineage};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A figure as a file; its colours are put in, for it leaves the page's style behind.
pub async fn figure(State(pages): State<Pages>, Path(name): Path<String>) -> Response {
    let all = pages.scores.board().await;
    let drawn = match name.as_str() {
        "progress.svg" => figures::progress(&all),
        "lineage.svg" => lineage::whole(&all),
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
    let rows = match name.as_str() {
        "leaderboard.csv" => leaderboard(&pages).await,
        "evaluations.csv" => evaluations(&pages).await,
        "findings.csv" => findings(&pages).await,
        _ => return missing(),
    };
    let text: String = rows.iter().map(|row| line(row)).collect();
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response()
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "there is no such file").into_response()
}

/// RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe before it.
fn line(cells: &[String]) -> String {
    let cell = |text: &String| {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
        format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

fn header_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

async fn leaderboard(pages: &Pages) -> Vec<Vec<String>> {
    let names = [
        "rank",
        "rung",
        "method",
        "by",
        "family",
        "pgr",
        "low",
        "high",
        "p_plain",
        "accuracy",
        "accuracy_in",
        "accuracy_out",
        "seeds",
        "evaluation",
        "bundle",
    ];
    let mut out = vec![header_of(&names)];
    for row in pages.scores.board().await.rows {
        let (score, asked) = (&row.score, &row.record.asked);
        out.push(vec![
            row.rank.to_string(),
            board::rung(row.rung).to_owned(),
            asked.name.clone(),
            row.author().to_owned(),
            asked.family.clone(),
            number(row.pgr()),
            number(score.pgr.map(|pgr| pgr.low)),
            number(score.pgr.map(|pgr| pgr.high)),
            number(row.p_plain),
            score.accuracy.to_string(),
            number(score.accuracy_in),
            number(score.accuracy_out),
            score.replicated.by_seed.len().to_string(),
            row.record.id.to_string(),
            asked.bundle.clone(),
        ]);
    }
    out
}

async fn evaluations(pages: &Pages) -> Vec<Vec<String>> {
    let board = pages.scores.board().await;
    let scored: std::collections::BTreeMap<i64, _> =
        board.rows.iter().map(|row| (row.record.id, row.score.pgr)).collect();
    let names = [
        "evaluation",
        "method",
        "by",
        "family",
        "split",
        "status",
        "at_ms",
        "ended_ms",
        "pgr",
        "pgr_interval",
        "bundle",
        "parent",
        "failure",
    ];
    let mut out = vec![header_of(&names)];
    let inner = pages.shared.inner.lock().await;
    for record in &inner.state.evaluations {
        let (asked, pgr) = (&record.asked, scored.get(&record.id).copied().flatten());
        out.push(vec![
            record.id.to_string(),
            asked.name.clone(),
            asked.by.clone(),
            asked.family.clone(),
            asked.split.name().to_owned(),
            record.status.name().to_owned(),
            record.at_ms.to_string(),
            number(record.ended_ms),
            number(pgr.map(|pgr| pgr.value)),
            pgr.map(|pgr| with_interval(Some(pgr))).unwrap_or_default(),
            asked.bundle.clone(),
            asked.parent.clone().unwrap_or_default(),
            record.failure.as_ref().map(|(reason, _)| reason.clone()).unwrap_or_default(),
        ]);
    }
    out
}

async fn findings(pages: &Pages) -> Vec<Vec<String>> {
    let mut out =
        vec![header_of(&["finding", "by", "type", "title", "body", "evaluation", "turn", "at_ms", "comments"])];
    let inner = pages.shared.inner.lock().await;
    for finding in &inner.state.findings {
        let posted = &finding.posted;
        out.push(vec![
            finding.id.to_string(),
            posted.by.clone(),
            forum::kind(posted.kind).to_owned(),
            posted.title.clone(),
            posted.body.clone(),
            number(posted.evaluation),
            number(posted.turn),
            finding.at_ms.to_string(),
            finding.comments.len().to_string(),
        ]);
    }
    out
}
