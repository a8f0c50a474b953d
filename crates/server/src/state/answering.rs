//! When the ledger answers, and in which order; when turns begin.

use super::State;
use crate::event::{Participant, Phase, Purpose, Role};
use crate::record::{EvaluationRecord, Status};
use aar_grader::ledger::{Policy, Unit};

impl State {
    /// Answer what has ended, and on a ladder only what no other one can come before any more.
    pub(super) fn give_answers(&mut self, at_ms: i64) {
        while let Some(id) = self.next_answer() {
            let account = self.ledger.account(Unit::MilliBits);
            let spent = account.limit.is_some_and(|limit| account.used > limit);
            let outcomes = if spent { None } else { self.outcomes(id) };
            let record = &mut self.evaluations[id as usize - 1];
            (record.answered, record.answered_ms) = (true, Some(at_ms));
            self.unanswered.remove(&id);
            record.answer = outcomes.and_then(|outcomes| match record.asked.purpose {
                Purpose::Baseline => self.answers.baseline(&self.vault, &outcomes),
                _ => self.answers.answer(&self.vault, &outcomes),
            });
        }
    }

    fn next_answer(&self) -> Option<i64> {
        let mut open = self.unanswered.iter().map(|&id| &self.evaluations[id as usize - 1]);
        if !matches!(self.policy, Policy::Ladder { .. }) {
            return open.find(|record| record.status == Status::Done).map(|record| record.id);
        }
        // An answer depends on those before it: by turn and name, so that which worker was faster decides nothing.
        let place = |record: &&EvaluationRecord| {
            (record.asked.turn, record.asked.turn.map(|_| record.asked.by.clone()), record.id)
        };
        let first = open.min_by_key(place)?;
        let whole = |turn: u32| self.phase >= Phase::Closing || self.turn_ready(turn + 1);
        (first.status == Status::Done && first.asked.turn.is_none_or(whole)).then_some(first.id)
    }

    /// Whether turn `turn` has begun: everybody who works in turns has made, or given up, all earlier submissions, and
    /// all of those are finished.
    pub fn turn_ready(&self, turn: u32) -> bool {
        let takes = |p: &&Participant| p.turns && p.role == Role::Researcher;
        let all_in = self.participants.values().filter(takes).all(|participant| {
            self.retired.contains(&participant.name)
                || self.used(&participant.name) >= turn.min(participant.evaluations)
        });
        let early = |record: &&EvaluationRecord| record.asked.turn.is_some_and(|at| at < turn);
        all_in && self.evaluations.iter().filter(early).all(EvaluationRecord::ended)
    }
}
