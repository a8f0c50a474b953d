//! What the operator changed while the study ran.

use super::State;
use crate::event::{Participant, Role};
use crate::record::EvaluationRecord;
use aar_api::integrity::Cheating;
use aar_api::operator::{Instruction, Member, Message};
use aar_grader::ledger::Unit;

impl State {
    /// Apply an instruction to one researcher, or to all.
    pub(super) fn instructed(&mut self, at_ms: i64, researcher: Option<&str>, instruction: &Instruction) {
        let concerned = |participant: &&Participant| {
            participant.role == Role::Researcher && researcher.is_none_or(|name| name == participant.name)
        };
        let names: Vec<String> = self.participants.values().filter(concerned).map(|p| p.name.clone()).collect();
        match instruction {
            Instruction::Pause => self.paused.extend(names),
            Instruction::Resume => self.paused.retain(|name| !names.contains(name)),
            Instruction::Stop => {
                self.stopped.extend(names.iter().cloned());
                self.retired.extend(names);
            }
            Instruction::Close => self.closing = true,
            Instruction::Say { text } => {
                let id = self.messages.len() as i64 + 1;
                let message = Message { id, at_ms, to_all: researcher.is_none(), text: text.clone() };
                self.messages.push((researcher.map(str::to_owned), message));
            }
            Instruction::Budget { evaluations } => names.iter().for_each(|name| self.grant(name, *evaluations)),
        }
    }

    /// More evaluations, with the bits that their answers cost.
    fn grant(&mut self, name: &str, evaluations: u32) {
        if let Some(participant) = self.participants.get_mut(name) {
            // The first grant of somebody who joined later is its budget, not a change of it.
            self.budgets_changed |= participant.evaluations > 0;
            participant.evaluations = participant.evaluations.saturating_add(evaluations);
            *self.granted.entry(name.to_owned()).or_default() += evaluations;
        }
        self.ledger.extend(Unit::Evaluations, u64::from(evaluations));
        self.ledger.extend(Unit::MilliBits, u64::from(evaluations) * self.policy.milli_bits());
    }

    /// Somebody as it joined, before anything was granted.
    pub fn as_joined(&self, name: &str) -> Option<Participant> {
        let participant = self.participants.get(name)?.clone();
        let granted = self.granted.get(name).copied().unwrap_or(0);
        Some(Participant { evaluations: participant.evaluations - granted, ..participant })
    }

    /// Whether budgets were changed while the study ran: then nobody may speak of equal ones.
    pub fn budgets_changed(&self) -> bool {
        self.budgets_changed
    }

    /// All researchers, for their operator.
    pub fn members(&self) -> Vec<Member> {
        let researchers = self.participants.values().filter(|participant| participant.role == Role::Researcher);
        let cheating = self.cheating();
        let made = |participant: &Participant| cheating.get(participant.name.as_str()).copied().unwrap_or_default();
        researchers.map(|participant| self.member(participant, made(participant))).collect()
    }

    fn member(&self, participant: &Participant, cheating: Cheating) -> Member {
        let name = &participant.name;
        let used = self.used(name);
        let open = |record: &&EvaluationRecord| record.asked.by == *name && !record.ended();
        let state = match () {
            () if self.retired.contains(name) => "retired",
            () if self.paused.contains(name) => "paused",
            () => "working",
        };
        let kind = serde_json::to_value(participant.kind).unwrap_or_default();
        Member {
            name: name.clone(),
            kind: kind.as_str().unwrap_or("human").to_owned(),
            state: state.into(),
            evaluations_used: used,
            evaluations_left: participant.evaluations.saturating_sub(used),
            open: self.evaluations.iter().filter(open).count(),
            findings: self.findings.iter().filter(|finding| finding.posted.by == *name).count(),
            cheating,
            direction: participant.direction.clone(),
        }
    }
}
