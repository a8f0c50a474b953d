//! How researchers are started, and the gateway for those that speak to a language model.

use super::Running;
use crate::error::StudyError;
use crate::gateway::Gateway;
use crate::models::{GatewayPlaces, gateway_settings};
use crate::plan::ResearcherPlan;
use crate::programs;
use crate::team::{Starting, TeamEvent};
use aar_domain::rung::Kind;
use aar_evaluation::decoys::Decoys;
use aar_llm::trace;
use aar_researcher::ResearcherSpec;
use aar_sandbox::Limits;
use aar_server::event::Purpose;
use aar_server::handle::Snapshot;
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// Between two looks at what was spent.
const PAUSE: Duration = Duration::from_secs(2);

impl Running<'_> {
    /// When research began, in milliseconds since the epoch: the team's clock, which a resume does not wind up again.
    pub(super) fn began_ms(&self) -> Result<u64, StudyError> {
        let noted =
            |snapshot: &Snapshot| snapshot.notes.iter().find(|note| note.kind == "research").map(|note| note.at_ms);
        if noted(&self.server.snapshot()).is_none() {
            let hours = self.config.plan.team.cold_start_hours;
            let body = if hours > 0.0 { serde_json::json!({"alone_hours": hours}) } else { serde_json::json!({}) };
            self.server.note("research", body)?;
        }
        Ok(noted(&self.server.snapshot()).map_or(0, |at_ms| at_ms as u64))
    }

    pub(super) fn open_gateway(&mut self) -> Result<(), StudyError> {
        let plan = self.config.plan;
        let hidden = tempfile::tempdir().map_err(StudyError::file("create", "a folder for the gateway's control"))?;
        let speak = plan.researchers.iter().filter(|researcher| plan.speaks(researcher));
        let caller = |researcher: &ResearcherPlan| {
            let name = &researcher.name;
            (name.clone(), self.key.token_hash(name), self.spans.as_ref().map(|spans| spans.place(name)))
        };
        let places = GatewayPlaces {
            socket: &self.sockets.join("llm.sock"),
            control: &hidden.path().join("control.sock"),
            study: self.config.directory.root(),
        };
        let settings =
            gateway_settings(&plan.models, &plan.team, plan.telemetry.as_ref(), speak.map(caller).collect(), &places);
        let folder = self.config.directory.folder("run")?;
        self.gateway = Some((Gateway::start(&self.config.executable, &folder, &settings)?, hidden));
        Ok(())
    }

    /// Keep it running, and put what evaluations computed on its ledger.
    pub(super) fn tend_gateway(&mut self, snapshot: &Snapshot) -> Result<(), StudyError> {
        let Some((gateway, _)) = &mut self.gateway else {
            return Ok(());
        };
        gateway.tend()?;
        // Every look at the ledger is a question to another process.
        if self.asked.is_none_or(|asked| asked.elapsed() > PAUSE) {
            self.asked = Some(Instant::now());
            if let Some(sums) = gateway.sums() {
                self.server.spend(&serde_json::to_value(&sums).unwrap_or_default());
                self.spent = Some(sums);
            }
        }
        let plan = self.config.plan;
        let mut ended = false;
        let speaks = |name: &str| plan.researchers.iter().any(|r| r.name == name && plan.speaks(r));
        for record in snapshot.evaluations.iter().filter(|record| record.ended() && speaks(&record.asked.by)) {
            if record.asked.purpose == Purpose::Submission && self.recorded.insert(record.id) {
                gateway.record(&record.asked.by, record.id, snapshot.cpu_ms(record));
                ended = true;
            }
        }
        // What had been spent by then, for the figure of PGR over dollars.
        if let Some(sums) = ended.then(|| gateway.sums()).flatten() {
            let body = serde_json::json!({"nano": sums.team.nano, "tokens": sums.team.usage.total()});
            self.server.note("spent", body)?;
        }
        Ok(())
    }

    /// Put what was spent on the study's record, and end the gateway.
    pub(super) fn account(&mut self) -> Result<(), StudyError> {
        let Some((gateway, _hidden)) = self.gateway.take() else {
            return Ok(());
        };
        if let Some(sums) = gateway.sums() {
            self.server.note("spending", serde_json::to_value(sums).unwrap_or_default())?;
        }
        Ok(())
    }

    pub(super) fn starting(&self, researcher: &ResearcherPlan, began_ms: u64) -> Result<Starting, StudyError> {
        let folder = self.config.directory.folder(&format!("run/decoys/{}", researcher.name))?;
        let decoys = Decoys::lay(&folder, &self.config.testbed.path.join("public/pool.jsonl"))?;
        let spec = ResearcherSpec { decoys: Some(decoys.mount()), ..self.spec(researcher, began_ms)? };
        Ok(Starting { spec, watched: researcher.is_agent(), decoys })
    }

    fn spec(&self, researcher: &ResearcherPlan, began_ms: u64) -> Result<ResearcherSpec, StudyError> {
        let day = Duration::from_secs(86_400);
        let plan = self.config.plan;
        let agent = plan.agent_of(researcher);
        let (args, env, wall) = if researcher.is_agent() {
            let wall = Duration::from_secs_f64(plan.team.hours * 3600.0) + Duration::from_secs(900);
            let command = if agent.is_some() { "drive" } else { "agent" };
            (vec![command.into()], self.thinking(researcher, began_ms)?, wall)
        } else {
            (self.searching(researcher), vec![], day)
        };
        let folder = agent.map(|_| self.config.directory.folder(&format!("run/programs/{}", researcher.name)));
        let programs = folder.transpose()?;
        let mut mounts = agent.map(|agent| agent.mounts.clone()).unwrap_or_default();
        if let (Some(agent), Some(folder)) = (agent, &programs) {
            mounts.extend(programs::link(agent.programs.keys(), &self.config.path, folder)?);
        }
        Ok(ResearcherSpec {
            name: researcher.name.clone(),
            token: self.key.token(&researcher.name),
            workspace: self.config.directory.folder(&format!("researchers/{}", researcher.name))?,
            data: self.config.testbed.path.join("public"),
            socket_dir: self.sockets.clone(),
            lab: self.config.executable.clone(),
            args,
            env,
            programs,
            mounts,
            decoys: None,
            loopback: agent.is_some(),
            threads: 1,
            limits: Limits { wall, cpu: wall, ..Limits::default() },
        })
    }

    /// Look after who works on it, machines and people: whether anybody still does, and what happened.
    pub(super) fn tend_team(&mut self, snapshot: &Snapshot) -> Result<(bool, Vec<TeamEvent>), StudyError> {
        let Some(team) = &mut self.team else { return Ok((false, vec![])) };
        let callers = self.spent.iter().flat_map(|sums| &sums.callers);
        let asking = callers.filter(|(_, account)| account.open_nano > 0).map(|(name, _)| name.as_str());
        let mut events = team.tend(self.server, snapshot, &asking.collect())?;
        let working = team.working();
        let (people_work, left) = self.tend_humans(snapshot)?;
        events.extend(left);
        Ok((working || people_work, events))
    }

    /// Where somebody collects spans, read what these write of themselves.
    pub(super) fn follow(&mut self, all: &[Starting]) {
        if let Some(spans) = &mut self.spans {
            let writes = all.iter().filter(|starting| starting.watched);
            writes.for_each(|Starting { spec, .. }| spans.follow(&spec.name, &spec.workspace));
        }
    }

    /// Tell whoever collects them what happened.
    pub(super) fn tell_spans(&mut self, snapshot: &Snapshot, events: &[TeamEvent]) {
        let Some(spans) = &mut self.spans else { return };
        spans.look(snapshot);
        for event in events {
            let (name, failed) = match event {
                TeamEvent::Done(name) | TeamEvent::Stopped(name) => (name, false),
                TeamEvent::GaveUp(name, _) | TeamEvent::Retired(name, _) => (name, true),
                TeamEvent::Restarted(..) | TeamEvent::Held(..) => continue,
            };
            spans.leave(name, snapshot, failed);
        }
    }

    /// The run is over.
    pub(super) fn stop_spans(&mut self) {
        if let Some(spans) = self.spans.take() {
            spans.close(&self.server.snapshot());
        }
    }

    /// Arguments of a search researcher.
    fn searching(&self, researcher: &ResearcherPlan) -> Vec<OsString> {
        let mut args = vec!["search".into()];
        for family in self.config.plan.without.iter().chain(&researcher.without) {
            args.extend(["--without".into(), family.name().into()]);
        }
        if researcher.kind == Kind::Random {
            // The control tries nothing before it submits.
            args.extend(["--trials".into(), "1".into()]);
        }
        args
    }

    /// Environment of a language model or of somebody else's agent.
    fn thinking(&self, researcher: &ResearcherPlan, began_ms: u64) -> Result<Vec<(String, String)>, StudyError> {
        let plan = self.config.plan;
        let wrong = |detail| StudyError::Plan { place: "researchers".into(), detail };
        let after = |hours: f64| (began_ms + (hours * 3.6e6) as u64).to_string();
        let mut env = vec![("AAR_ENDS_MS".to_owned(), after(plan.team.hours))];
        let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
        if plan.speaks(researcher) {
            let (name, model) = plan.model_of(researcher).map_err(wrong)?;
            let wire = serde_json::to_value(model.wire()).unwrap_or_default();
            set("AAR_LLM", "unix:/run/aar/llm.sock".into());
            set("AAR_MODEL", name.into());
            set("AAR_WIRE", wire.as_str().unwrap_or_default().into());
            set("AAR_ANSWER_TOKENS", model.max_tokens.to_string());
            set("AAR_CONTEXT_TOKENS", model.context_tokens.to_string());
        }
        if let Some(agent) = plan.agent_of(researcher) {
            set("AAR_AGENT_COMMAND", agent.command.clone());
            set("AAR_AGENT_FILES", serde_json::to_string(&agent.files).unwrap_or_default());
            if plan.speaks(researcher) {
                set("AAR_LLM_SOCKET", "/run/aar/llm.sock".into());
            }
            agent.env.iter().for_each(|(name, value)| set(name, value.clone()));
        }
        if let Some(spans) = &self.spans {
            set(trace::VARIABLE, spans.place(&researcher.name).to_string());
        }
        if researcher.direction.is_none() {
            set("AAR_DIRECTION", "none".into());
        }
        if plan.team.cold_start_hours > 0.0 {
            set("AAR_FORUM_FROM_MS", after(plan.team.cold_start_hours));
        }
        Ok(env)
    }
}
