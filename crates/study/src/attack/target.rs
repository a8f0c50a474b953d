//! Servers to be attacked: on a testbed that was just drawn, with everybody who belongs to a study.

use super::wire::{Request, Wire};
use crate::error::StudyError;
use aar_api::bundle::Bundle;
use aar_api::client::Address;
use aar_api::paths;
use aar_domain::rung::{Kind, Split};
use aar_grader::attack::World;
use aar_grader::ledger::{Policy, Unit};
use aar_server::event::{Contract, Opening, Participant, Phase, Purpose, Role, Seed};
use aar_server::handle::OperatorRequest;
use aar_server::{Server, ServerConfig};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A server with a study that runs, and the folder in which both are.
pub struct Target {
    /// It stops when dropped.
    pub server: Server,
    /// Where it listens: a unix socket, as for researchers.
    pub wire: Wire,
    _folder: TempDir,
}

/// Seeds of an evaluation; predictions need one, they are the same on all.
fn seeds(contract: Contract) -> u64 {
    if contract == Contract::Predictions { 1 } else { 3 }
}

impl Target {
    /// Start one. `plain`: margins of plain training, which is graded before anybody may ask.
    pub fn start(
        world: &World,
        contract: Contract,
        policy: Policy,
        submissions: u32,
        plain: &[f32],
    ) -> Result<Self, StudyError> {
        let folder = tempfile::tempdir().map_err(StudyError::file("make", "a folder for the server"))?;
        let root = folder.path();
        world.lay_out(root).map_err(aar_server::ServerError::from)?;
        let socket = root.join("api.sock");
        let config =
            ServerConfig { log: root.join("study.db"), testbed: root.into(), socket: Some(socket.clone()), http: None };
        let server = Server::start(&config)?;
        let seeds = |base: u64| (base..base + seeds(contract)).map(|seed| Seed { seed, teacher: 0 }).collect();
        // The baseline is charged too.
        let bits = u64::from(submissions + 1) * policy.milli_bits();
        server.open(&Opening {
            study: "attacked".into(),
            testbed: "drawn".into(),
            subject: "chat".into(),
            plan: "0".repeat(64),
            key_commitment: String::new(),
            seeds: [(Split::Feedback, seeds(1)), (Split::Selection, seeds(100))].into(),
            policy,
            limits: [(Unit::Evaluations, u64::from(submissions)), (Unit::MilliBits, bits)].into(),
            contract,
        })?;
        let target = Self { server, wire: Wire(Address::Unix(socket)), _folder: folder };
        for (name, role) in [("worker", Role::Worker), ("operator", Role::Operator), ("viewer", Role::Viewer)] {
            target.join(name, role, 0)?;
        }
        target.grade(plain)?;
        target.server.enter(Phase::Running)?;
        Ok(target)
    }

    /// Let somebody take part, with a token that [`token`] knows.
    pub fn join(&self, name: &str, role: Role, evaluations: u32) -> Result<(), StudyError> {
        let service = Participant::service(name, role, hex::encode(Sha256::digest(token(name))));
        let kind = (role == Role::Researcher).then_some(Kind::Command);
        let participant = Participant { kind, evaluations, ..service };
        Ok(self.server.join(&participant)?)
    }

    /// Evaluate plain training as a worker would.
    fn grade(&self, plain: &[f32]) -> Result<(), StudyError> {
        self.server.evaluate(&OperatorRequest {
            bundle: Bundle::of_recipe("plain"),
            name: "plain".into(),
            family: "other".into(),
            by: "plain".into(),
            parent: None,
            purpose: Purpose::Baseline,
            split: Split::Feedback,
            key: "plain".into(),
        })?;
        self.work(plain).map(|_| ())
    }

    /// Work off the queue as a worker, with the same margins for all. Returns (evaluation, seed) of every job.
    pub fn work(&self, margins: &[f32]) -> Result<Vec<(i64, u64)>, StudyError> {
        let mut jobs = Vec::new();
        loop {
            let claim = json!({"worker": "w", "wait_ms": 0}).to_string();
            let job = self.ask(&Request::post(paths::CLAIM, &token("worker"), claim))?.json();
            let (Some(id), Some(evaluation)) = (job["id"].as_i64(), job["evaluation"].as_i64()) else {
                return Ok(jobs);
            };
            jobs.push((evaluation, job["seed"].as_u64().unwrap_or(0)));
            let usage = json!({"train_operations": 0, "train_cpu_ms": 0, "predict_cpu_ms": 0, "wall_ms": 0});
            let outputs = json!({"margins": margins, "usage": usage}).to_string();
            let path = paths::OUTPUTS.replace("{id}", &id.to_string());
            let answer = self.ask(&Request::post(&path, &token("worker"), outputs))?;
            if !answer.done() {
                return Err(StudyError::Attacked(format!("job {id} was not taken back: {}", answer.status)));
            }
        }
    }

    /// Send a request to the server.
    pub fn ask(&self, request: &Request) -> Result<super::wire::Answer, StudyError> {
        self.wire.send(request).map_err(|error| StudyError::Attacked(error.to_string()))
    }
}

/// The token of somebody who joined.
pub fn token(name: &str) -> String {
    format!("token-of-{name}")
}
