//! The gateway as a process of its own, beside the server: it alone holds the keys to language models.

use crate::child::OwnProcess;
use crate::error::StudyError;
use aar_api::client::{Address, Client};
use aar_gateway::ledger::Sums;
use aar_gateway::ledger::book::Unit;
use aar_gateway::operator::Used;
use aar_gateway::settings::GatewaySettings;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long it may take until it answers.
const START: Duration = Duration::from_secs(30);
/// How long calls that run may take to end with it.
const GRACE: Duration = Duration::from_secs(6);
/// Times one that ended by itself is started again.
const RESTARTS: u32 = 8;

/// A running gateway. Ended when dropped; calls that run get a moment.
pub struct Gateway {
    executable: PathBuf,
    file: PathBuf,
    control: Client,
    child: OwnProcess,
    restarts: u32,
}

impl Gateway {
    /// Start it: its settings are written below `folder`, its log beside them. Returns when it answers.
    pub fn start(executable: &Path, folder: &Path, settings: &GatewaySettings) -> Result<Self, StudyError> {
        let file = folder.join("gateway.json");
        std::fs::write(&file, serde_json::to_string_pretty(settings).unwrap_or_default())
            .map_err(StudyError::file("write", &file))?;
        let control = Client::new(&Address::Unix(settings.control.clone()), "")
            .map_err(|error| StudyError::Gateway(error.to_string()))?;
        let child = spawn(executable, &file)?;
        let mut gateway = Self { executable: executable.to_owned(), file, control, child, restarts: 0 };
        gateway.wait()?;
        Ok(gateway)
    }

    /// Until it answers.
    fn wait(&mut self) -> Result<(), StudyError> {
        let begun = Instant::now();
        loop {
            if self.sums().is_some() {
                return Ok(());
            }
            if self.child.ended().is_some() {
                return Err(StudyError::Gateway(self.last_words()));
            }
            if begun.elapsed() > START {
                return Err(StudyError::Gateway(format!("it does not answer; see {}", self.child.log().display())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it said before it ended.
    fn last_words(&self) -> String {
        let text = self.child.said();
        let said = text.lines().rev().find(|line| line.starts_with("error: "));
        said.or(text.lines().last()).unwrap_or("it ended and said nothing").trim_start_matches("error: ").to_owned()
    }

    /// What was spent so far; `None` while it does not answer.
    pub fn sums(&self) -> Option<Sums> {
        self.control.get("/totals").ok()
    }

    /// Put an evaluation's compute on the same ledger; the same key again is the same use.
    pub fn record(&self, caller: &str, evaluation: i64, compute_ms: u64) {
        let used = |unit, amount, what: &str| Used {
            caller: caller.to_owned(),
            unit,
            amount,
            key: format!("evaluation {evaluation} {what}"),
        };
        for used in [used(Unit::Evaluations, 1, "count"), used(Unit::ComputeMs, compute_ms, "compute")] {
            if let Err(error) = self.control.post::<_, Sums>("/record", &used) {
                tracing::warn!(%error, evaluation, "an evaluation is missing on the gateway's ledger");
            }
        }
    }

    /// Start it again where it ended by itself: its ledger charges what it left open.
    pub fn tend(&mut self) -> Result<(), StudyError> {
        if self.child.ended().is_none() {
            return Ok(());
        }
        self.restarts += 1;
        if self.restarts > RESTARTS {
            return Err(StudyError::Gateway(format!("it ends again and again: {}", self.last_words())));
        }
        self.child = spawn(&self.executable, &self.file)?;
        self.wait()
    }
}

fn spawn(executable: &Path, file: &Path) -> Result<OwnProcess, StudyError> {
    // What it leaves open is charged at its worst case by the next one.
    let started = OwnProcess::start(executable, &["gateway", "--settings"], file, GRACE)?;
    started.map_err(|error| StudyError::Gateway(format!("start it: {error}")))
}
