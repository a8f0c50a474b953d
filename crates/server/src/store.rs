//! The append-only event log with its blobs: one SQLite file, one writer, every commit on disk before it is answered.
//! Every event carries the hash chain's head ([`crate::chain`]).

use crate::chain;
use crate::error::ServerError;
use crate::event::Event;
use aar_api::receipt::Receipt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row as _, SqliteConnection};
use std::path::{Path, PathBuf};

/// The newest format of the file (`PRAGMA user_version`). 2: events carry the chain.
const FORMAT: i64 = 2;

/// An event as it lies in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// What happened.
    pub event: Event,
}

/// A row as it lies in the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number, from 1.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The event, as JSON.
    pub body: String,
    /// The chain's head after it.
    pub chain: String,
}

/// The open file.
pub struct Store {
    path: PathBuf,
    connection: SqliteConnection,
    head: Receipt,
    trouble: Trouble,
}

/// Whether the disk takes what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// The last change did not fit.
    Full,
    /// A write or a wait for it failed. What the file system did with it is unknown, and asking again may be told a lie
    /// (Rebello et al. 2020), so nothing more is written.
    Failing(String),
}

impl Store {
    /// Open or create the log. One of format 1 gets its chain now, and a note that says so.
    pub async fn open(path: &Path) -> Result<Self, ServerError> {
        let wrong = |source| ServerError::Store { path: path.to_owned(), source };
        let mut connection = connect(path).await?;
        let found = format(path, &mut connection).await?;
        if found == 0 {
            for statement in [
                "CREATE TABLE IF NOT EXISTS events \
                 (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, body TEXT NOT NULL, chain TEXT NOT NULL DEFAULT '') STRICT",
                "CREATE TABLE IF NOT EXISTS blobs (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
                "PRAGMA user_version = 2",
            ] {
                sqlx::query(statement).execute(&mut connection).await.map_err(wrong)?;
            }
        }
        let mut store = Self { path: path.to_owned(), connection, head: chain::start(), trouble: Trouble::None };
        if found == 1 {
            store.migrate().await?;
        }
        let last = sqlx::query("SELECT id, chain FROM events ORDER BY id DESC LIMIT 1")
            .fetch_optional(&mut store.connection)
            .await
            .map_err(wrong)?;
        if let Some(row) = last {
            store.head = Receipt { height: row.get(0), head: row.get(1) };
        }
        Ok(store)
    }

    /// Open a log to look at it: nothing is written.
    pub async fn look(path: &Path) -> Result<Self, ServerError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection =
            options.connect().await.map_err(|source| ServerError::Store { path: path.to_owned(), source })?;
        match format(path, &mut connection).await? {
            FORMAT => Ok(Self { path: path.to_owned(), connection, head: chain::start(), trouble: Trouble::None }),
            found => Err(ServerError::Older { path: path.to_owned(), found }),
        }
    }

    /// Chain the events of a log of format 1.
    async fn migrate(&mut self) -> Result<(), ServerError> {
        let path = self.path.clone();
        let wrong = |source| ServerError::Store { path: path.clone(), source };
        let mut transaction = self.connection.begin().await.map_err(wrong)?;
        sqlx::query("ALTER TABLE events ADD COLUMN chain TEXT NOT NULL DEFAULT ''")
            .execute(&mut *transaction)
            .await
            .map_err(wrong)?;
        let rows = sqlx::query("SELECT id, at_ms, body FROM events ORDER BY id")
            .fetch_all(&mut *transaction)
            .await
            .map_err(wrong)?;
        let mut head = chain::start();
        for row in &rows {
            head = chain::next(&head, row.get(1), row.get(2));
            sqlx::query("UPDATE events SET chain = ? WHERE id = ?")
                .bind(&head.head)
                .bind(row.get::<i64, _>(0))
                .execute(&mut *transaction)
                .await
                .map_err(wrong)?;
        }
        sqlx::query("PRAGMA user_version = 2").execute(&mut *transaction).await.map_err(wrong)?;
        transaction.commit().await.map_err(wrong)?;
        self.head = head;
        // What came before was not chained when it was written: the log itself says so.
        let at_ms = rows.last().map_or(0, |row| row.get(1));
        let body = serde_json::json!({"events": rows.len(), "from_format": 1});
        self.append(at_ms, &[Event::Noted { kind: "chained".into(), body }], &[]).await
    }

    /// The chain's head.
    pub fn head(&self) -> &Receipt {
        &self.head
    }

    /// All rows in order.
    pub async fn rows(&mut self) -> Result<Vec<Row>, ServerError> {
        let rows = sqlx::query("SELECT id, at_ms, body, chain FROM events ORDER BY id")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|source| ServerError::Store { path: self.path.clone(), source })?;
        let row = |row: &sqlx::sqlite::SqliteRow| Row {
            id: row.get(0),
            at_ms: row.get(1),
            body: row.get(2),
            chain: row.get(3),
        };
        Ok(rows.iter().map(row).collect())
    }

    /// All events in order.
    pub async fn events(&mut self) -> Result<Vec<Logged>, ServerError> {
        let rows = self.rows().await?;
        let parse = |row: Row| {
            let event = serde_json::from_str(&row.body).map_err(|error| ServerError::Event {
                path: self.path.clone(),
                id: row.id,
                detail: error.to_string(),
            })?;
            Ok(Logged { at_ms: row.at_ms, event })
        };
        rows.into_iter().map(parse).collect()
    }

    /// A blob.
    pub async fn blob(&mut self, hash: &str) -> Result<Option<Vec<u8>>, ServerError> {
        let row = sqlx::query("SELECT bytes FROM blobs WHERE hash = ?")
            .bind(hash)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|source| ServerError::Store { path: self.path.clone(), source })?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Why nothing can be recorded now, if so.
    pub fn trouble(&self) -> Option<ServerError> {
        match &self.trouble {
            Trouble::None => None,
            Trouble::Full => Some(ServerError::Full(self.path.clone())),
            Trouble::Failing(detail) => Some(ServerError::Failing { path: self.path.clone(), detail: detail.clone() }),
        }
    }

    /// Append events, with the blobs they name, in one transaction: all of them or none, and on disk when this returns.
    pub async fn append(&mut self, at_ms: i64, events: &[Event], blobs: &[(&str, &[u8])]) -> Result<(), ServerError> {
        match self.trouble {
            Trouble::None => {}
            // There may be room by now; the connection may have lost its place.
            Trouble::Full => self.connection = connect(&self.path).await?,
            Trouble::Failing(_) => return Err(self.trouble().unwrap_or_else(|| ServerError::Full(self.path.clone()))),
        }
        match self.write(at_ms, events, blobs).await {
            Ok(head) => (self.head, self.trouble) = (head, Trouble::None),
            Err(source) => {
                self.trouble = trouble(&source);
                let other = ServerError::Store { path: self.path.clone(), source };
                return Err(self.trouble().unwrap_or(other));
            }
        }
        if let Err(error) = chain::keep(&self.path, &self.head) {
            // The event is safe; only this witness of it is missing.
            tracing::warn!(%error, "the chain's head could not be kept beside the log");
        }
        Ok(())
    }

    /// Returns the chain's new head.
    async fn write(&mut self, at_ms: i64, events: &[Event], blobs: &[(&str, &[u8])]) -> Result<Receipt, sqlx::Error> {
        let mut head = self.head.clone();
        let mut transaction = self.connection.begin().await?;
        for (hash, bytes) in blobs {
            sqlx::query("INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)")
                .bind(*hash)
                .bind(*bytes)
                .execute(&mut *transaction)
                .await?;
        }
        for event in events {
            let body = serde_json::to_string(event).unwrap_or_default();
            head = chain::next(&head, at_ms, &body);
            sqlx::query("INSERT INTO events (id, at_ms, body, chain) VALUES (?, ?, ?, ?)")
                .bind(head.height)
                .bind(at_ms)
                .bind(body)
                .bind(&head.head)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(head)
    }
}

/// Open or create the file; a commit returns when it is on disk.
async fn connect(path: &Path) -> Result<SqliteConnection, ServerError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(5));
    options.connect().await.map_err(|source| ServerError::Store { path: path.to_owned(), source })
}

/// What an error of SQLite's says of the disk (<https://sqlite.org/rescode.html>).
fn trouble(error: &sqlx::Error) -> Trouble {
    const IOERR: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const NOTADB: u32 = 26;
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(FULL) => Trouble::Full,
        Some(IOERR | CORRUPT | NOTADB) => Trouble::Failing(error.to_string()),
        // Somebody else holds a lock, or the like: the next change may go through.
        _ => Trouble::None,
    }
}

/// The file's format; a newer one is refused.
async fn format(path: &Path, connection: &mut SqliteConnection) -> Result<i64, ServerError> {
    let row = sqlx::query("PRAGMA user_version").fetch_one(connection).await;
    let found: i64 = row.map_err(|source| ServerError::Store { path: path.to_owned(), source })?.get(0);
    if found > FORMAT {
        return Err(ServerError::Newer { path: path.to_owned(), found, known: FORMAT });
    }
    Ok(found)
}
