//! Exact scores of finished evaluations, computed when somebody looks and kept in memory, for they can't change.

use crate::event::Purpose;
use crate::record::{EvaluationRecord, Status};
use crate::shared::Shared;
use aar_domain::rung::{Kind, Rung, Split};
use aar_domain::stats::{Outcomes, holm, ranks};
use aar_grader::Score;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Evaluations scored before a page is shown; where more wait, they follow while it says so.
const AT_ONCE: usize = 32;

/// The scores.
pub struct Scores {
    shared: Shared,
    known: Mutex<BTreeMap<i64, Arc<Score>>>,
    busy: Mutex<()>,
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
    /// Rank on its rung; methods that can't be told apart share one.
    pub rank: usize,
    /// Paired test against plain training, Holm over its rung; absent for plain itself.
    pub p_plain: Option<f64>,
}

/// All of them.
pub struct Board {
    /// Replicated rows first, best first.
    pub rows: Vec<Row>,
    /// Evaluations that are finished and not scored yet.
    pub waiting: usize,
    /// Half width of what equal methods differ by, in PGR.
    pub noise_floor: Option<f64>,
}

impl Scores {
    /// None yet.
    pub fn new(shared: Shared) -> Self {
        Self { shared, known: Mutex::default(), busy: Mutex::default() }
    }

    async fn missing(&self) -> Vec<(i64, Split, Outcomes)> {
        let known: BTreeSet<i64> = self.known.lock().map(|known| known.keys().copied().collect()).unwrap_or_default();
        let inner = self.shared.inner.lock().await;
        let done = inner.state.evaluations.iter().filter(|record| record.status == Status::Done);
        let new = done.filter(|record| !known.contains(&record.id)).take(AT_ONCE);
        new.filter_map(|record| Some((record.id, record.asked.split, inner.state.outcomes(record.id)?))).collect()
    }

    fn score(&self, missing: &[(i64, Split, Outcomes)]) {
        // One at a time: the machine has better things to do.
        let _busy = self.busy.lock();
        for (id, split, outcomes) in missing {
            if self.known.lock().is_ok_and(|known| known.contains_key(id)) {
                continue;
            }
            let score = Arc::new(self.shared.vault.score(*split, outcomes));
            if let Ok(mut known) = self.known.lock() {
                known.insert(*id, score);
            }
        }
    }

    /// Score what is new: some of it now, the rest behind the page.
    async fn refresh(self: &Arc<Self>) {
        let missing = self.missing().await;
        if missing.is_empty() {
            return;
        }
        let more = missing.len() == AT_ONCE;
        let scores = self.clone();
        let _ = tokio::task::spawn_blocking(move || scores.score(&missing)).await;
        if more {
            let scores = self.clone();
            tokio::spawn(async move {
                loop {
                    let missing = scores.missing().await;
                    if missing.is_empty() {
                        break;
                    }
                    let scores = scores.clone();
                    let _ = tokio::task::spawn_blocking(move || scores.score(&missing)).await;
                }
                // Whoever looks is told that there is more to see.
                scores.shared.changes.send_modify(|count| *count += 1);
            });
        }
    }

    /// One evaluation's.
    pub async fn of(self: &Arc<Self>, id: i64) -> Option<Arc<Score>> {
        self.refresh().await;
        self.known.lock().ok()?.get(&id).cloned()
    }

    /// The board as it is now.
    pub async fn board(self: &Arc<Self>) -> Board {
        self.refresh().await;
        let known = self.known.lock().map(|known| known.clone()).unwrap_or_default();
        let inner = self.shared.inner.lock().await;
        let done = inner.state.evaluations.iter().filter(|record| record.status == Status::Done);
        let (mut groups, mut waiting) = (BTreeMap::<Rung, Vec<Row>>::new(), 0);
        for record in done {
            let Some(score) = known.get(&record.id).cloned() else {
                waiting += 1;
                continue;
            };
            let rung = match record.asked.purpose {
                Purpose::Finalist | Purpose::Reference => Rung::Replicated,
                Purpose::Submission | Purpose::Baseline => Rung::Graded,
            };
            let kind = inner.state.kind_of(record);
            groups.entry(rung).or_default().push(Row {
                record: record.clone(),
                kind,
                score,
                rung,
                rank: 0,
                p_plain: None,
            });
        }
        drop(inner);
        let vault = self.shared.vault.clone();
        let finish = move || {
            let plain = groups.get(&Rung::Graded).and_then(|rows| rows.iter().find(|row| row.is_plain()));
            let noise_floor = plain.map(|plain| vault.noise_floor(Split::Feedback, &plain.score));
            let rows = groups.into_iter().rev().flat_map(|(_, rows)| placed(rows)).collect();
            Board { rows, waiting, noise_floor }
        };
        tokio::task::spawn_blocking(finish).await.unwrap_or(Board { rows: vec![], waiting, noise_floor: None })
    }
}

impl Row {
    /// Plain training, by the operator's hand.
    pub fn is_plain(&self) -> bool {
        self.kind == Kind::Baseline && self.record.asked.key.ends_with(" plain")
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

/// Rows of one rung with ranks and p values, best first.
fn placed(mut rows: Vec<Row>) -> Vec<Row> {
    let replicated: Vec<_> = rows.iter().map(|row| row.score.replicated.clone()).collect();
    if let Some(plain) = rows.iter().position(Row::is_plain) {
        let others: Vec<usize> = (0..rows.len()).filter(|&i| !rows[i].is_plain()).collect();
        let p: Vec<f64> =
            others.iter().map(|&i| aar_domain::stats::compare(&replicated[i], &replicated[plain]).p).collect();
        for (&i, p) in others.iter().zip(holm(&p)) {
            rows[i].p_plain = Some(p);
        }
    }
    for (row, rank) in rows.iter_mut().zip(ranks(&replicated)) {
        row.rank = rank;
    }
    rows.sort_by(|a, b| b.score.accuracy.total_cmp(&a.score.accuracy).then(a.record.id.cmp(&b.record.id)));
    rows
}
