//! Exact scores of finished evaluations, computed when somebody looks and kept in memory, for they can't change.

use crate::board::{Board, Row};
use crate::record::Status;
use crate::shared::Shared;
use crate::transfer;
use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;
use aar_grader::Score;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Evaluations scored under one look at the state.
const AT_ONCE: usize = 16;
/// A page waits so long for scores; the rest follow while it says how many are missing.
const PATIENCE: Duration = Duration::from_millis(40);

/// The scores.
pub struct Scores {
    shared: Shared,
    known: Mutex<BTreeMap<i64, Arc<Score>>>,
    busy: tokio::sync::Mutex<()>,
    board: Mutex<Option<(Moment, Arc<Board>)>>,
    /// Whether a page was shown without scores that were still to come.
    missed: AtomicBool,
}

/// A board is the same as long as this is: scores known, evaluations finished, answers given, rulings made and methods tried elsewhere.
type Moment = (usize, usize, usize, usize);

impl Scores {
    /// None yet.
    pub fn new(shared: Shared) -> Self {
        Self {
            shared,
            known: Mutex::default(),
            busy: tokio::sync::Mutex::default(),
            board: Mutex::default(),
            missed: AtomicBool::new(false),
        }
    }

    fn known(&self) -> BTreeMap<i64, Arc<Score>> {
        self.known.lock().map(|known| known.clone()).unwrap_or_default()
    }

    /// Score one evaluation, or find its score; `None` where it is not finished.
    pub async fn one(&self, id: i64) -> Option<Arc<Score>> {
        if let Some(score) = self.known.lock().ok()?.get(&id) {
            return Some(score.clone());
        }
        let (split, outcomes) = {
            let inner = self.shared.inner.lock().await;
            let record = inner.state.evaluations.get(usize::try_from(id).ok()?.checked_sub(1)?)?;
            (record.asked.split, inner.state.outcomes(id)?)
        };
        self.score(&[(id, split, outcomes)]);
        self.known.lock().ok()?.get(&id).cloned()
    }

    async fn missing(&self) -> Vec<(i64, Split, Outcomes)> {
        let known = self.known();
        let inner = self.shared.inner.lock().await;
        let done = inner.state.evaluations.iter().filter(|record| record.status == Status::Done);
        let new = done.filter(|record| !known.contains_key(&record.id)).take(AT_ONCE);
        new.filter_map(|record| Some((record.id, record.asked.split, inner.state.outcomes(record.id)?))).collect()
    }

    fn score(&self, missing: &[(i64, Split, Outcomes)]) {
        for (id, split, outcomes) in missing {
            let score = Arc::new(self.shared.vault.score(*split, outcomes));
            if let Ok(mut known) = self.known.lock() {
                known.entry(*id).or_insert(score);
            }
        }
    }

    /// Score all that is finished. One task at a time: the machine has better things to do.
    pub async fn all(self: &Arc<Self>) {
        let _busy = self.busy.lock().await;
        for batch in 1.. {
            let missing = self.missing().await;
            if missing.is_empty() {
                break;
            }
            let scores = self.clone();
            let _ = tokio::task::spawn_blocking(move || scores.score(&missing)).await;
            if batch % 16 == 0 {
                self.tell();
            }
        }
        self.tell();
    }

    /// Whoever looks at a page that lacks something is told that there is more to see.
    fn tell(&self) {
        if self.missed.swap(false, Ordering::Relaxed) {
            self.shared.changes.send_modify(|count| *count += 1);
        }
    }

    /// Score what is new, as far as a reader's patience goes; the rest follows behind the page.
    async fn catch_up(self: &Arc<Self>) {
        let (known, done, ..) = self.moment().await;
        if known == done {
            return;
        }
        let scores = self.clone();
        let work = async move { scores.all().await };
        // Where another page has waited in vain, this one need not.
        if self.missed.load(Ordering::Relaxed) {
            if self.busy.try_lock().is_ok() {
                tokio::spawn(work);
            }
        } else if tokio::time::timeout(PATIENCE, tokio::spawn(work)).await.is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    async fn moment(&self) -> Moment {
        let known = self.known.lock().map(|known| known.len()).unwrap_or(0);
        let inner = self.shared.inner.lock().await;
        let done = inner.state.evaluations.iter().filter(|record| record.status == Status::Done);
        let (done, answered) = done.fold((0, 0), |(all, told), record| (all + 1, told + usize::from(record.answered)));
        (known, done, answered, inner.state.rulings())
    }

    /// One evaluation's, for a page.
    pub async fn of(self: &Arc<Self>, id: i64) -> Option<Arc<Score>> {
        let scores = self.clone();
        tokio::spawn(async move { scores.one(id).await }).await.ok().flatten()
    }

    /// The board as it is now.
    pub async fn board(self: &Arc<Self>) -> Arc<Board> {
        self.catch_up().await;
        let now = self.moment().await;
        if let Some((then, board)) = self.board.lock().ok().and_then(|kept| kept.clone())
            && (then == now || self.is_new_enough(then, now))
        {
            return board;
        }
        let board = Arc::new(self.place().await);
        if let Ok(mut kept) = self.board.lock() {
            *kept = Some((now, board.clone()));
        }
        board
    }

    /// While scores are still coming, a board is not placed anew for every few of them.
    fn is_new_enough(&self, then: Moment, now: Moment) -> bool {
        now.0 < now.1 && now.0 - then.0 < now.0 / 4 && now.3 == then.3
    }

    async fn place(&self) -> Board {
        let known = self.known();
        let inner = self.shared.inner.lock().await;
        let (mut rows, mut waiting) = (Vec::new(), 0);
        let attempts = inner.state.attempts();
        for record in inner.state.evaluations.iter().filter(|record| record.status == Status::Done) {
            match known.get(&record.id) {
                Some(score) => {
                    let (kind, cpu_ms) = (inner.state.kind_of(record), inner.state.cpu_ms(record));
                    let mut row = Row::new(record.clone(), kind, score.clone(), cpu_ms);
                    row.attempts = attempts.get(&record.id).copied();
                    inner.state.marks(&mut row);
                    rows.push(row);
                }
                None => waiting += 1,
            }
        }
        let elsewhere = transfer::of(&inner.state.notes);
        drop(inner);
        let vault = self.shared.vault.clone();
        tokio::task::spawn_blocking(move || Board::of(&vault, rows, waiting, elsewhere.as_ref()))
            .await
            .unwrap_or_default()
    }
}
