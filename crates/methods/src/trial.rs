//! A cheap trial of a recipe on public data alone: train on a slice of the pool, answer another slice.

use crate::error::MethodError;
use crate::pool::Pool;
use crate::recipe::Recipe;
use crate::student::{Student, swapped};
use crate::train::train;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What a trial shows; shares in [0, 1]. None of it is a score: the truth is not here.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TrialReport {
    /// Agreement with the teacher on rows that were not trained on.
    pub agrees_with_teacher: f64,
    /// Pairs answered alike in both orders; 1 for binary items.
    pub swap_consistency: f64,
    /// Answers that differ from the given reference's; `None` without one.
    pub differs: Option<f64>,
    /// Share of positive answers.
    pub positive: f64,
    /// Operations counted by the engine.
    pub operations: u64,
}

impl TrialReport {
    /// Why it speaks against an evaluation; `None` where it does not.
    pub fn objection(&self) -> Option<String> {
        if self.differs.is_some_and(|share| share < 0.005) {
            return Some("answers like plain training on the slice".into());
        }
        if !(0.1..=0.9).contains(&self.positive) {
            return Some(format!("answers {:.0} % positive on the slice", self.positive * 100.0));
        }
        None
    }
}

/// Pool rows that a trial trains on, where nobody says otherwise.
pub const TRAIN_ROWS: usize = 600;
/// Pool rows that it answers.
pub const HELD_OUT_ROWS: usize = 400;

/// A trial's slices of a pool.
pub struct TrialSlices {
    /// Trained on.
    pub train: Pool,
    /// Answered.
    pub held_out: Pool,
}

impl TrialSlices {
    /// `train_rows` and `held_out_rows` rows drawn without replacement.
    pub fn draw(pool: &Pool, train_rows: usize, held_out_rows: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..pool.items.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let train_rows = train_rows.min(order.len() / 2);
        let rest = &order[train_rows..];
        Self { train: pool.subset(&order[..train_rows]), held_out: pool.subset(&rest[..held_out_rows.min(rest.len())]) }
    }
}

/// Train a recipe on the slice and look at its answers; also returns them, `[held-out rows]`.
pub fn run(
    recipe: &Recipe,
    slices: &TrialSlices,
    student: &dyn Student,
    seed: u64,
    reference: Option<&[f32]>,
) -> Result<(TrialReport, Vec<f32>), MethodError> {
    recipe.applicable(student.problem())?;
    aar_lm::ops::take();
    let trained = train(recipe, &slices.train, student, seed)?;
    let items = &slices.held_out.items;
    let margins = trained.margins(student, items)?;
    let consistent = match swapped(items) {
        None => 1.0,
        Some(turned) => share(margins.iter().zip(trained.margins(student, &turned)?), |(a, b)| (*a > 0.0) != (b > 0.0)),
    };
    let report = TrialReport {
        agrees_with_teacher: share(margins.iter().zip(&slices.held_out.weak), |(m, p)| (*m > 0.0) == (*p > 0.5)),
        swap_consistency: consistent,
        differs: reference.map(|other| share(margins.iter().zip(other), |(a, b)| (*a > 0.0) != (*b > 0.0))),
        positive: share(margins.iter(), |m| *m > 0.0),
        operations: aar_lm::ops::take(),
    };
    Ok((report, margins))
}

fn share<T>(values: impl ExactSizeIterator<Item = T>, yes: impl Fn(T) -> bool) -> f64 {
    let n = values.len().max(1);
    values.filter_map(|value| yes(value).then_some(())).count() as f64 / n as f64
}
