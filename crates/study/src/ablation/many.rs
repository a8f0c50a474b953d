//! The best of many: how far what is announced runs ahead of what holds, the more is handed in.

use super::answers::over_studies;
use super::bench::{Bench, Seeds};
use super::questions::STEP;
use aar_domain::stats::Estimate;
use aar_grader::ledger::{Answers, Policy};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// One point of the curve. Intervals are over study seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// The testbed.
    pub testbed: String,
    /// Submissions.
    pub submissions: usize,
    /// With the ledger off: the best exact value that was told.
    pub announced_off: Option<Estimate>,
    /// Its method's PGR on fresh seeds and the selection split.
    pub replicated_off: Option<Estimate>,
    /// With the ledger on: what the ladder stands at.
    pub announced_on: Option<Estimate>,
    /// The PGR there of the method that moved it last.
    pub replicated_on: Option<Estimate>,
}

/// What was announced and what it was replicated at, by study.
type Told = (Vec<f64>, Vec<f64>);

/// The table's recipes in blind order, without repeats, 1, 2, 4 … of them: announced against replicated PGR. Plain training is told before.
pub fn curve(bench: &Bench, studies: u64, ended: &dyn Fn()) -> Vec<Point> {
    let rows = bench.rows.len() - 1;
    let mut steps: Vec<usize> =
        std::iter::successors(Some(1), |step| Some(step * 2)).take_while(|&step| step < rows).collect();
    steps.push(rows);
    let mut off: Vec<Told> = vec![(vec![], vec![]); steps.len()];
    let mut on = off.clone();
    for study in 1..=studies {
        for (policy, points) in [(Policy::Exact, &mut off), (Policy::Ladder { step: STEP }, &mut on)] {
            for ((announced, replicated), point) in one(bench, policy, study, &steps).into_iter().zip(points.iter_mut())
            {
                point.0.push(announced);
                point.1.push(replicated);
            }
        }
        ended();
    }
    let point = |(submissions, (off, on)): (usize, (Told, Told))| Point {
        testbed: bench.name.clone(),
        submissions,
        announced_off: over_studies(&off.0),
        replicated_off: over_studies(&off.1),
        announced_on: over_studies(&on.0),
        replicated_on: over_studies(&on.1),
    };
    steps.into_iter().zip(off.into_iter().zip(on)).map(point).collect()
}

/// Announced and replicated PGR after so many submissions each.
fn one(bench: &Bench, policy: Policy, study: u64, steps: &[usize]) -> Vec<(f64, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(study);
    let seeds = Seeds::drawn(bench.seeds, &mut rng);
    let mut rows: Vec<usize> = (0..bench.rows.len()).filter(|&row| row != bench.plain()).collect();
    rows.shuffle(&mut rng);
    let mut answers = Answers::new(policy);
    let plain = bench.feedback(bench.plain(), &seeds.told);
    let told = plain.and_then(|outcomes| answers.baseline(&bench.vault, &outcomes));
    let mut best = (bench.plain(), told.unwrap_or_default());
    let mut points = Vec::new();
    for (count, &row) in rows.iter().enumerate() {
        let outcomes = bench.feedback(row, &seeds.told);
        let answer = outcomes.and_then(|outcomes| answers.answer(&bench.vault, &outcomes));
        if let Some(answer) = answer.filter(|&answer| answer > best.1) {
            best = (row, answer);
        }
        if steps.contains(&(count + 1)) {
            points.push((best.1, bench.selection(best.0, &seeds.fresh).unwrap_or_default()));
        }
    }
    points
}
