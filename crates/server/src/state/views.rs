//! What is read from the state: researchers' evaluations, the board, the forum; parts and costs of an evaluation, for pages.

use super::State;
use crate::event::Participant;
use crate::record::{EvaluationRecord, FindingRecord, Status};
use aar_api::evaluation::{BoardRow, EvaluationView, Feedback};
use aar_api::forum::Finding;
use aar_domain::rung::Kind;

impl State {
    fn feedback(&self, record: &EvaluationRecord) -> Option<Feedback> {
        (record.status == Status::Done && record.answered).then(|| Feedback {
            pgr: record.answer,
            step: self.policy.step(),
            bits: self.policy.milli_bits() as f64 / 1000.0,
        })
    }

    /// As its author sees it.
    pub fn view(&self, record: &EvaluationRecord) -> EvaluationView {
        EvaluationView {
            id: record.id,
            bundle: record.asked.bundle.clone(),
            name: record.asked.name.clone(),
            family: record.asked.family.clone(),
            parent: record.asked.parent.clone(),
            by: record.asked.by.clone(),
            turn: record.asked.turn,
            status: record.status.name().into(),
            seeds_done: record.done,
            seeds: record.jobs.len(),
            feedback: self.feedback(record),
            reason: record.failure.as_ref().map(|(reason, tail)| match tail.as_str() {
                "" => reason.clone(),
                tail => format!("{reason}\n{tail}"),
            }),
            receipt: None,
        }
    }

    /// Whether somebody still has to work alone: a cold start, in which nothing of others is shown to language models and agents.
    pub fn alone(&self, who: &Participant, now_ms: i64) -> bool {
        now_ms < self.alone_until_ms && matches!(who.kind, Some(Kind::LanguageModel | Kind::Command))
    }

    /// The board as researchers see it, best first; only turns before `before` where that is given.
    pub fn board(&self, before: Option<u32>) -> Vec<BoardRow> {
        let seen = |record: &&EvaluationRecord| record.on_board() && is_before(record.asked.turn, before);
        let mut rows: Vec<BoardRow> =
            self.evaluations.iter().filter(seen).filter_map(|record| self.row(record)).collect();
        rows.sort_by(|a, b| {
            let value = |row: &BoardRow| row.feedback.pgr.unwrap_or(f64::NEG_INFINITY);
            value(b).total_cmp(&value(a)).then(a.evaluation.cmp(&b.evaluation))
        });
        rows
    }

    fn row(&self, record: &EvaluationRecord) -> Option<BoardRow> {
        Some(BoardRow {
            evaluation: record.id,
            bundle: record.asked.bundle.clone(),
            name: record.asked.name.clone(),
            by: record.asked.by.clone(),
            kind: serde_json::to_value(self.kind_of(record)).ok()?.as_str()?.to_owned(),
            family: record.asked.family.clone(),
            parent: record.asked.parent.clone(),
            turn: record.asked.turn,
            feedback: self.feedback(record)?,
            mark: self.mark(record).map(|mark| mark.to_string()),
        })
    }

    /// The forum, oldest first; only turns before `before` where that is given.
    pub fn forum(&self, before: Option<u32>, after: i64) -> Vec<Finding> {
        let seen = |record: &&FindingRecord| record.id > after && is_before(record.posted.turn, before);
        let finding = |record: &FindingRecord| Finding {
            id: record.id,
            by: record.posted.by.clone(),
            kind: record.posted.kind,
            title: record.posted.title.clone(),
            body: record.posted.body.clone(),
            evaluation: record.posted.evaluation,
            turn: record.posted.turn,
            at_ms: record.at_ms,
            comments: record.comments.len(),
            votes: record
                .votes
                .values()
                .filter(|(_, turn)| is_before(*turn, before))
                .map(|(value, _)| i64::from(*value))
                .sum(),
        };
        self.findings.iter().filter(seen).map(finding).collect()
    }

    /// A finished evaluation on the parts of its split.
    pub fn subsets(&self, id: i64) -> Vec<aar_grader::vault::Subset> {
        let split = self.evaluations.get(id as usize - 1).map(|record| record.asked.split);
        let known = split.and_then(|split| Some((split, self.outcomes(id)?)));
        known.map(|(split, outcomes)| self.vault.subsets(split, &outcomes)).unwrap_or_default()
    }

    /// CPU-milliseconds of an evaluation's jobs so far.
    pub fn cpu_ms(&self, record: &EvaluationRecord) -> u64 {
        let jobs = record.jobs.iter().filter_map(|&job| self.jobs.get(job as usize - 1));
        jobs.map(|job| job.usage.cpu_ms()).fold(0, u64::saturating_add)
    }
}

/// What carries no turn was there before all turns.
fn is_before(turn: Option<u32>, before: Option<u32>) -> bool {
    match (turn, before) {
        (Some(turn), Some(before)) => turn < before,
        _ => true,
    }
}
