//! The frozen weak and ceiling runs of a testbed: 16 seeds each.

use crate::draw::{Draw, Sample, share};
use crate::error::WorldError;
use crate::teacher::Teacher;
use aar_grader::truth::{FrozenRuns, bits};
use aar_methods::pool::{Pool, sigmoid};
use aar_methods::{MethodError, Recipe, shipped, train};
use rayon::prelude::*;

/// Frozen runs of weak teacher and ceiling.
pub const SEEDS: usize = 16;

/// Test items of a world.
pub struct Tests {
    /// The feedback split.
    pub feedback: Sample,
    /// The selection split.
    pub selection: Sample,
    /// Fresh items that only the check sees.
    pub check: Sample,
}

impl Tests {
    fn all(&self) -> [&Sample; 3] {
        [&self.feedback, &self.selection, &self.check]
    }
}

/// What came of the frozen runs.
pub struct Baselines {
    /// Soft labels on the pool per teacher; the last one is the bench's, which no evaluation uses. `[17][pool]`.
    pub soft: Vec<Vec<f32>>,
    /// Weak correctness, `[16]` of feedback, selection, check.
    pub weak: Vec<[Vec<bool>; 3]>,
    /// Ceiling correctness.
    pub ceiling: Vec<[Vec<bool>; 3]>,
    /// Accuracy on the check items of the ceiling's two candidates: fine-tuning, linear readout.
    pub candidates: [f64; 2],
}

impl Baselines {
    /// Run all of them. `done` is called after each run, 33 times and then as often again for the readout.
    pub fn run(draw: &Draw, teacher: &Teacher, tests: &Tests, done: &(dyn Fn() + Sync)) -> Result<Self, WorldError> {
        let taught: Vec<_> = (0..=SEEDS)
            .into_par_iter()
            .map(|seed| {
                let tuned = teacher.tune(draw, seed)?;
                let soft: Vec<f32> = tuned.margins(&draw.pool)?.into_iter().map(sigmoid).collect();
                let mut correct = [vec![], vec![], vec![]];
                if seed < SEEDS {
                    for (out, sample) in correct.iter_mut().zip(tests.all()) {
                        *out = sample.correct(&tuned.margins(sample)?);
                    }
                }
                done();
                Ok((soft, correct))
            })
            .collect::<Result<_, WorldError>>()?;
        let (soft, mut weak): (Vec<_>, Vec<_>) = taught.into_iter().unzip();
        weak.truncate(SEEDS);
        // The declared grid of the ceiling: fine-tuning as plain training does it, and a linear readout of the untouched student.
        let candidates = ["plain", "probe"]
            .into_iter()
            .map(|name| ceilings(draw, tests, name, done))
            .collect::<Result<Vec<_>, WorldError>>()?;
        let accuracy = |runs: &[[Vec<bool>; 3]]| mean(runs.iter().map(|run| share(&run[2])));
        let found = [accuracy(&candidates[0]), accuracy(&candidates[1])];
        let best = usize::from(found[1] > found[0]);
        let ceiling = candidates.into_iter().nth(best).unwrap_or_default();
        Ok(Self { soft, weak, ceiling, candidates: found })
    }

    /// The frozen runs of one of feedback (0) and selection (1).
    pub fn frozen(&self, split: usize) -> FrozenRuns {
        let of = |runs: &[[Vec<bool>; 3]]| runs.iter().map(|run| bits(&run[split])).collect();
        FrozenRuns { weak: of(&self.weak), ceiling: of(&self.ceiling) }
    }

    /// Mean weak and ceiling accuracy on the check items.
    pub fn on_check(&self) -> (f64, f64) {
        let of = |runs: &[[Vec<bool>; 3]]| mean(runs.iter().map(|run| share(&run[2])));
        (of(&self.weak), of(&self.ceiling))
    }
}

/// A shipped recipe.
pub(crate) fn recipe(name: &str) -> Result<Recipe, WorldError> {
    let missing = || MethodError::NotApplicable(format!("no shipped recipe is called {name}"));
    Ok(shipped::get(name).ok_or_else(missing)??)
}

/// Correctness on the three samples of a recipe that is given the truth, `[seeds]`.
fn ceilings(
    draw: &Draw,
    tests: &Tests,
    name: &str,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<[Vec<bool>; 3]>, WorldError> {
    let recipe = recipe(name)?;
    let pool = Pool::new(draw.pool.items.clone(), draw.pool.targets());
    (0..SEEDS as u64)
        .into_par_iter()
        .map(|seed| {
            let trained = train::train(&recipe, &pool, &draw.student, seed)?;
            let mut correct = [vec![], vec![], vec![]];
            for (out, sample) in correct.iter_mut().zip(tests.all()) {
                *out = sample.correct(&trained.margins(&draw.student, &sample.items)?);
            }
            done();
            Ok(correct)
        })
        .collect()
}

/// Mean of numbers.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    values.sum::<f64>() / n
}
