//! Run a study from its directory: open, baselines, research, close. Every step may be interrupted and done again.

use crate::config::{Opened, RunConfig, StudyEvent, Tick};
use crate::diversity;
use crate::error::StudyError;
use crate::finalists;
use crate::gateway::Gateway;
use crate::key::StudyKey;
use crate::operator::{self, OperatorDoor};
use crate::plan::{Examine, Plan, ResearcherPlan};
use crate::result::{self, StudyResult};
use crate::spans::Spans;
use crate::team::Team;
use crate::workers::{WorkerFile, Workers};
use aar_api::bundle::Bundle;
use aar_domain::rung::{Kind, Split};
use aar_gateway::ledger::Sums;
use aar_grader::ledger::Unit;
use aar_sandbox::Backend;
use aar_server::event::{Contract, Opening, Participant, Phase, Purpose, Role};
use aar_server::handle::{OperatorRequest, Snapshot};
use aar_server::pages::Visitor;
use aar_server::record::EvaluationRecord;
use aar_server::{Server, ServerConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

mod examining;
mod humans;
mod starting;

/// Run, or go on with, a study to its end.
pub fn run(config: &RunConfig, resumed: bool, show: &mut dyn FnMut(StudyEvent)) -> Result<StudyResult, StudyError> {
    check_isolation(config)?;
    let started = Instant::now();
    let plan = config.plan;
    // A demonstration's key follows from its seed, so that anybody gets the same numbers; elsewhere it is the operating system's.
    let demonstration = config.testbed.record.truth_public;
    let key = StudyKey::load_or(&config.directory.path("key"), || {
        if demonstration { Ok(StudyKey::of_seed(plan.seed)) } else { StudyKey::draw() }
    })?;
    let sockets = tempfile::Builder::new()
        .prefix("aar-")
        .tempdir()
        .map_err(StudyError::file("create", "a folder for the socket"))?;
    open_to_all(sockets.path())?;
    let server = Server::start(&ServerConfig {
        log: config.directory.path("study.db"),
        testbed: config.testbed.path.clone(),
        socket: Some(sockets.path().join("api.sock")),
        http: config.http,
    })?;
    server.open(&opening(config, &key))?;
    for participant in participants(plan, &key) {
        server.join(&participant)?;
    }
    let _door = open_door(config, &key, &server, sockets.path())?;
    server.note("isolation", serde_json::json!({"isolation": config.isolation.describe()}))?;
    show(StudyEvent::Opened(&Opened {
        testbed: &config.testbed.record,
        directory: config.directory.root(),
        resumed,
        http: server.http(),
        viewer: key.token("viewer"),
        link: server.invite(Visitor::Operator),
        server: &server,
    }));
    let mut study = Running {
        config,
        server: &server,
        key: &key,
        sockets: sockets.path().to_owned(),
        team: None,
        gateway: None,
        recorded: BTreeSet::new(),
        asked: None,
        spent: None,
        spans: plan.telemetry.as_ref().map(|to| Spans::open(to, &server.snapshot())).transpose()?,
    };
    let ended = study.all(show);
    study.account()?;
    study.note_time(started.elapsed().as_secs_f64(), ended.is_err())?;
    study.stop_spans();
    ended?;
    Ok(result::of(&server, plan, &config.testbed.record))
}

fn open_door(
    config: &RunConfig,
    key: &StudyKey,
    server: &Server,
    sockets: &Path,
) -> Result<operator::Opened, StudyError> {
    let door = OperatorDoor {
        api: format!("unix:{}", sockets.join("api.sock").display()),
        http: server.http().map(|address| format!("http://{address}")),
        data: config.testbed.path.join("public"),
        token: key.token("operator"),
    };
    door.open(config.directory)
}

fn check_isolation(config: &RunConfig) -> Result<(), StudyError> {
    let demand = |wanted: &str| {
        let least = match wanted {
            "namespaces" => Backend::Namespaces,
            "landlock" => Backend::Landlock,
            _ => return Ok(()),
        };
        if config.isolation.backend < least {
            let found = config.isolation.describe().into();
            return Err(StudyError::Isolation { wanted: wanted.to_owned(), found });
        }
        Ok(())
    };
    demand(&config.plan.isolation)?;
    // What a model writes is run: it gets less only where the study file says so by name.
    if config.plan.has_agents() { demand(&config.plan.team.isolation) } else { Ok(()) }
}

/// Researchers run as other users; they may pass through, and what is inside says itself who may do what.
fn open_to_all(folder: &Path) -> Result<(), StudyError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
        .map_err(StudyError::file("set the mode of", folder))
}

fn opening(config: &RunConfig, key: &StudyKey) -> Opening {
    let plan = config.plan;
    let policy = plan.feedback.policy;
    let answers = u64::from(plan.evaluations()) + config.baselines().count() as u64;
    let bits = plan.feedback.bits.map_or(answers * policy.milli_bits(), |bits| (bits * 1000.0) as u64);
    Opening {
        study: plan.name.clone(),
        testbed: config.testbed.record.name.clone(),
        subject: config.testbed.record.subject.clone(),
        plan: plan.hash(),
        key_commitment: key.commitment(),
        seeds: key.seeds(plan.evaluation.seeds, plan.close.seeds),
        policy,
        limits: [(Unit::Evaluations, u64::from(plan.evaluations())), (Unit::MilliBits, bits)].into(),
        contract: plan.contract,
    }
}

fn participants(plan: &Plan, key: &StudyKey) -> Vec<Participant> {
    let service = |name: &str, role| Participant::service(name, role, key.token_hash(name));
    let researcher = |(at, researcher): (usize, &ResearcherPlan)| Participant {
        name: researcher.name.clone(),
        role: Role::Researcher,
        kind: Some(researcher.kind),
        direction: researcher.direction.clone(),
        seed: plan.seed.wrapping_mul(1_000_003).wrapping_add(at as u64),
        evaluations: researcher.evaluations,
        turns: matches!(researcher.kind, Kind::Search | Kind::Random),
        token_hash: key.token_hash(&researcher.name),
    };
    let roles = [("operator", Role::Operator), ("worker", Role::Worker), ("viewer", Role::Viewer)];
    let mut all: Vec<Participant> = roles.map(|(name, role)| service(name, role)).into();
    all.extend(plan.researchers.iter().enumerate().map(researcher));
    all
}

/// A run under way.
struct Running<'a> {
    config: &'a RunConfig<'a>,
    server: &'a Server,
    key: &'a StudyKey,
    sockets: PathBuf,
    team: Option<Team>,
    /// With the folder of its control socket, which no researcher sees.
    gateway: Option<(Gateway, tempfile::TempDir)>,
    /// Evaluations whose compute is on the gateway's ledger.
    recorded: BTreeSet<i64>,
    /// When the gateway was last asked what was spent.
    asked: Option<Instant>,
    /// What it said.
    spent: Option<Sums>,
    /// Where somebody collects them.
    spans: Option<Spans>,
}

impl Running<'_> {
    fn all(&mut self, show: &mut dyn FnMut(StudyEvent)) -> Result<(), StudyError> {
        if self.server.snapshot().phase == Phase::Closed {
            return Ok(());
        }
        let mut workers = self.workers()?;
        self.baselines(&mut workers, show)?;
        self.server.enter(Phase::Running)?;
        if self.server.snapshot().phase == Phase::Running {
            self.research(&mut workers, show)?;
        }
        self.server.enter(Phase::Closing)?;
        self.close(&mut workers, show)?;
        self.server.note("key", serde_json::json!({"key": self.key.reveal()}))?;
        Ok(self.server.enter(Phase::Closed)?)
    }

    /// How long everybody was at work in this run.
    fn note_time(&mut self, wall_s: f64, stopped: bool) -> Result<(), StudyError> {
        let team = self.team.take();
        let team = team.as_ref();
        let walls: BTreeMap<String, f64> = team.map(|team| team.wall_s().into_iter().collect()).unwrap_or_default();
        let sessions: BTreeMap<String, u32> =
            team.map(|team| team.sessions().into_iter().collect()).unwrap_or_default();
        let body =
            serde_json::json!({"wall_s": wall_s, "researchers": walls, "sessions": sessions, "stopped": stopped});
        Ok(self.server.note("run", body)?)
    }

    fn workers(&self) -> Result<Workers, StudyError> {
        let folder = self.config.directory.folder("run")?;
        let files = self.worker_files(&self.sockets.join("api.sock"), &self.config.testbed.path, &folder);
        Workers::start(&self.config.executable, &folder, files)
    }

    /// What workers of a server are told.
    fn worker_files(&self, socket: &Path, testbed: &Path, folder: &Path) -> Vec<WorkerFile> {
        let plan = &self.config.plan.evaluation;
        let file = |at: usize| WorkerFile {
            name: format!("worker-{at}"),
            socket: socket.to_owned(),
            token: self.key.token("worker"),
            testbed: testbed.to_owned(),
            scratch: folder.join(format!("worker-{at}")),
            lab: self.config.executable.clone(),
            limits: plan.limits(),
            threads: 1,
        };
        (0..self.config.workers.max(1)).map(file).collect()
    }

    /// Wait for changes until `done` says so, looking after workers and researchers meanwhile.
    fn wait(
        &mut self,
        workers: &mut Workers,
        show: &mut dyn FnMut(StudyEvent),
        done: &dyn Fn(&Snapshot, bool) -> bool,
    ) -> Result<Snapshot, StudyError> {
        loop {
            if self.config.stop.load(Ordering::Relaxed) {
                return Err(StudyError::Stopped);
            }
            workers.tend()?;
            let mut snapshot = self.server.snapshot();
            self.tend_gateway(&snapshot)?;
            let (working, events) = self.tend_team(&snapshot)?;
            events.iter().for_each(|event| show(StudyEvent::Team(event)));
            if !events.is_empty() {
                // Who ended just now may have left something behind.
                snapshot = self.server.snapshot();
            }
            self.tell_spans(&snapshot, &events);
            if self.team.is_some() && snapshot.phase == Phase::Running {
                let notice = diversity::look(self.server, &snapshot, self.config.plan.team.redirect)?;
                notice.iter().for_each(|notice| show(StudyEvent::Collapsed(notice)));
            }
            let finished = snapshot.jobs.iter().filter(|job| job.status == aar_server::record::Status::Done).count();
            show(StudyEvent::Tick(&Tick {
                snapshot: &snapshot,
                jobs: (finished, self.planned_jobs()),
                spent: self.spent.as_ref(),
                score: &|id| self.server.score(id),
            }));
            if done(&snapshot, working) {
                return Ok(snapshot);
            }
            self.server.wait(snapshot.version, Duration::from_millis(250));
        }
    }

    fn planned_jobs(&self) -> usize {
        let plan = self.config.plan;
        let graded = self.config.baselines().count() + plan.evaluations() as usize;
        graded * plan.evaluation.seeds + (plan.close.finalists + 1) * plan.close.seeds
    }

    fn request(&self, name: &str, purpose: Purpose, split: Split) -> Result<OperatorRequest, StudyError> {
        let recipe = (self.config.recipe)(name).ok_or_else(|| StudyError::Plan {
            place: "evaluation.baselines".into(),
            detail: format!("no shipped recipe is called {name:?}; `lab recipes` lists them"),
        })?;
        Ok(OperatorRequest {
            bundle: Bundle::of_recipe(&recipe.text),
            name: recipe.name,
            family: recipe.family,
            by: "baseline".into(),
            parent: None,
            purpose,
            split,
            key: format!("{} {name}", split.name()),
        })
    }

    fn baselines(&mut self, workers: &mut Workers, show: &mut dyn FnMut(StudyEvent)) -> Result<(), StudyError> {
        let requests = self.config.baselines().map(|name| self.request(name, Purpose::Baseline, Split::Feedback));
        for request in requests.collect::<Result<Vec<_>, _>>()? {
            self.server.evaluate(&request)?;
        }
        let all = |snapshot: &Snapshot, _| ended(snapshot, &[Purpose::Baseline]);
        let snapshot = self.wait(workers, show, &all)?;
        let plain = snapshot.evaluations.iter().find(|record| record.asked.key == "feedback plain");
        match plain.and_then(|plain| plain.failure.clone().map(|failure| (plain, failure))) {
            Some((plain, (reason, tail))) => {
                Err(StudyError::Baseline { name: plain.asked.name.clone(), reason: format!("{reason} {tail}") })
            }
            None => Ok(()),
        }
    }

    fn research(&mut self, workers: &mut Workers, show: &mut dyn FnMut(StudyEvent)) -> Result<(), StudyError> {
        let retired = self.server.snapshot().retired;
        // People work where they like, and need no process.
        let starts = |r: &&ResearcherPlan| r.kind != Kind::Human && !retired.contains(&r.name);
        let open: Vec<&ResearcherPlan> = self.config.plan.researchers.iter().filter(starts).collect();
        if open.iter().any(|researcher| self.config.plan.speaks(researcher)) {
            self.open_gateway()?;
        }
        let began_ms = self.began_ms()?;
        let all = open.iter().map(|researcher| self.starting(researcher, began_ms)).collect::<Result<Vec<_>, _>>()?;
        self.follow(&all);
        self.team = Some(Team::start(all, &self.config.isolation)?);
        let open_ended = self.config.open_ended;
        let over = |snapshot: &Snapshot, working: bool| snapshot.closing || (!working && !open_ended);
        self.wait(workers, show, &|snapshot, working| {
            over(snapshot, working) && ended(snapshot, &[Purpose::Submission])
        })?;
        Ok(())
    }

    /// Re-run the finalists and plain training on fresh seeds and the selection split.
    fn close(&mut self, workers: &mut Workers, show: &mut dyn FnMut(StudyEvent)) -> Result<(), StudyError> {
        let snapshot = self.server.snapshot();
        let chosen = finalists::choose(&result::candidates(self.server, &snapshot), self.config.plan.close.finalists);
        let chosen: Vec<EvaluationRecord> =
            chosen.into_iter().filter_map(|id| snapshot.evaluations.get(id as usize - 1).cloned()).collect();
        show(StudyEvent::Finalists(&chosen));
        self.server.evaluate(&self.request("plain", Purpose::Reference, Split::Selection)?)?;
        for finalist in &chosen {
            let asked = &finalist.asked;
            if self.config.plan.contract == Contract::Predictions {
                // The answers to the other split's items were handed in with the graded ones: there is nothing to run.
                self.server.replicate_predictions(finalist.id)?;
                continue;
            }
            let Some(bundle) = self.server.bundle(&asked.bundle) else {
                continue;
            };
            self.server.evaluate(&OperatorRequest {
                bundle,
                name: asked.name.clone(),
                family: asked.family.clone(),
                by: asked.by.clone(),
                parent: asked.parent.clone(),
                purpose: Purpose::Finalist,
                split: Split::Selection,
                key: format!("finalist {}", asked.bundle),
            })?;
        }
        self.wait(workers, show, &|snapshot, _| ended(snapshot, &[Purpose::Reference, Purpose::Finalist]))?;
        match self.config.plan.close.integrity {
            Examine::Finalists => self.examine(show),
            Examine::None => Ok(()),
        }
    }
}

/// Whether all evaluations of these purposes have ended.
fn ended(snapshot: &Snapshot, purposes: &[Purpose]) -> bool {
    snapshot.evaluations.iter().filter(|record| purposes.contains(&record.asked.purpose)).all(EvaluationRecord::ended)
}
