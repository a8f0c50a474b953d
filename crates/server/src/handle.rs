//! The operator's door: start a server in this process, and act on its study without a token.

use crate::board::Board;
use crate::card;
use crate::error::ServerError;
use crate::event::{Event, Opening, Participant, Phase, Purpose, Queued, Sight};
use crate::pages::{self, Pages, Table, Visitor};
use crate::record::EvaluationRecord;
use crate::routes::router;
use crate::shared::{Inner, Shared, sha256};
use aar_api::bundle::Bundle;
use aar_api::operator::Instruction;
use aar_api::receipt::Receipt;
use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;
use aar_grader::{Score, Vault};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;

mod integrity;
mod snapshot;

pub use snapshot::Snapshot;

/// Where a server keeps and finds things.
pub struct ServerConfig {
    /// The event log.
    pub log: PathBuf,
    /// The testbed's folder.
    pub testbed: PathBuf,
    /// A unix socket to listen on, alone in its folder; an old one is replaced.
    pub socket: Option<PathBuf>,
    /// A loopback address to listen on.
    pub http: Option<SocketAddr>,
}

/// A running server. Stops when dropped.
pub struct Server {
    runtime: Option<Runtime>,
    shared: Shared,
    http: Option<SocketAddr>,
    pages: Pages,
}

/// An evaluation that the operator asks for.
pub struct OperatorRequest {
    /// The bundle.
    pub bundle: Bundle,
    /// Name of the method.
    pub name: String,
    /// Family of ideas.
    pub family: String,
    /// Whose method it is.
    pub by: String,
    /// What it was built on.
    pub parent: Option<String>,
    /// Why.
    pub purpose: Purpose,
    /// Which items.
    pub split: Split,
    /// The same key again is the same evaluation.
    pub key: String,
}

impl Server {
    /// Open the log, replay it, listen.
    pub fn start(config: &ServerConfig) -> Result<Self, ServerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("aar-server")
            .enable_all()
            .build()
            .map_err(ServerError::Runtime)?;
        let shared = runtime.block_on(Shared::open(&config.log, &config.testbed))?;
        let app = router(shared.clone());
        let pages = Pages::new(shared.clone(), config.log.clone());
        let mut http = None;
        if let Some(address) = config.http {
            let wrong = |source| ServerError::Listen { address: address.to_string(), source };
            if !address.ip().is_loopback() {
                return Err(wrong(std::io::Error::other("only loopback addresses are served")));
            }
            let listener = runtime.block_on(TcpListener::bind(address)).map_err(wrong)?;
            http = listener.local_addr().ok();
            // Pages are for people on loopback; the socket, which researchers reach, has none.
            let app = app.clone().merge(pages::router(pages.clone()));
            runtime.spawn(async move { axum::serve(listener, app).await });
        }
        if let Some(path) = &config.socket {
            let wrong = |source| ServerError::Listen { address: path.display().to_string(), source };
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(wrong(error));
                }
                _ => {}
            }
            let _guard = runtime.enter();
            let listener = UnixListener::bind(path).map_err(wrong)?;
            // Whoever is in the sandbox runs under another user; what it may do is decided by its token.
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).map_err(wrong)?;
            runtime.spawn(async move { axum::serve(listener, app).await });
        }
        Ok(Self { runtime: Some(runtime), shared, http, pages })
    }

    /// The loopback address that is served, with the port that was chosen.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Serve the pages alone, without the API: a study that is not running takes nothing in. Returns where.
    pub fn show(&self, address: SocketAddr) -> Result<SocketAddr, ServerError> {
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the server");
        let wrong = |source| ServerError::Listen { address: address.to_string(), source };
        if !address.ip().is_loopback() {
            return Err(wrong(std::io::Error::other("only loopback addresses are served")));
        }
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(wrong)?;
        let bound = listener.local_addr().map_err(wrong)?;
        let app = pages::router(self.pages.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Ok(bound)
    }

    /// A secret that opens the pages once, as `/?t=SECRET`; `None` where the operating system gives no random numbers.
    pub fn invite(&self, visitor: Visitor) -> Option<String> {
        // Somebody is about to look: what takes long the first time is begun.
        if let Some(runtime) = &self.runtime {
            let (vault, scores) = (self.shared.vault.clone(), self.pages.scores.clone());
            runtime.spawn_blocking(move || Split::ALL.map(|split| vault.frozen(split)));
            runtime.spawn(async move { scores.all().await });
        }
        self.pages.invite(visitor)
    }

    /// A table; `None` where there is none of this name ([`crate::pages::TABLES`]).
    pub fn table(&self, name: &str) -> Option<Table> {
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the server");
        runtime.block_on(async {
            self.pages.scores.all().await;
            pages::table(&self.pages, name).await
        })
    }

    /// The log's head, as every receipt carries it.
    pub fn receipt(&self) -> Receipt {
        self.with(async |_, inner| inner.receipt())
    }

    /// What the close concluded, for the pages to say.
    pub fn conclude(&self, verdict: &str) {
        self.pages.conclude(verdict);
    }

    /// What language models have cost so far, for the pages to say; a form of [`crate::spending::Spending`].
    pub fn spend(&self, totals: &serde_json::Value) {
        if let Ok(spending) = serde_json::from_value(totals.clone()) {
            self.pages.spend(spending);
        }
    }

    /// What pages say was spent.
    pub fn spending(&self) -> Option<crate::spending::Spending> {
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the server");
        runtime.block_on(self.pages.spending())
    }

    /// The truth.
    pub fn vault(&self) -> Arc<Vault> {
        self.shared.vault.clone()
    }

    fn with<T>(&self, act: impl AsyncFnOnce(&Shared, &mut Inner) -> T) -> T {
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the server");
        runtime.block_on(async {
            let mut inner = self.shared.inner.lock().await;
            act(&self.shared, &mut inner).await
        })
    }

    fn commit(&self, event: Event) -> Result<(), ServerError> {
        self.with(async |shared, inner| shared.commit(inner, event, None).await)
    }

    /// Open the study, or make sure that this log is of the same one.
    pub fn open(&self, opening: &Opening) -> Result<(), ServerError> {
        self.with(async |shared, inner| match &inner.state.opening {
            None => shared.commit(inner, Event::Opened(opening.clone()), None).await,
            Some(known) if known == opening => Ok(()),
            Some(known) if known.plan != opening.plan => {
                Err(ServerError::OtherStudy(format!("its plan is {}, not {}", &known.plan[..12], &opening.plan[..12])))
            }
            Some(_) => Err(ServerError::OtherStudy("its seeds or limits differ".into())),
        })
    }

    /// Let somebody take part; again is no change.
    pub fn join(&self, participant: &Participant) -> Result<(), ServerError> {
        self.with(async |shared, inner| match inner.state.as_joined(&participant.name) {
            Some(known) if known == *participant => Ok(()),
            _ => shared.commit(inner, Event::Joined(participant.clone()), None).await,
        })
    }

    /// Ask for an evaluation as the operator. Returns its number.
    pub fn evaluate(&self, request: &OperatorRequest) -> Result<i64, ServerError> {
        let id = request.bundle.id();
        let queued = Queued {
            bundle: id.clone(),
            name: request.name.clone(),
            family: request.family.clone(),
            parent: request.parent.clone(),
            by: request.by.clone(),
            turn: None,
            key: request.key.clone(),
            split: request.split,
            purpose: request.purpose,
            card: request.bundle.text(card::FILE).map(sha256),
        };
        self.with(async |shared, inner| {
            let same =
                |record: &&EvaluationRecord| record.asked.key == request.key && record.asked.purpose == request.purpose;
            if let Some(known) = inner.state.evaluations.iter().find(same) {
                return Ok(known.id);
            }
            if !inner.state.bundles.contains_key(&id) {
                let bytes = serde_json::to_vec(&request.bundle).unwrap_or_default();
                let event = Event::Stored { bundle: id.clone(), by: request.by.clone() };
                shared.commit(inner, event, Some((&id, &bytes))).await?;
            }
            shared.commit(inner, Event::Queued(queued), None).await?;
            Ok(inner.state.evaluations.len() as i64)
        })
    }

    /// Score predictions on the selection split, at the close: the answers were handed in with the others. Returns its number.
    pub fn replicate_predictions(&self, evaluation: i64) -> Result<Option<i64>, ServerError> {
        self.with(async |shared, inner| {
            let Some(asked) = inner.state.evaluations.get(evaluation as usize - 1).map(|record| &record.asked) else {
                return Ok(None);
            };
            let answers = asked.bundle.clone();
            let key = format!("finalist {evaluation}");
            let asked = Queued { split: Split::Selection, purpose: Purpose::Finalist, key, ..asked.clone() };
            if let Some(known) = inner.state.by_key(&asked.by, &asked.key) {
                return Ok(Some(known.id));
            }
            let Some(bytes) = inner.blob(&answers).await? else { return Ok(None) };
            let event = Event::Predicted { asked, answers: answers.clone() };
            shared.commit(inner, event, Some((&answers, &bytes))).await?;
            Ok(Some(inner.state.evaluations.len() as i64))
        })
    }

    /// Enter a phase; an earlier one is not gone back to.
    pub fn enter(&self, phase: Phase) -> Result<(), ServerError> {
        self.with(async |shared, inner| {
            if phase > inner.state.phase { shared.commit(inner, Event::Phase { phase }, None).await } else { Ok(()) }
        })
    }

    /// Retire a researcher that can't go on, so that the others' turns do.
    pub fn retire(&self, name: &str) -> Result<(), ServerError> {
        self.with(async |shared, inner| {
            if inner.state.retired.contains(name) {
                return Ok(());
            }
            shared.commit(inner, Event::Retired { by: name.to_owned() }, None).await
        })
    }

    /// Put something on the record.
    pub fn note(&self, kind: &str, body: serde_json::Value) -> Result<(), ServerError> {
        self.commit(Event::Noted { kind: kind.to_owned(), body })
    }

    /// Put on the record what a researcher's process was seen to be at.
    pub fn saw(&self, sight: Sight) -> Result<(), ServerError> {
        self.commit(Event::Seen(sight))
    }

    /// Say something to a researcher in the operator's name.
    pub fn say(&self, researcher: &str, text: &str) -> Result<(), ServerError> {
        let instruction = Instruction::Say { text: text.to_owned() };
        self.commit(Event::Instructed { researcher: Some(researcher.to_owned()), instruction })
    }

    /// A stored bundle.
    pub fn bundle(&self, id: &str) -> Option<Bundle> {
        self.with(async |_, inner| inner.state.bundles.get(id).map(|(bundle, _)| bundle.clone()))
    }

    /// Outcomes of a finished evaluation.
    pub fn outcomes(&self, evaluation: i64) -> Option<Outcomes> {
        self.with(async |_, inner| inner.state.outcomes(evaluation))
    }

    /// The exact score of a finished evaluation.
    pub fn score(&self, evaluation: i64) -> Option<Arc<Score>> {
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the server");
        runtime.block_on(self.pages.scores.one(evaluation))
    }

    /// The whole board, with everything scored that is finished.
    pub fn board(&self) -> Arc<Board> {
        let runtime = self.runtime.as_ref().expect("the runtime lives as long as the server");
        runtime.block_on(async {
            self.pages.scores.all().await;
            self.pages.scores.board().await
        })
    }

    /// Wait until something changed since `version`, or for `timeout`.
    pub fn wait(&self, version: u64, timeout: Duration) {
        let Some(runtime) = self.runtime.as_ref() else {
            return;
        };
        let mut changes = self.shared.changes.subscribe();
        runtime.block_on(async {
            let changed = changes.wait_for(|now| *now != version);
            let _ = tokio::time::timeout(timeout, changed).await;
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Long polls may be open; nobody waits for them.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(200));
        }
    }
}
