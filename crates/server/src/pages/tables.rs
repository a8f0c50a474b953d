//! The study as tables.

use super::layout::with_interval;
use super::{Pages, forum};
use crate::{ideas, spending};

/// The tables there are.
pub const TABLES: [&str; 8] = [
    "leaderboard.csv",
    "evaluations.csv",
    "seeds.csv",
    "findings.csv",
    "comments.csv",
    "diversity.csv",
    "timeline.csv",
    "transfer.csv",
];

/// Rows of texts under named columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub names: Vec<&'static str>,
    /// Cells in the order of the columns; what is absent is empty.
    pub rows: Vec<Vec<String>>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Whole numbers.
    Integer,
    /// Whole numbers from 0 on.
    Unsigned,
    /// Numbers.
    Number,
}

/// What the column of this name holds, in every table that has one.
pub fn kind(column: &str) -> Kind {
    match column {
        "seed" => Kind::Unsigned,
        "rank" | "seeds" | "evaluation" | "finding" | "job" | "teacher" | "turn" | "comments" | "votes" | "at_ms"
        | "ended_ms" | "from_ms" | "to_ms" | "cpu_ms" | "train_cpu_ms" | "predict_cpu_ms" | "train_operations"
        | "researchers" | "families" | "team_tokens" => Kind::Integer,
        "pgr" | "low" | "high" | "retained" | "p_plain" | "accuracy" | "accuracy_in" | "accuracy_out" | "last_loss"
        | "entropy_bits" | "team_usd" | "without_teacher" | "with_teacher" => Kind::Number,
        _ => Kind::Text,
    }
}

impl Table {
    fn of<const N: usize>(names: [&'static str; N]) -> Self {
        Self { names: names.into(), rows: vec![] }
    }

    fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// As comma-separated values, the columns' names first.
    pub fn csv(&self) -> String {
        let head: Vec<String> = self.names.iter().map(|&name| name.to_owned()).collect();
        std::iter::once(&head).chain(&self.rows).map(|row| line(row)).collect()
    }
}

/// One of [`TABLES`].
pub async fn table(pages: &Pages, name: &str) -> Option<Table> {
    Some(match name {
        "leaderboard.csv" => leaderboard(pages).await,
        "evaluations.csv" => evaluations(pages).await,
        "seeds.csv" => seeds(pages).await,
        "findings.csv" => findings(pages).await,
        "comments.csv" => comments(pages).await,
        "diversity.csv" => entropies(pages).await,
        "timeline.csv" => timeline(pages).await,
        "transfer.csv" => transferred(pages).await,
        _ => return None,
    })
}

/// RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe before it.
fn line(cells: &[String]) -> String {
    let cell = |text: &String| {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
        format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

async fn leaderboard(pages: &Pages) -> Table {
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
        "attempts",
        "mark",
        "without_teacher",
        "with_teacher",
        "cpu_ms",
        "parent",
    ];
    let mut out = Table::of(names);
    for row in &pages.scores.board().await.rows {
        let (score, asked) = (&row.score, &row.record.asked);
        out.push(vec![
            number(row.rank),
            row.rung.name().to_owned(),
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
            number(row.attempts),
            number(row.mark.as_ref()),
            number(row.reliance.map(|(_, left)| left.without)),
            number(row.reliance.map(|(_, left)| left.with)),
            row.cpu_ms.to_string(),
            asked.parent.clone().unwrap_or_default(),
        ]);
    }
    out
}

async fn evaluations(pages: &Pages) -> Table {
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
        "cpu_ms",
        "team_usd",
        "team_tokens",
    ];
    let mut out = Table::of(names);
    let inner = pages.shared.inner.lock().await;
    let course = spending::course(&inner.state.notes);
    for record in &inner.state.evaluations {
        let spent = record.ended_ms.and_then(|ended| spending::spent_by(&course, ended));
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
            inner.state.cpu_ms(record).to_string(),
            number(spent.map(|spent| spent.usd)),
            number(spent.map(|spent| spent.tokens)),
        ]);
    }
    out
}

async fn findings(pages: &Pages) -> Table {
    let mut out =
        Table::of(["finding", "by", "type", "title", "body", "evaluation", "turn", "at_ms", "comments", "votes"]);
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
            finding.score().to_string(),
        ]);
    }
    out
}

async fn seeds(pages: &Pages) -> Table {
    let board = pages.scores.board().await;
    let names = [
        "job",
        "evaluation",
        "seed",
        "teacher",
        "status",
        "accuracy",
        "pgr",
        "train_cpu_ms",
        "predict_cpu_ms",
        "train_operations",
        "last_loss",
    ];
    let mut out = Table::of(names);
    let inner = pages.shared.inner.lock().await;
    let scored: std::collections::BTreeMap<i64, _> = board.rows.iter().map(|row| (row.record.id, &row.score)).collect();
    for record in &inner.state.evaluations {
        let score = scored.get(&record.id);
        for (at, job) in record.jobs.iter().enumerate() {
            let Some(job) = inner.state.jobs.get(*job as usize - 1) else { continue };
            out.push(vec![
                job.id.to_string(),
                record.id.to_string(),
                job.seed.seed.to_string(),
                job.seed.teacher.to_string(),
                job.status.name().to_owned(),
                number(score.and_then(|score| score.replicated.by_seed.get(at))),
                number(score.and_then(|score| score.by_seed.get(at))),
                job.usage.train_cpu_ms.to_string(),
                job.usage.predict_cpu_ms.to_string(),
                job.usage.train_operations.to_string(),
                number(job.curve.last().map(|(_, loss)| loss)),
            ]);
        }
    }
    out
}

async fn comments(pages: &Pages) -> Table {
    let mut out = Table::of(["finding", "by", "body", "turn", "at_ms"]);
    let inner = pages.shared.inner.lock().await;
    for finding in &inner.state.findings {
        for (_, comment) in &finding.comments {
            let turn = number(comment.turn);
            out.push(vec![
                finding.id.to_string(),
                comment.by.clone(),
                comment.body.clone(),
                turn,
                comment.at_ms.to_string(),
            ]);
        }
    }
    out
}

async fn entropies(pages: &Pages) -> Table {
    let mut out = Table::of(["evaluation", "researchers", "families", "entropy_bits"]);
    let inner = pages.shared.inner.lock().await;
    for point in ideas::course(&inner.state.evaluations, &inner.state.retired) {
        let (active, families) = (point.active.to_string(), point.families.to_string());
        out.push(vec![point.evaluation.to_string(), active, families, point.entropy.to_string()]);
    }
    out
}

async fn timeline(pages: &Pages) -> Table {
    let mut out = Table::of(["researcher", "doing", "from_ms", "to_ms"]);
    let inner = pages.shared.inner.lock().await;
    for (name, span) in super::timeline::Lanes::at(&inner.state).rows() {
        out.push(vec![name.to_owned(), span.doing.name().to_owned(), span.from_ms.to_string(), span.to_ms.to_string()]);
    }
    out
}

async fn transferred(pages: &Pages) -> Table {
    let mut out = Table::of([
        "method", "by", "bundle", "rung", "testbed", "subject", "fate", "pgr", "low", "high", "retained", "reason",
    ]);
    let matrix = crate::transfer::of(&pages.shared.inner.lock().await.state.notes);
    for (line, matrix) in matrix.iter().flat_map(|matrix| matrix.methods.iter().map(move |line| (line, matrix))) {
        for (cell, target) in line.cells.iter().zip(&matrix.targets) {
            out.push(vec![
                line.method.clone(),
                line.by.clone(),
                line.bundle.clone(),
                line.rung.name().to_owned(),
                target.name.clone(),
                target.subject.clone(),
                cell.fate.words().to_owned(),
                number(cell.pgr.map(|pgr| pgr.value)),
                number(cell.pgr.map(|pgr| pgr.low)),
                number(cell.pgr.map(|pgr| pgr.high)),
                number(cell.retained.map(|retained| retained.value)),
                cell.failed.clone().unwrap_or_default(),
            ]);
        }
    }
    out
}
