//! The leaderboard's one arithmetic: rungs, ranks with ties, p against plain. Pages, the report and `--json` show what it gives.

use crate::event::Purpose;
use crate::record::EvaluationRecord;
use aar_domain::rung::{Kind, Rung, Split};
use aar_domain::stats::{Comparison, Replicated, holm, ranks};
use aar_grader::{Score, Vault};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A finished evaluation as the board has it.
#[derive(Clone)]
pub struct Row {
    /// The evaluation.
    pub record: EvaluationRecord,
    /// Its author's kind.
    pub kind: Kind,
    /// Its score.
    pub score: Arc<Score>,
    /// How far it may be believed.
    pub rung: Rung,
    /// CPU-milliseconds of all its seeds.
    pub cpu_ms: u64,
    /// Rank on its rung; methods that can't be told apart share one.
    pub rank: usize,
    /// Paired comparison with plain training; absent for plain itself and where plain is not there.
    pub against_plain: Option<Comparison>,
    /// Its p, Holm's over the rung.
    pub p_plain: Option<f64>,
}

impl Row {
    /// Not placed yet.
    pub fn new(record: EvaluationRecord, kind: Kind, score: Arc<Score>, cpu_ms: u64) -> Self {
        let rung = match record.asked.purpose {
            Purpose::Finalist | Purpose::Reference => Rung::Replicated,
            Purpose::Submission | Purpose::Baseline => Rung::Graded,
        };
        Self { record, kind, score, rung, cpu_ms, rank: 0, against_plain: None, p_plain: None }
    }

    /// The author, as the board names it.
    pub fn author(&self) -> &str {
        if self.kind == Kind::Baseline { "–" } else { &self.record.asked.by }
    }

    /// PGR, where it is defined.
    pub fn pgr(&self) -> Option<f64> {
        self.score.pgr.map(|pgr| pgr.value)
    }
}

/// All finished evaluations.
#[derive(Default)]
pub struct Board {
    /// Replicated rows first, best first.
    pub rows: Vec<Row>,
    /// Evaluations that are finished and not scored yet.
    pub waiting: usize,
    /// Half width of what equal graded methods differ by, in PGR, with the evaluation of plain training it is computed from.
    pub noise_floor: Option<(f64, i64)>,
    ties: BTreeMap<(Rung, usize), usize>,
}

impl Board {
    /// Place what was scored.
    pub fn of(vault: &Vault, scored: Vec<Row>, waiting: usize) -> Self {
        let mut rungs = BTreeMap::<Rung, Vec<Row>>::new();
        for row in scored {
            rungs.entry(row.rung).or_default().push(row);
        }
        let plain = rungs.get(&Rung::Graded).and_then(|rows| rows.iter().find(|row| row.record.is_plain()));
        let noise_floor = plain.map(|plain| (vault.noise_floor(Split::Feedback, &plain.score), plain.record.id));
        let rows: Vec<Row> = rungs.into_iter().rev().flat_map(|(_, rows)| placed(rows)).collect();
        let mut ties = BTreeMap::new();
        for row in &rows {
            *ties.entry((row.rung, row.rank)).or_default() += 1;
        }
        Self { rows, waiting, noise_floor, ties }
    }

    /// Whether a row shares its rank.
    pub fn tied(&self, row: &Row) -> bool {
        self.ties.get(&(row.rung, row.rank)).is_some_and(|&rows| rows > 1)
    }

    /// Rows of one rung, best first.
    pub fn on(&self, rung: Rung) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.rung == rung)
    }

    /// The row of an evaluation.
    pub fn row(&self, evaluation: i64) -> Option<&Row> {
        self.rows.iter().find(|row| row.record.id == evaluation)
    }
}

/// Rows of one rung with ranks and p values, best first.
fn placed(mut rows: Vec<Row>) -> Vec<Row> {
    let replicated: Vec<Replicated> = rows.iter().map(|row| row.score.replicated.clone()).collect();
    if let Some(plain) = rows.iter().position(|row| row.record.is_plain()) {
        let others: Vec<usize> = (0..rows.len()).filter(|&at| !rows[at].record.is_plain()).collect();
        let found: Vec<Comparison> =
            others.iter().map(|&at| aar_domain::stats::compare(&replicated[at], &replicated[plain])).collect();
        let adjusted = holm(&found.iter().map(|comparison| comparison.p).collect::<Vec<_>>());
        for ((&at, comparison), p) in others.iter().zip(found).zip(adjusted) {
            (rows[at].against_plain, rows[at].p_plain) = (Some(comparison), Some(p));
        }
    }
    for (row, rank) in rows.iter_mut().zip(ranks(&replicated)) {
        row.rank = rank;
    }
    rows.sort_by(|a, b| b.score.accuracy.total_cmp(&a.score.accuracy).then(a.record.id.cmp(&b.record.id)));
    rows
}
