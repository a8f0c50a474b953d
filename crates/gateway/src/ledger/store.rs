//! The ledger's file: every change is on disk before it is answered.

use super::book::{Book, Charge, Outcome, Unit};
use crate::error::GatewayError;
use crate::settings::Limits;
use aar_llm::conversation::Usage;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteQueryResult, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row as _, SqliteConnection};
use std::path::{Path, PathBuf};

/// The newest format of the file (`PRAGMA user_version`).
const FORMAT: i64 = 1;

const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, caller TEXT NOT NULL, provider TEXT NOT NULL, \
     model TEXT NOT NULL, opened_ms INTEGER NOT NULL, worst_input INTEGER NOT NULL, worst_output INTEGER NOT NULL, \
     worst_nano INTEGER NOT NULL, closed_ms INTEGER, outcome TEXT, input INTEGER, output INTEGER, cache_read INTEGER, \
     cache_write INTEGER, nano INTEGER) STRICT",
    "CREATE TABLE IF NOT EXISTS units (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, caller TEXT NOT NULL, \
     unit TEXT NOT NULL, amount INTEGER NOT NULL, key TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, caller TEXT, \
     what TEXT NOT NULL, usd REAL, tokens INTEGER) STRICT",
    "PRAGMA user_version = 1",
];

/// What is written of a call before it is made.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who calls.
    pub caller: String,
    /// Which provider.
    pub provider: String,
    /// Which model, as the provider names it.
    pub model: String,
    /// What it may come to.
    pub worst: Charge,
}

/// The open file. Nobody else can open it meanwhile: two gateways on one ledger would pass its caps.
pub struct Store {
    path: PathBuf,
    connection: SqliteConnection,
}

impl Store {
    /// Open or create the file.
    pub async fn open(path: &Path) -> Result<Self, GatewayError> {
        let wrong = |source| GatewayError::Ledger { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(3));
        let mut connection = options.connect().await.map_err(wrong)?;
        let row = sqlx::query("PRAGMA user_version").fetch_one(&mut connection).await.map_err(wrong)?;
        let found: i64 = row.get(0);
        if found > FORMAT {
            return Err(GatewayError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        for statement in TABLES {
            sqlx::query(statement).execute(&mut connection).await.map_err(wrong)?;
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    fn wrong(&self) -> impl FnOnce(sqlx::Error) -> GatewayError + use<> {
        let path = self.path.clone();
        move |source| GatewayError::Ledger { path, source }
    }

    /// Charge what a crash left open, then tell the book everything.
    pub async fn recover(&mut self, at_ms: i64, book: &mut Book) -> Result<(), GatewayError> {
        let wrong = self.wrong();
        sqlx::query(
            "UPDATE calls SET closed_ms = ?, outcome = 'crashed', input = worst_input, output = worst_output, \
             cache_read = 0, cache_write = 0, nano = worst_nano WHERE outcome IS NULL",
        )
        .bind(at_ms)
        .execute(&mut self.connection)
        .await
        .map_err(wrong)?;
        self.recall(book).await.map_err(self.wrong())
    }

    async fn recall(&mut self, book: &mut Book) -> Result<(), sqlx::Error> {
        let calls = "SELECT caller, outcome, input, output, cache_read, cache_write, nano, closed_ms FROM calls ORDER BY closed_ms, id";
        for row in sqlx::query(calls).fetch_all(&mut self.connection).await? {
            let outcome = if row.get::<&str, _>(1) == "answered" { Outcome::Answered } else { Outcome::Failed };
            let charge = charge(&row);
            book.remember(row.get(0), &charge, outcome);
            book.paid(row.get(0), charge.nano, row.get::<Option<i64>, _>(7).unwrap_or_default());
        }
        let units = "SELECT caller, unit, amount FROM units";
        for row in sqlx::query(units).fetch_all(&mut self.connection).await? {
            let unit = if row.get::<&str, _>(1) == "evaluations" { Unit::Evaluations } else { Unit::ComputeMs };
            book.record(row.get(0), unit, row.get::<i64, _>(2).unsigned_abs());
        }
        let orders = "SELECT caller, what, usd, tokens FROM orders ORDER BY id";
        for row in sqlx::query(orders).fetch_all(&mut self.connection).await? {
            let caller: Option<&str> = row.get(0);
            match (row.get::<&str, _>(1), caller) {
                ("extend", caller) => {
                    let tokens = row.get::<Option<i64>, _>(3).map(i64::unsigned_abs);
                    book.extend(caller, &Limits { usd: row.get(2), tokens });
                }
                (what, Some(caller)) => book.pause(caller, what == "pause"),
                (_, None) => {}
            }
        }
        Ok(())
    }

    /// Write a call down before it is made. Returns its number.
    pub async fn open_call(&mut self, at_ms: i64, opening: &Opening) -> Result<i64, GatewayError> {
        let wrong = self.wrong();
        let worst = &opening.worst;
        let done = sqlx::query(
            "INSERT INTO calls (caller, provider, model, opened_ms, worst_input, worst_output, worst_nano) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&opening.caller)
        .bind(&opening.provider)
        .bind(&opening.model)
        .bind(at_ms)
        .bind(worst.usage.input as i64)
        .bind(worst.usage.output as i64)
        .bind(worst.nano)
        .execute(&mut self.connection)
        .await
        .map_err(wrong)?;
        Ok(done.last_insert_rowid())
    }

    /// Write down what it came to.
    pub async fn close_call(
        &mut self,
        at_ms: i64,
        id: i64,
        charge: &Charge,
        outcome: Outcome,
    ) -> Result<(), GatewayError> {
        let wrong = self.wrong();
        let usage = &charge.usage;
        sqlx::query(
            "UPDATE calls SET closed_ms = ?, outcome = ?, input = ?, output = ?, cache_read = ?, cache_write = ?, nano = ? \
             WHERE id = ? AND outcome IS NULL",
        )
        .bind(at_ms)
        .bind(outcome.name())
        .bind(usage.input as i64)
        .bind(usage.output as i64)
        .bind(usage.cache_read as i64)
        .bind(usage.cache_write as i64)
        .bind(charge.nano)
        .bind(id)
        .execute(&mut self.connection)
        .await
        .map_err(wrong)?;
        Ok(())
    }

    /// Write down units. `false`: this key was there before, and counts once.
    pub async fn record(
        &mut self,
        at_ms: i64,
        caller: &str,
        unit: Unit,
        amount: u64,
        key: &str,
    ) -> Result<bool, GatewayError> {
        let wrong = self.wrong();
        let statement = "INSERT OR IGNORE INTO units (at_ms, caller, unit, amount, key) VALUES (?, ?, ?, ?, ?)";
        let done: SqliteQueryResult = sqlx::query(statement)
            .bind(at_ms)
            .bind(caller)
            .bind(unit.name())
            .bind(amount as i64)
            .bind(key)
            .execute(&mut self.connection)
            .await
            .map_err(wrong)?;
        Ok(done.rows_affected() > 0)
    }

    /// Write down an order of the operator: `extend`, `pause`, `resume`.
    pub async fn order(
        &mut self,
        at_ms: i64,
        caller: Option<&str>,
        what: &str,
        by: &Limits,
    ) -> Result<(), GatewayError> {
        let wrong = self.wrong();
        sqlx::query("INSERT INTO orders (at_ms, caller, what, usd, tokens) VALUES (?, ?, ?, ?, ?)")
            .bind(at_ms)
            .bind(caller)
            .bind(what)
            .bind(by.usd)
            .bind(by.tokens.map(|tokens| tokens as i64))
            .execute(&mut self.connection)
            .await
            .map_err(wrong)?;
        Ok(())
    }

    /// Close the file.
    pub async fn close(self) {
        // What was answered is on disk; a failure here loses nothing.
        let _ = self.connection.close().await;
    }
}

fn charge(row: &SqliteRow) -> Charge {
    let tokens = |column: usize| row.get::<i64, _>(column).unsigned_abs();
    let usage = Usage { input: tokens(2), output: tokens(3), cache_read: tokens(4), cache_write: tokens(5) };
    Charge { usage, nano: row.get(6) }
}
