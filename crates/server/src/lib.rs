//! Remember evaluations, findings, snapshots and budgets; serve them as JSON.
