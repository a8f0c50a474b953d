//! The leaderboard's one arithmetic: rungs, ranks with ties, p against plain. Pages, the report and `--json` show what it gives.
//!
//! Ranks and p values compare like with like: what was graded, and what was re-run at the close. What came of a re-run method on other testbeds
//! lifts its rung and changes no rank.

use crate::event::Purpose;
use crate::record::EvaluationRecord;
use aar_api::integrity::Left;
use aar_domain::rung::{Kind, Rung, Split};
use aar_domain::stats::{Comparison, Replicated, compare, holm, ranks, ranks_by};
use aar_domain::transfer::matrix::Matrix;
use aar_grader::{Score, Vault};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why a row is shown and not ranked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// A binding verdict's check, or `refused`.
    pub what: &'static str,
    /// The earlier evaluation that the row is tied to.
    pub of: Option<i64>,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Some(of) => write!(f, "{} of #{of}", self.what),
            None => f.write_str(self.what),
        }
    }
}

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
    /// Rank among graded or among re-run rows; methods that can't be told apart share one. Absent where the row is marked.
    pub rank: Option<usize>,
    /// Why it is not ranked.
    pub mark: Option<Mark>,
    /// Submissions that its author had made with this one, failed ones too; absent for what the study runs.
    pub attempts: Option<usize>,
    /// Paired comparison with plain training; absent for plain itself and where plain is not there.
    pub against_plain: Option<Comparison>,
    /// Its p, Holm's over graded or re-run rows.
    pub p_plain: Option<f64>,
    /// What is left of it without the teacher's labels, with the verdict that says so; finalists that were examined.
    pub reliance: Option<(i64, Left)>,
    /// Checks that looked at its bundle.
    pub checks: usize,
    /// The operator's word on it, where it was signed off.
    pub signed_off: bool,
}

impl Row {
    /// Not placed yet.
    pub fn new(record: EvaluationRecord, kind: Kind, score: Arc<Score>, cpu_ms: u64) -> Self {
        let rung = match record.asked.purpose {
            Purpose::Finalist | Purpose::Reference => Rung::Replicated,
            Purpose::Submission | Purpose::Baseline => Rung::Graded,
        };
        Self {
            record,
            kind,
            score,
            rung,
            cpu_ms,
            rank: None,
            mark: None,
            attempts: None,
            against_plain: None,
            p_plain: None,
            reliance: None,
            checks: 0,
            signed_off: false,
        }
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
    /// Rows re-run at the close first, best first.
    pub rows: Vec<Row>,
    /// Evaluations that are finished and not scored yet.
    pub waiting: usize,
    /// Half width of what equal graded methods differ by, in PGR, with the evaluation of plain training it is computed from.
    pub noise_floor: Option<(f64, i64)>,
    /// Finalists compared with each other, better ones first.
    pub pairs: Vec<Pair>,
    ties: BTreeMap<(bool, usize), usize>,
}

/// Two finalists, compared on the same seeds and items.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The better one's evaluation.
    pub better: i64,
    /// The other's.
    pub other: i64,
    /// Better minus other, in accuracy.
    pub comparison: Comparison,
    /// Its p, Holm's over all pairs of finalists.
    pub p: f64,
}

impl Board {
    /// Place what was scored. `elsewhere` says what came of bundles on other testbeds.
    pub fn of(vault: &Vault, scored: Vec<Row>, waiting: usize, elsewhere: Option<&Matrix>) -> Self {
        let (mut rerun, graded): (Vec<Row>, Vec<Row>) = scored.into_iter().partition(|row| row.rung.is_result());
        for row in &mut rerun {
            let line =
                elsewhere.and_then(|matrix| matrix.methods.iter().find(|line| line.bundle == row.record.asked.bundle));
            row.rung = line.map_or(row.rung, |line| line.rung);
        }
        let plain = graded.iter().find(|row| row.record.is_plain());
        let noise_floor = plain.map(|plain| (vault.noise_floor(Split::Feedback, &plain.score), plain.record.id));
        let mut pairs = Vec::new();
        let mut rows = placed(rerun, Some(&mut pairs));
        rows.extend(placed(graded, None));
        let mut ties = BTreeMap::new();
        for row in &rows {
            if let Some(rank) = row.rank {
                *ties.entry((row.rung.is_result(), rank)).or_default() += 1;
            }
        }
        Self { rows, waiting, noise_floor, pairs, ties }
    }

    /// Whether a row shares its rank.
    pub fn tied(&self, row: &Row) -> bool {
        row.rank.is_some_and(|rank| self.ties.get(&(row.rung.is_result(), rank)).is_some_and(|&rows| rows > 1))
    }

    /// Rows that were re-run at the close, best first.
    pub fn results(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.rung.is_result())
    }

    /// Rows that were only graded, best first.
    pub fn graded(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.rung.is_result())
    }

    /// The row of an evaluation.
    pub fn row(&self, evaluation: i64) -> Option<&Row> {
        self.rows.iter().find(|row| row.record.id == evaluation)
    }
}

/// Graded or re-run rows with ranks and p values, best first; marked rows come last, and count neither among the ranks nor among the tests.
/// Where `pairs` are wanted, which is among finalists, every two are compared, and ranks go by that.
fn placed(rows: Vec<Row>, pairs: Option<&mut Vec<Pair>>) -> Vec<Row> {
    let (mut marked, mut rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.mark.is_some());
    for rows in [&mut rows, &mut marked] {
        rows.sort_by(|a, b| b.score.accuracy.total_cmp(&a.score.accuracy).then(a.record.id.cmp(&b.record.id)));
    }
    let replicated: Vec<Replicated> = rows.iter().map(|row| row.score.replicated.clone()).collect();
    against_plain(&mut rows, &replicated);
    let places = match pairs {
        None => ranks(&replicated),
        Some(pairs) => {
            *pairs = compared(&rows, &replicated);
            let p = |a: usize, b: usize| {
                let (a, b) = (&rows[a], &rows[b]);
                let pair = pairs.iter().find(|pair| pair.better == a.record.id && pair.other == b.record.id);
                pair.map(|pair| pair.p).or(b.p_plain.filter(|_| a.record.is_plain())).or(a.p_plain)
            };
            ranks_by(rows.len(), |a, b| p(a, b).is_some_and(|p| p < 0.05))
        }
    };
    for (row, rank) in rows.iter_mut().zip(places) {
        row.rank = Some(rank);
    }
    rows.append(&mut marked);
    rows
}

fn against_plain(rows: &mut [Row], replicated: &[Replicated]) {
    let Some(plain) = rows.iter().position(|row| row.record.is_plain()) else {
        return;
    };
    let others: Vec<usize> = (0..rows.len()).filter(|&at| !rows[at].record.is_plain()).collect();
    let found: Vec<Comparison> = others.iter().map(|&at| compare(&replicated[at], &replicated[plain])).collect();
    let adjusted = holm(&found.iter().map(|comparison| comparison.p).collect::<Vec<_>>());
    for ((&at, comparison), p) in others.iter().zip(found).zip(adjusted) {
        (rows[at].against_plain, rows[at].p_plain) = (Some(comparison), Some(p));
    }
}

/// Every two finalists; `rows` are in order, best first.
fn compared(rows: &[Row], replicated: &[Replicated]) -> Vec<Pair> {
    let finalists: Vec<usize> = (0..rows.len()).filter(|&at| !rows[at].record.is_plain()).collect();
    let two = |(place, &a): (usize, &usize)| finalists[place + 1..].iter().map(move |&b| (a, b)).collect::<Vec<_>>();
    let both: Vec<(usize, usize)> = finalists.iter().enumerate().flat_map(two).collect();
    let found: Vec<Comparison> = both.iter().map(|&(a, b)| compare(&replicated[a], &replicated[b])).collect();
    let adjusted = holm(&found.iter().map(|comparison| comparison.p).collect::<Vec<_>>());
    let pair = |((&(a, b), comparison), p): ((&(usize, usize), Comparison), f64)| Pair {
        better: rows[a].record.id,
        other: rows[b].record.id,
        comparison,
        p,
    };
    both.iter().zip(found).zip(adjusted).map(pair).collect()
}
