//! What a run is given, and what it says while it goes on.

use crate::altered::Alteration;
use crate::directory::StudyDirectory;
use crate::diversity::Notice;
use crate::plan::Plan;
use crate::team::TeamEvent;
use crate::testbed::Testbed;
use aar_domain::testbed::TestbedRecord;
use aar_gateway::ledger::Sums;
use aar_grader::Score;
use aar_sandbox::Isolation;
use aar_server::Server;
use aar_server::handle::Snapshot;
use aar_server::record::EvaluationRecord;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a run needs beside its plan.
pub struct RunConfig<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The study's directory, opened.
    pub directory: &'a StudyDirectory,
    /// The testbed.
    pub testbed: &'a Testbed,
    /// This program: `aar worker` and, in sandboxes, `lab`.
    pub executable: PathBuf,
    /// Folders in which agents' programs are looked up.
    pub path: Vec<PathBuf>,
    /// How strangers are confined here.
    pub isolation: Isolation,
    /// Jobs at a time, one engine thread each.
    pub workers: usize,
    /// A loopback address to serve people on.
    pub http: Option<SocketAddr>,
    /// Texts of shipped recipes by name.
    pub recipe: &'a dyn Fn(&str) -> Option<ShippedRecipe>,
    /// Whether the study stays open until its operator closes it, rather than until its own researchers are done.
    pub open_ended: bool,
    /// Set to stop.
    pub stop: &'a AtomicBool,
}

impl RunConfig<'_> {
    /// Names of the baselines, those of families that the study does without left out; plain, the reference, always stays.
    pub(crate) fn baselines(&self) -> impl Iterator<Item = &str> {
        let left_out = |name: &str| {
            let family = (self.recipe)(name).map(|recipe| recipe.family);
            name != "plain" && self.plan.without.iter().any(|without| family.as_deref() == Some(without.name()))
        };
        self.plan.evaluation.baselines.iter().map(String::as_str).filter(move |name| !left_out(name))
    }
}

/// A recipe that ships.
pub struct ShippedRecipe {
    /// Its text.
    pub text: String,
    /// Its method's name.
    pub name: String,
    /// Its family.
    pub family: String,
}

/// What happens in a run, for whoever shows it.
pub enum StudyEvent<'a> {
    /// The study is open.
    Opened(&'a Opened<'a>),
    /// Something may have changed.
    Tick(&'a Tick<'a>),
    /// A researcher ended or was started again.
    Team(&'a TeamEvent),
    /// Nearly all researchers do the same.
    Collapsed(&'a Notice),
    /// The finalists were chosen.
    Finalists(&'a [EvaluationRecord]),
    /// Finalists are run where something is altered: runs done, and in all.
    Examining(Alteration, usize, usize),
}

/// The start of a run.
pub struct Opened<'a> {
    /// The testbed's record.
    pub testbed: &'a TestbedRecord,
    /// The study's directory.
    pub directory: &'a Path,
    /// Whether the study had been started before.
    pub resumed: bool,
    /// Where people can reach it.
    pub http: Option<SocketAddr>,
    /// A token that may look.
    pub viewer: String,
    /// Opens the pages once.
    pub link: Option<String>,
    /// The running server.
    pub server: &'a Server,
}

/// The study at a moment.
pub struct Tick<'a> {
    /// Everything as it is.
    pub snapshot: &'a Snapshot,
    /// Jobs done and planned.
    pub jobs: (usize, usize),
    /// What was spent on language models so far, where anybody has one and the gateway answers.
    pub spent: Option<&'a Sums>,
    /// The exact score of a finished evaluation.
    pub score: &'a dyn Fn(i64) -> Option<Arc<Score>>,
}
