//! The operator's door to verdicts.

use super::Server;
use crate::error::ServerError;
use crate::event::Event;
use crate::record::Status;
use crate::routes::integrity::record;
use crate::shared::Entry;
use aar_api::integrity::{Ruling, Signal, Verdict};

impl Server {
    /// Put a check's verdict on the record. The same check speaks once about an evaluation.
    pub fn judge(&self, verdict: Verdict) -> Result<(), ServerError> {
        self.with(async |shared, inner| {
            let mut known = inner.state.integrity().verdicts.iter().map(|view| &view.verdict);
            let same = |known: &Verdict| (known.evaluation, known.check) == (verdict.evaluation, verdict.check);
            if known.any(same) {
                return Ok(());
            }
            shared.commit(inner, Event::Judged(verdict), None).await
        })
    }

    /// Put on record that a participant opened what looks like labels.
    pub fn touch(&self, by: &str, what: impl Iterator<Item = String>) -> Result<(), ServerError> {
        let what: Vec<String> = what.collect();
        if what.is_empty() {
            return Ok(());
        }
        self.with(async |shared, inner| {
            let entries: Vec<Entry> = inner.state.touches(by, &what).map(|event| (event, None)).collect();
            shared.commit_all(inner, &entries).await
        })
    }

    /// Margins of a finished evaluation, `[seeds][items]`.
    pub fn margins(&self, evaluation: i64) -> Option<Vec<Vec<f32>>> {
        self.with(async |_, inner| {
            let record = inner.state.evaluations.get(usize::try_from(evaluation).ok()?.checked_sub(1)?)?;
            let rows = record.jobs.iter().map(|&job| inner.state.jobs[job as usize - 1].margins.clone());
            (record.status == Status::Done).then(|| rows.collect())
        })
    }

    /// Rule about a verdict or a finalist.
    pub fn rule(&self, ruling: Ruling) -> Result<(), ServerError> {
        self.with(async |shared, inner| {
            record(shared, inner, ruling).await.map_err(|refusal| ServerError::Refused(refusal.0))
        })
    }

    /// What the author of an evaluation had been told before it.
    pub fn signal(&self, evaluation: i64) -> Option<Signal> {
        self.with(async |_, inner| {
            let record = inner.state.evaluations.iter().find(|record| record.id == evaluation)?;
            Some(inner.state.signal(record))
        })
    }
}
