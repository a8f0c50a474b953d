//! What finalists rest on: each is run again where one thing is not what it was ([`crate::altered`]), on servers of their own.

use super::{Running, ended, open_to_all};
use crate::altered::Alteration;
use crate::config::StudyEvent;
use crate::error::StudyError;
use crate::findings::{self, Examined};
use crate::shortcuts;
use crate::workers::Workers;
use aar_domain::rung::Split;
use aar_grader::ledger::Policy;
use aar_server::event::{Opening, Participant, Phase, Purpose, Role, Seed};
use aar_server::handle::OperatorRequest;
use aar_server::record::{EvaluationRecord, Status};
use aar_server::{Server, ServerConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Seeds of the close that are run again per alteration: enough for what is looked for, which is large.
const SEEDS: usize = 2;

impl Running<'_> {
    /// Examine all finalists. What is on record already is not done again.
    pub(super) fn examine(&self, show: &mut dyn FnMut(StudyEvent)) -> Result<(), StudyError> {
        let snapshot = self.server.snapshot();
        let finalist =
            |record: &&EvaluationRecord| record.asked.purpose == Purpose::Finalist && record.status == Status::Done;
        let finalists: Vec<EvaluationRecord> = snapshot.evaluations.iter().filter(finalist).cloned().collect();
        if finalists.is_empty() {
            return Ok(());
        }
        let known = |alteration: Alteration, of: &EvaluationRecord| {
            let mut found = snapshot.integrity.verdicts.iter().map(|view| &view.verdict);
            found.any(|verdict| verdict.evaluation == of.id && verdict.check == findings::check(alteration))
        };
        for alteration in Alteration::ALL {
            if !finalists.iter().all(|finalist| known(alteration, finalist)) {
                self.examine_under(alteration, &finalists, show)?;
            }
        }
        self.compare_with_shortcuts(&finalists)
    }

    fn compare_with_shortcuts(&self, finalists: &[EvaluationRecord]) -> Result<(), StudyError> {
        let shortcuts = shortcuts::all(&self.config.testbed.path)?;
        for finalist in finalists {
            if let Some(margins) = self.server.margins(finalist.id) {
                self.server.judge(findings::shortcuts(finalist.id, &margins, &shortcuts))?;
            }
        }
        Ok(())
    }

    fn examine_under(
        &self,
        alteration: Alteration,
        finalists: &[EvaluationRecord],
        show: &mut dyn FnMut(StudyEvent),
    ) -> Result<(), StudyError> {
        let folder = self.config.directory.folder(&format!("integrity/{}", alteration.name()))?;
        let (testbed, seed) = (self.config.testbed, self.key.shuffle(alteration.name()));
        let place = folder.join("testbed");
        if let Some(why) = alteration.make(&testbed.path, &testbed.record, &place, seed)? {
            for finalist in finalists {
                self.server.judge(findings::not_done(finalist.id, alteration, why))?;
            }
            return Ok(());
        }
        let sockets = tempfile::Builder::new()
            .prefix("aar-")
            .tempdir()
            .map_err(StudyError::file("create", "a folder for the socket"))?;
        open_to_all(sockets.path())?;
        let socket = sockets.path().join("api.sock");
        let (server, ids) = self.queue_again(alteration, finalists, &folder, &socket)?;
        let scratch = folder.join("run");
        std::fs::create_dir_all(&scratch).map_err(StudyError::file("create", &scratch))?;
        let mut workers =
            Workers::start(&self.config.executable, &scratch, self.worker_files(&socket, &place, &scratch))?;
        self.finish(alteration, &server, &mut workers, show)?;
        drop(workers);
        for finalist in finalists {
            let Some(&id) = ids.get(&finalist.id) else { continue };
            let examined = Examined { finalist: finalist.id, main: self.server, altered: &server, id, alteration };
            self.server.judge(findings::of(&examined))?;
        }
        drop(server);
        // The log stays as evidence, the copy can be made again.
        let _ = std::fs::remove_dir_all(&place);
        let _ = std::fs::remove_dir_all(&scratch);
        Ok(())
    }

    /// A server of the altered copy, with an evaluation per finalist; their numbers there by their numbers here.
    fn queue_again(
        &self,
        alteration: Alteration,
        finalists: &[EvaluationRecord],
        folder: &Path,
        socket: &Path,
    ) -> Result<(Server, BTreeMap<i64, i64>), StudyError> {
        let config = ServerConfig {
            log: folder.join("log.db"),
            testbed: folder.join("testbed"),
            socket: Some(socket.to_owned()),
            http: None,
        };
        let server = Server::start(&config)?;
        server.open(&self.small_opening(alteration))?;
        server.join(&Participant::service("worker", Role::Worker, self.key.token_hash("worker")))?;
        server.enter(Phase::Running)?;
        let mut ids = BTreeMap::new();
        for finalist in finalists {
            let Some(bundle) = self.server.bundle(&finalist.asked.bundle) else { continue };
            let request = OperatorRequest {
                key: bundle.id(),
                bundle,
                name: finalist.asked.name.clone(),
                family: finalist.asked.family.clone(),
                by: finalist.asked.by.clone(),
                parent: None,
                purpose: Purpose::Finalist,
                split: Split::Selection,
            };
            ids.insert(finalist.id, server.evaluate(&request)?);
        }
        Ok((server, ids))
    }

    fn finish(
        &self,
        alteration: Alteration,
        server: &Server,
        workers: &mut Workers,
        show: &mut dyn FnMut(StudyEvent),
    ) -> Result<(), StudyError> {
        loop {
            if self.config.stop.load(Ordering::Relaxed) {
                return Err(StudyError::Stopped);
            }
            workers.tend()?;
            let snapshot = server.snapshot();
            let done = snapshot.jobs.iter().filter(|job| job.status == Status::Done).count();
            show(StudyEvent::Examining(alteration, done, snapshot.jobs.len()));
            if ended(&snapshot, &[Purpose::Finalist]) {
                return Ok(());
            }
            server.wait(snapshot.version, Duration::from_millis(250));
        }
    }

    fn small_opening(&self, alteration: Alteration) -> Opening {
        let main = self.server.snapshot().opening;
        let seeds = |split: Split| -> Vec<Seed> {
            let all = main.as_ref().and_then(|opening| opening.seeds.get(&split));
            all.into_iter().flatten().take(SEEDS).copied().collect()
        };
        Opening {
            study: format!("{} / {}", self.config.plan.name, alteration.name()),
            testbed: self.config.testbed.record.name.clone(),
            subject: self.config.testbed.record.subject.clone(),
            plan: self.config.plan.hash(),
            key_commitment: self.key.commitment(),
            seeds: Split::ALL.into_iter().map(|split| (split, seeds(split))).collect(),
            policy: Policy::Exact,
            limits: [].into(),
            contract: Default::default(),
        }
    }
}
