//! What language models have cost so far: the gateway's totals as the study hands them on.

use crate::record::Note;
use aar_llm::conversation::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Everybody's totals; a note of kind `spending` has the same form.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Spending {
    /// All together.
    pub team: Account,
    /// Each.
    #[serde(default)]
    pub callers: BTreeMap<String, Account>,
}

/// One account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Nano-dollars charged.
    pub nano: i64,
    /// Tokens charged, by kind.
    pub usage: Usage,
    /// Nano-dollars promised to calls that run.
    pub open_nano: i64,
    /// Calls that ended.
    pub calls: u64,
    /// Of these, the ones without a whole answer.
    pub failures: u64,
    /// What may be spent.
    pub limits: Limits,
}

/// What may be spent; absent where nothing limits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// US$.
    pub usd: Option<f64>,
    /// Tokens of all kinds.
    pub tokens: Option<u64>,
}

impl Account {
    /// US$ charged.
    pub fn usd(&self) -> f64 {
        self.nano as f64 / 1e9
    }
}

impl Spending {
    /// As it was last put on the record.
    pub fn noted(notes: &[Note]) -> Option<Self> {
        let last = notes.iter().rfind(|note| note.kind == "spending")?;
        serde_json::from_value(last.body.clone()).ok()
    }
}

/// The team's dollars and tokens at a moment: a note of kind `spent`, made whenever an evaluation has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    /// When.
    pub at_ms: i64,
    /// US$.
    pub usd: f64,
    /// Tokens of all kinds.
    pub tokens: u64,
}

/// All moments on the record, in order.
pub fn course(notes: &[Note]) -> Vec<Spent> {
    let moment = |note: &Note| {
        let (nano, tokens) = match note.kind.as_str() {
            "spent" => (note.body["nano"].as_i64()?, note.body["tokens"].as_u64()?),
            "spending" => {
                let team = Account::deserialize(&note.body["team"]).ok()?;
                (team.nano, team.usage.total())
            }
            _ => return None,
        };
        Some(Spent { at_ms: note.at_ms, usd: nano as f64 / 1e9, tokens })
    };
    notes.iter().filter_map(moment).collect()
}

/// What had been spent when something ended; the first moment on the record after it says so.
pub fn spent_by(course: &[Spent], at_ms: i64) -> Option<Spent> {
    let next = course.partition_point(|spent| spent.at_ms < at_ms);
    course.get(next).or(course.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn notes_become_a_course_of_spending() {
        let note = |at_ms, kind: &str, body| Note { at_ms, kind: kind.into(), body };
        let team = json!({"nano": 3_000_000_000i64, "usage": {"input": 40, "output": 2}, "usd": 3.0, "paused": false});
        let notes = [
            note(10, "spent", json!({"nano": 1_000_000_000, "tokens": 7})),
            note(15, "run", json!({})),
            note(20, "spending", json!({"team": team, "callers": {"ada": {"nano": 5}}})),
        ];
        let course = course(&notes);
        assert_eq!(course.iter().map(|spent| (spent.usd, spent.tokens)).collect::<Vec<_>>(), [(1.0, 7), (3.0, 42)]);
        let usd = |at_ms| spent_by(&course, at_ms).map(|spent| spent.usd);
        assert_eq!([usd(5), usd(10), usd(11), usd(99)], [Some(1.0), Some(1.0), Some(3.0), Some(3.0)]);
        assert_eq!(Spending::noted(&notes).unwrap().callers["ada"].nano, 5);
    }
}
