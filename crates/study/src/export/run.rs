//! An evaluation as tools of experiments know it: a run with settings, values and curves.

use aar_server::Server;
use aar_server::board::Board;
use aar_server::handle::Snapshot;
use aar_server::record::{EvaluationRecord, Status};

/// A run.
pub struct Run {
    /// The study's name.
    pub study: String,
    /// The evaluation.
    pub id: i64,
    /// The method's name.
    pub name: String,
    /// When it was asked for, milliseconds since the epoch.
    pub at_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// How far it came.
    pub status: Status,
    /// What distinguishes it.
    pub settings: Vec<(&'static str, String)>,
    /// Values of the whole: name and value.
    pub values: Vec<(&'static str, f64)>,
    /// Values per step: name, then step and value.
    pub curves: Vec<(String, Vec<(i64, f64)>)>,
}

/// All evaluations, in order.
pub fn all(server: &Server) -> Vec<Run> {
    let (board, snapshot) = (server.board(), server.snapshot());
    let study = snapshot.opening.as_ref().map(|opening| opening.study.clone()).unwrap_or_default();
    snapshot.evaluations.iter().map(|record| run(&study, &board, &snapshot, record)).collect()
}

fn run(study: &str, board: &Board, snapshot: &Snapshot, record: &EvaluationRecord) -> Run {
    let asked = &record.asked;
    let row = board.row(record.id);
    let mut settings = vec![
        ("evaluation", record.id.to_string()),
        ("method", asked.name.clone()),
        ("by", asked.by.clone()),
        ("family", asked.family.clone()),
        ("split", asked.split.name().to_owned()),
        ("bundle", asked.bundle.clone()),
    ];
    settings.extend(asked.parent.iter().map(|parent| ("parent", parent.clone())));
    settings.extend(record.failure.iter().map(|(reason, _)| ("failure", reason.clone())));
    let (mut values, mut curves) = (vec![], vec![]);
    if let Some(row) = row {
        let score = &row.score;
        values.extend(
            score.pgr.iter().flat_map(|pgr| [("pgr", pgr.value), ("pgr_low", pgr.low), ("pgr_high", pgr.high)]),
        );
        values.push(("accuracy", score.accuracy));
        values.extend(score.accuracy_in.map(|value| ("accuracy_in", value)));
        values.extend(score.accuracy_out.map(|value| ("accuracy_out", value)));
        values.extend(row.p_plain.map(|p| ("p_plain", p)));
        values.push(("cpu_s", row.cpu_ms as f64 / 1000.0));
        if !score.by_seed.is_empty() {
            let by_seed = score.by_seed.iter().enumerate().map(|(at, value)| (at as i64, *value));
            curves.push(("pgr_by_seed".to_owned(), by_seed.collect()));
        }
    }
    for (at, job) in snapshot.jobs_of(record).enumerate() {
        let points: Vec<(i64, f64)> =
            job.curve.iter().map(|(step, loss)| (i64::from(*step), f64::from(*loss))).collect();
        if !points.is_empty() {
            curves.push((format!("loss/seed-{at}"), points));
        }
    }
    Run {
        study: study.to_owned(),
        id: record.id,
        name: asked.name.clone(),
        at_ms: record.at_ms,
        ended_ms: record.ended_ms,
        status: record.status,
        settings,
        values,
        curves,
    }
}
