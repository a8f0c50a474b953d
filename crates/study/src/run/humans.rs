//! Researchers who are people. They have no process here: a token, the bench, the same budget and the team's clock.

use super::Running;
use crate::clock::now_ms;
use crate::error::StudyError;
use crate::team::TeamEvent;
use aar_domain::rung::Kind;
use aar_server::handle::Snapshot;
use aar_server::record::EvaluationRecord;

impl Running<'_> {
    /// Retire who has used the budget or the time: whether anybody is still at work, and who left.
    pub(super) fn tend_humans(&self, snapshot: &Snapshot) -> Result<(bool, Vec<TeamEvent>), StudyError> {
        let (mut at_work, mut left) = (false, Vec::new());
        if snapshot.closing {
            return Ok((at_work, left));
        }
        let humans = self.config.plan.researchers.iter().filter(|researcher| researcher.kind == Kind::Human);
        for name in humans.map(|human| &human.name).filter(|name| !snapshot.retired.contains(*name)) {
            if used_up(snapshot, name) || self.time_is_over(snapshot) {
                self.server.retire(name)?;
                left.push(TeamEvent::Done(name.clone()));
            } else {
                at_work = true;
            }
        }
        Ok((at_work, left))
    }

    fn time_is_over(&self, snapshot: &Snapshot) -> bool {
        let began = snapshot.notes.iter().find(|note| note.kind == "research");
        began.is_some_and(|note| (now_ms() as i64 - note.at_ms) as f64 >= self.config.plan.team.hours * 3.6e6)
    }
}

/// Whether all evaluations are made and ended.
fn used_up(snapshot: &Snapshot, name: &str) -> bool {
    let own: Vec<&EvaluationRecord> = snapshot.submissions_of(name).collect();
    snapshot.participant(name).is_some_and(|granted| own.len() >= granted.evaluations as usize)
        && own.iter().all(|record| record.ended())
}
