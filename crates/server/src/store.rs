//! The append-only event log with its blobs: one SQLite file, one writer, every commit on disk before it is answered.

use crate::error::ServerError;
use crate::event::Event;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};

/// The newest format of the file (`PRAGMA user_version`).
const FORMAT: i64 = 1;

/// An event as it lies in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// What happened.
    pub event: Event,
}

/// The open file.
pub struct Store {
    path: PathBuf,
    connection: SqliteConnection,
}

impl Store {
    /// Open or create the log.
    pub async fn open(path: &Path) -> Result<Self, ServerError> {
        let wrong = |source| ServerError::Store { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(5));
        let mut connection = options.connect().await.map_err(wrong)?;
        let found: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut connection).await.map_err(wrong)?.get(0);
        if found > FORMAT {
            return Err(ServerError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        for statement in [
            "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT",
            "CREATE TABLE IF NOT EXISTS blobs (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT",
            "PRAGMA user_version = 1",
        ] {
            sqlx::query(statement).execute(&mut connection).await.map_err(wrong)?;
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    /// All events in order.
    pub async fn events(&mut self) -> Result<Vec<Logged>, ServerError> {
        let rows = sqlx::query("SELECT id, at_ms, body FROM events ORDER BY id")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|source| ServerError::Store { path: self.path.clone(), source })?;
        rows.iter()
            .map(|row| {
                let (id, at_ms, body): (i64, i64, String) = (row.get(0), row.get(1), row.get(2));
                let event = serde_json::from_str(&body).map_err(|error| ServerError::Event {
                    path: self.path.clone(),
                    id,
                    detail: error.to_string(),
                })?;
                Ok(Logged { at_ms, event })
            })
            .collect()
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

    /// Append events, with the blobs they name, in one transaction.
    pub async fn append(&mut self, at_ms: i64, events: &[Event], blobs: &[(&str, &[u8])]) -> Result<(), ServerError> {
        let path = self.path.clone();
        let wrong = |source| ServerError::Store { path: path.clone(), source };
        let mut transaction = self.connection.begin().await.map_err(wrong)?;
        for (hash, bytes) in blobs {
            sqlx::query("INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)")
                .bind(*hash)
                .bind(*bytes)
                .execute(&mut *transaction)
                .await
                .map_err(wrong)?;
        }
        for event in events {
            let body = serde_json::to_string(event).unwrap_or_default();
            sqlx::query("INSERT INTO events (at_ms, body) VALUES (?, ?)")
                .bind(at_ms)
                .bind(body)
                .execute(&mut *transaction)
                .await
                .map_err(wrong)?;
        }
        transaction.commit().await.map_err(wrong)
    }
}
