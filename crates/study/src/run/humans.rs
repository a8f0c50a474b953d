//! Researchers who are people. They have no process here: a token, the bench, the same budget and the team's clock.

use super::Running;
use crate::error::StudyError;
use crate::team::TeamEvent;
use aar_domain::rung::Kind;
use aar_server::handle::Snapshot;
use aar_server::record::EvaluationRecord;
use std::time::{SystemTime, UNIX_EPOCH};

impl Running<'_> {
    /// Retire who has used the budget or the time; the names of those still at work.
    pub(super) fn tend_humans(&self, snapshot: &Snapshot) -> Result<(Vec<String>, Vec<TeamEvent>), StudyError> {
        let (mut at_work, mut events) = (Vec::new(), Vec::new());
        let humans = self.config.plan.researchers.iter().filter(|researcher| researcher.kind == Kind::Human);
        for name in humans.map(|human| &human.name).filter(|name| !snapshot.retired.contains(*name)) {
            if snapshot.closing {
                continue;
            }
            if used_up(snapshot, name) || self.time_is_over(snapshot) {
                self.server.retire(name)?;
                events.push(TeamEvent::Done(name.clone()));
            } else {
                at_work.push(name.clone());
            }
        }
        Ok((at_work, events))
    }

    fn time_is_over(&self, snapshot: &Snapshot) -> bool {
        let began = snapshot.notes.iter().find(|note| note.kind == "research");
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        began.is_some_and(|note| (now_ms - note.at_ms) as f64 >= self.config.plan.team.hours * 3.6e6)
    }
}

/// Whether all evaluations are made and ended.
fn used_up(snapshot: &Snapshot, name: &str) -> bool {
    let own: Vec<&EvaluationRecord> = snapshot.submissions_of(name).collect();
    let granted = snapshot.participants.iter().find(|participant| participant.name == name);
    granted.is_some_and(|granted| own.len() >= granted.evaluations as usize) && own.iter().all(|record| record.ended())
}
