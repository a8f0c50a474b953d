//! Pages for people: the study as it stands, rendered here, legible without JavaScript, live with it.
//!
//! `access` lets in who came by a one-time link and nobody else; `layout` is the frame; a file per page; `figures` draws SVG.
//! Exact numbers come from `scores` and `board`, kept in memory; every one that is shown carries its `origin`. Pages are served on loopback to people alone:
//! the socket that researchers reach has none of them, and a researcher's token opens none.

mod access;
pub mod axis;
mod board;
mod claims;
mod curves;
mod diff;
mod diversity;
mod evaluations;
mod export;
pub mod figures;
mod forum;
mod integrity;
mod layout;
mod lineage;
mod live;
mod markdown;
pub mod origin;
mod researcher;
mod researchers;
mod search;
mod steer;
mod study;
mod tables;
pub mod timeline;
mod transcript;
pub mod transfer;
mod verdicts;
mod watch;

use crate::scores::Scores;
use crate::shared::Shared;
use crate::spending::Spending;
use access::Doors;
use axum::Router;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use access::Visitor;
pub use layout::with_interval;
pub(crate) use tables::table;
pub use tables::{Kind, TABLES, Table, kind};

/// What all pages share.
#[derive(Clone)]
pub struct Pages {
    shared: Shared,
    pub(crate) scores: Arc<Scores>,
    doors: Arc<Doors>,
    verdict: Arc<Mutex<Option<String>>>,
    index: Arc<search::Index>,
    watch: Arc<watch::Watch>,
    /// The study's directory.
    folder: Arc<Path>,
    transcripts: Arc<transcript::Transcripts>,
    /// What the study said last; the log has it later.
    spent: Arc<Mutex<Option<Spending>>>,
}

impl Pages {
    /// Nobody has been let in yet.
    pub(crate) fn new(shared: Shared, log: PathBuf) -> Self {
        let folder: Arc<Path> = log.parent().unwrap_or(Path::new("")).into();
        Self {
            scores: Arc::new(Scores::new(shared.clone())),
            shared,
            doors: Arc::default(),
            verdict: Arc::default(),
            index: Arc::default(),
            watch: Arc::new(watch::Watch::new(log)),
            transcripts: Arc::new(transcript::Transcripts::of(folder.join("transcripts"))),
            folder,
            spent: Arc::default(),
        }
    }

    /// A secret that opens the pages once, as `/?t=SECRET`.
    pub(crate) fn invite(&self, visitor: Visitor) -> Option<String> {
        self.doors.invite(visitor)
    }

    /// What the close concluded, in words.
    pub(crate) fn conclude(&self, verdict: &str) {
        if let Ok(mut place) = self.verdict.lock() {
            *place = Some(verdict.to_owned());
        }
    }

    /// What was spent so far; whoever looks is told where it has changed.
    pub(crate) fn spend(&self, spending: Spending) {
        let Ok(mut place) = self.spent.lock() else { return };
        if place.as_ref() != Some(&spending) {
            *place = Some(spending);
            self.shared.changes.send_modify(|count| *count += 1);
        }
    }

    /// What was spent so far; `None` where nobody speaks to a language model.
    pub(crate) async fn spending(&self) -> Option<Spending> {
        let said = self.spent.lock().ok().and_then(|spent| spent.clone());
        match said {
            Some(said) => Some(said),
            None => Spending::noted(&self.shared.inner.lock().await.state.notes),
        }
    }
}

/// All pages on one screen.
pub(crate) fn router(pages: Pages) -> Router {
    let open = Router::new()
        .route("/icon.svg", get(async || ([(header::CONTENT_TYPE, "image/svg+xml")], ICON)))
        .route("/style.css", get(async || ([(header::CONTENT_TYPE, "text/css")], STYLE)))
        .route("/pages.js", get(async || ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT)));
    Router::new()
        .route("/", get(study::page))
        .route("/leaderboard", get(board::page))
        .route("/researchers", get(researchers::page).post(steer::instruct))
        .route("/researchers/{name}", get(researcher::page))
        .route("/researchers/{name}/transcript", get(transcript::page))
        .route("/researchers/{name}/transcript/{line}", get(transcript::one))
        .route("/forum", get(forum::page))
        .route("/forum/{id}", get(forum::one))
        .route("/evaluations", get(evaluations::page))
        .route("/evaluations/{id}", get(evaluations::one))
        .route("/lineage", get(lineage::page))
        .route("/diversity", get(diversity::page))
        .route("/transfer", get(transfer::page))
        .route("/integrity", get(integrity::page))
        .route("/figures/{name}", get(export::figure))
        .route("/data/{name}", get(export::table))
        .route("/live", get(live::stream))
        .route("/access", get(access::page))
        .route("/links", post(access::link))
        .layer(from_fn_with_state(pages.clone(), access::guard))
        .with_state(pages)
        .merge(open)
        .layer(axum::middleware::map_response(access::harden))
}

const ICON: &str = include_str!("icon.svg");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("pages.js");
