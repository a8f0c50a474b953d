//! What a team spent on language models, by the hours of those who spent it and by what came of it.

use super::StudyResult;
use aar_domain::rung::Rung;
use aar_gateway::ledger::Sums;
use aar_gateway::ledger::book::Totals;
use aar_server::handle::Snapshot;
use serde::Serialize;

/// What was spent on language models.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spending {
    /// US$.
    pub usd: f64,
    /// Tokens by kind: `input`, `output`, `cache_read`, `cache_write`.
    pub tokens: aar_llm::conversation::Usage,
    /// Calls.
    pub calls: u64,
    /// Of these, the ones without a whole answer.
    pub failures: u64,
    /// US$ per hour that a researcher was at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_hour: Option<f64>,
    /// US$ of the team per 0.01 PGR of its best replicated method; absent where none is above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_point: Option<f64>,
}

impl Spending {
    pub(super) fn of(totals: &Totals, wall_s: f64) -> Self {
        Self {
            usd: totals.usd,
            tokens: totals.usage,
            calls: totals.calls,
            failures: totals.failures,
            usd_per_hour: (wall_s > 0.0).then(|| totals.usd / wall_s * 3600.0),
            usd_per_point: None,
        }
    }
}

/// All that was spent, by the hours of those who spent it and by what came of it.
pub(super) fn team_spending(team: &Totals, result: &StudyResult) -> Spending {
    let spenders = result.researchers.iter().filter(|researcher| researcher.spending.is_some());
    let wall_s = spenders.clone().map(|researcher| researcher.wall_s).sum();
    let names: Vec<&str> = spenders.map(|researcher| researcher.name.as_str()).collect();
    let best = result.leaderboard.iter().filter(|row| row.rung == Rung::Replicated && names.contains(&row.by.as_str()));
    let best = best.filter_map(|row| row.pgr).reduce(f64::max).filter(|pgr| *pgr > 0.0);
    Spending { usd_per_point: best.map(|pgr| team.usd / (100.0 * pgr)), ..Spending::of(team, wall_s) }
}

/// What the gateway's ledger said when a run ended; it goes on where the run before left off.
pub(super) fn sums(snapshot: &Snapshot) -> Option<Sums> {
    let last = snapshot.notes.iter().rev().find(|note| note.kind == "spending")?;
    serde_json::from_value(last.body.clone()).ok()
}
