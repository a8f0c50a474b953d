//! One ledger for the team: a task of its own owns the file and the book, so that nobody who goes away in the middle of a
//! question leaves it half done.
//!
//! A call's worst case is *reserved* before it is made and *settled* to what it came to afterwards. A reservation that is
//! lost (a panic, a task that was ended) is settled at its worst case by its destructor, one that a crash left open when
//! the file is opened again. So nothing is lost, nothing is charged twice, and no cap is passed.

pub mod book;
pub mod pace;
mod store;

use crate::clock::now_ms;
use crate::error::GatewayError;
use crate::settings::{Caller, Limits};
use book::{Book, Charge, Outcome, Refused, Totals, Unit};
use pace::Rate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
pub use store::Opening;
use store::Store;
use tokio::sync::{mpsc, oneshot, watch};

type Answer<T> = oneshot::Sender<Result<T, GatewayError>>;

enum Order {
    Reserve(Opening, Answer<Result<Reservation, Refused>>),
    Settle { id: i64, charge: Charge, outcome: Outcome, answer: Option<Answer<()>> },
    Record { caller: String, unit: Unit, amount: u64, key: String, answer: Answer<()> },
    Extend { caller: Option<String>, by: Limits, answer: Answer<()> },
    Pause { caller: String, paused: bool, answer: Answer<()> },
    Admit { caller: String, limits: Limits, rate: Option<Rate>, answer: Answer<()> },
    Sums(Answer<Sums>),
}

/// Everybody's totals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// All together.
    pub team: Totals,
    /// Each.
    pub callers: BTreeMap<String, Totals>,
}

/// A way to the ledger; cheap to clone. The file is closed when the last one is gone.
#[derive(Clone)]
pub struct Ledger {
    orders: mpsc::UnboundedSender<Order>,
    settled: watch::Receiver<u64>,
}

/// A call's worst case, promised.
#[derive(Debug)]
pub struct Reservation {
    /// The call's number.
    pub id: i64,
    /// What is promised.
    pub worst: Charge,
    orders: mpsc::UnboundedSender<Order>,
    settled: bool,
}

impl Ledger {
    /// Open the file, charge what a crash left open, let callers in.
    pub async fn open(path: &Path, limits: Limits, callers: &[Caller]) -> Result<Self, GatewayError> {
        let mut store = Store::open(path).await?;
        let mut book = Book::default();
        book.team.limits = limits;
        callers.iter().for_each(|caller| book.admit(&caller.name, caller.limits, caller.rate));
        store.recover(now_ms(), &mut book).await?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let (changes, settled) = watch::channel(0);
        let keeper = Keeper { store, book, changes, orders: orders.downgrade(), broken: false };
        tokio::spawn(keeper.keep(inbox));
        Ok(Self { orders, settled })
    }

    async fn ask<T>(&self, order: impl FnOnce(Answer<T>) -> Order) -> Result<T, GatewayError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).map_err(|_| GatewayError::LedgerClosed)?;
        answered.await.map_err(|_| GatewayError::LedgerClosed)?
    }

    /// Promise a call its worst case. While only the promises of running calls stand in the way, this waits for them.
    pub async fn reserve(&self, opening: &Opening) -> Result<Result<Reservation, Refused>, GatewayError> {
        let mut settled = self.settled.clone();
        loop {
            settled.borrow_and_update();
            match self.ask(|answer| Order::Reserve(opening.clone(), answer)).await? {
                Err(Refused::Shortage(shortage)) if shortage.later => {
                    settled.changed().await.map_err(|_| GatewayError::LedgerClosed)?;
                }
                decided => return Ok(decided),
            }
        }
    }

    /// Count units of something else. The same key again counts once.
    pub async fn record(&self, caller: &str, unit: Unit, amount: u64, key: &str) -> Result<(), GatewayError> {
        let (caller, key) = (caller.to_owned(), key.to_owned());
        self.ask(|answer| Order::Record { caller, unit, amount, key, answer }).await
    }

    /// Raise the limits of somebody, or of the team. It lasts over restarts.
    pub async fn extend(&self, caller: Option<&str>, by: Limits) -> Result<(), GatewayError> {
        let caller = caller.map(str::to_owned);
        self.ask(|answer| Order::Extend { caller, by, answer }).await
    }

    /// Refuse somebody's calls for now, or no longer. It lasts over restarts.
    pub async fn pause(&self, caller: &str, paused: bool) -> Result<(), GatewayError> {
        let caller = caller.to_owned();
        self.ask(|answer| Order::Pause { caller, paused, answer }).await
    }

    /// Give somebody an account.
    pub async fn admit(&self, caller: &str, limits: Limits, rate: Option<Rate>) -> Result<(), GatewayError> {
        let caller = caller.to_owned();
        self.ask(|answer| Order::Admit { caller, limits, rate, answer }).await
    }

    /// Everybody's totals.
    pub async fn sums(&self) -> Result<Sums, GatewayError> {
        self.ask(Order::Sums).await
    }

    /// Wait until no call runs.
    pub async fn idle(&self) -> Result<(), GatewayError> {
        let mut settled = self.settled.clone();
        loop {
            settled.borrow_and_update();
            if self.sums().await?.team.open_tokens == 0 {
                return Ok(());
            }
            settled.changed().await.map_err(|_| GatewayError::LedgerClosed)?;
        }
    }
}

impl Reservation {
    /// Charge what the call came to.
    pub async fn settle(mut self, charge: Charge, outcome: Outcome) -> Result<(), GatewayError> {
        let (answer, answered) = oneshot::channel();
        self.send(charge, outcome, Some(answer));
        answered.await.map_err(|_| GatewayError::LedgerClosed)?
    }

    fn send(&mut self, charge: Charge, outcome: Outcome, answer: Option<Answer<()>>) {
        self.settled = true;
        // Without a keeper it stays open in the file, and is charged when that is opened again.
        let _ = self.orders.send(Order::Settle { id: self.id, charge, outcome, answer });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.settled {
            self.send(self.worst, Outcome::Unknown, None);
        }
    }
}

/// Who owns the file and the book.
struct Keeper {
    store: Store,
    book: Book,
    changes: watch::Sender<u64>,
    orders: mpsc::WeakUnboundedSender<Order>,
    /// A write failed: nobody knows what is on disk, so that nothing more is promised.
    broken: bool,
}

impl Keeper {
    async fn keep(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        while let Some(order) = inbox.recv().await {
            match order {
                Order::Reserve(opening, answer) => {
                    let reserved = self.reserve(&opening).await;
                    if let Err(Ok(Ok(mut unwanted))) = answer.send(reserved) {
                        // Whoever asked is gone, and nothing was asked of a provider.
                        unwanted.send(Charge::default(), Outcome::Failed, None);
                    }
                }
                Order::Settle { id, charge, outcome, answer } => {
                    let settled = self.settle(id, &charge, outcome).await;
                    reply(answer, settled);
                }
                Order::Record { caller, unit, amount, key, answer } => {
                    let done = self.record(&caller, unit, amount, &key).await;
                    reply(Some(answer), done);
                }
                Order::Extend { caller, by, answer } => {
                    let done = self.extend(caller.as_deref(), &by).await;
                    reply(Some(answer), done);
                }
                Order::Pause { caller, paused, answer } => {
                    let done = self.pause(&caller, paused).await;
                    reply(Some(answer), done);
                }
                Order::Admit { caller, limits, rate, answer } => {
                    self.book.admit(&caller, limits, rate);
                    reply(Some(answer), Ok(()));
                }
                Order::Sums(answer) => {
                    let sums = Sums { team: self.book.team, callers: self.book.callers.clone() };
                    reply(Some(answer), Ok(sums));
                }
            }
        }
        self.store.close().await;
    }

    /// After a failed write everything is refused.
    fn written<T>(&mut self, written: Result<T, GatewayError>) -> Result<T, GatewayError> {
        if let Err(error) = &written {
            tracing::error!(%error, "the ledger can't be written: no more calls are let through");
            self.broken = true;
        }
        written
    }

    fn check(&self) -> Result<(), GatewayError> {
        if self.broken { Err(GatewayError::LedgerClosed) } else { Ok(()) }
    }

    async fn reserve(&mut self, opening: &Opening) -> Result<Result<Reservation, Refused>, GatewayError> {
        self.check()?;
        if let Err(shortage) = self.book.affords(&opening.caller, &opening.worst) {
            return Ok(Err(Refused::Shortage(shortage)));
        }
        if let Some((rate, wait_s)) = self.book.brakes(&opening.caller, now_ms()) {
            return Ok(Err(Refused::TooFast { rate, wait_s }));
        }
        let orders = self.orders.upgrade().ok_or(GatewayError::LedgerClosed)?;
        let opened = self.store.open_call(now_ms(), opening).await;
        let id = self.written(opened)?;
        self.book.reserve(id, &opening.caller, opening.worst);
        Ok(Ok(Reservation { id, worst: opening.worst, orders, settled: false }))
    }

    async fn settle(&mut self, id: i64, charge: &Charge, outcome: Outcome) -> Result<(), GatewayError> {
        self.check()?;
        let at_ms = now_ms();
        let closed = self.store.close_call(at_ms, id, charge, outcome).await;
        self.written(closed)?;
        self.book.settle(id, charge, outcome, at_ms);
        self.changed();
        Ok(())
    }

    async fn record(&mut self, caller: &str, unit: Unit, amount: u64, key: &str) -> Result<(), GatewayError> {
        self.known(caller)?;
        let recorded = self.store.record(now_ms(), caller, unit, amount, key).await;
        if self.written(recorded)? {
            self.book.record(caller, unit, amount);
        }
        Ok(())
    }

    async fn extend(&mut self, caller: Option<&str>, by: &Limits) -> Result<(), GatewayError> {
        caller.map_or(Ok(()), |caller| self.known(caller))?;
        let ordered = self.store.order(now_ms(), caller, "extend", by).await;
        self.written(ordered)?;
        self.book.extend(caller, by);
        self.changed();
        Ok(())
    }

    async fn pause(&mut self, caller: &str, paused: bool) -> Result<(), GatewayError> {
        self.known(caller)?;
        let what = if paused { "pause" } else { "resume" };
        let ordered = self.store.order(now_ms(), Some(caller), what, &Limits::default()).await;
        self.written(ordered)?;
        self.book.pause(caller, paused);
        Ok(())
    }

    fn known(&self, caller: &str) -> Result<(), GatewayError> {
        self.check()?;
        let known = self.book.callers.contains_key(caller);
        if known { Ok(()) } else { Err(GatewayError::Unknown(caller.to_owned())) }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

fn reply<T>(answer: Option<Answer<T>>, with: Result<T, GatewayError>) {
    if let Some(answer) = answer {
        // Whoever asked may be gone.
        let _ = answer.send(with);
    }
}
