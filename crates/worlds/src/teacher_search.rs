//! Look for a teacher that a draw can use: weak enough, and such that plain training gets some of the gap but not most.
//!
//! What a teacher knows is fixed when it is pre-trained; how it errs beyond that is free, and costs nothing to change. Answers
//! that waver make it weaker; what it errs in regularly, because it leans on a cue, is what plain training learns from it. How
//! much a student finds in labels of the same accuracy differs between students by more than all else, so one dial that goes
//! from little of both to much is tuned to the student.

use crate::baselines::{mean, recipe};
use crate::draw::Draw;
use crate::error::WorldError;
use crate::teacher::{Errors, Teacher, Tuned};
use aar_domain::problem::Task;
use aar_methods::pool::{Pool, sigmoid};
use aar_methods::train;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Teachers pre-trained per draw, at the most.
pub const TEACHERS: usize = 4;
/// Places of the dial tried per teacher.
const TRIALS: usize = 6;
/// Weak accuracies on tuning items that are aimed at: with little error, at first, where the teacher begins to lean on the cue.
const AIMS: [f64; 3] = [0.645, 0.595, 0.57];
/// The least that will do.
const WEAK: f64 = 0.55;
/// How much it leans at the dial's end.
const LEAN: f64 = 1.5;
/// The least gap on tuning items.
const GAP: f64 = 0.23;
/// The noise that brings a teacher to an accuracy is found this closely.
const SLACK: f64 = 0.005;
/// Where plain's PGR must lie on tuning items, to lie inside its bound on others.
const PLAIN: RangeInclusive<f64> = 0.18..=0.42;
/// By how much the best of a few recipes must be better than plain there.
const SPREAD: f64 = 0.2;
/// Fine-tuning seeds of a trial.
const SEEDS: usize = 5;
/// Recipes one of which is the best on most worlds.
const OTHERS: [&str; 5] = ["both-orders", "self-training", "posterior", "confident", "zero-shot"];
/// The same where items have no order.
const WITHOUT_ORDER: [&str; 5] = ["posterior", "agreement", "mean-difference", "confident", "zero-shot"];

/// A teacher as it was tried on a draw; figures on tuning items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeacherTrial {
    /// Share of facts it had read about.
    pub known: f64,
    /// How far it was led astray.
    #[serde(flatten)]
    pub errors: Errors,
    /// Its accuracy before that.
    pub sure: f64,
    /// Its accuracy.
    pub weak: f64,
    /// Its accuracy on the pool.
    pub pool: f64,
    /// PGR of plain training; absent where the gap was too small.
    pub plain: Option<f64>,
    /// The best of a few recipes, minus plain, in PGR; absent where plain was out of range.
    pub spread: Option<f64>,
}

/// The search on one draw.
pub struct TeacherSearch<'a> {
    draw: &'a Draw,
    /// What fine-tuning on the truth gets on tuning items.
    pub ceiling: f64,
}

/// A fine-tuned teacher with its margins before it is led astray.
struct Taught<'a> {
    tuned: Tuned<'a>,
    tuning: Vec<f32>,
    pool: Vec<f32>,
}

impl<'a> TeacherSearch<'a> {
    /// Measure the ceiling.
    pub fn new(draw: &'a Draw) -> Result<Self, WorldError> {
        let plain = recipe("plain")?;
        let run = |seed: u64| {
            let pool = Pool::new(draw.pool.items.clone(), draw.pool.targets());
            let trained = train::train(&plain, &pool, &draw.student, seed)?;
            Ok(draw.tuning.accuracy(&trained.margins(&draw.student, &draw.tuning.items)?))
        };
        let runs = (0..2u64).into_par_iter().map(run).collect::<Result<Vec<_>, WorldError>>()?;
        Ok(Self { draw, ceiling: mean(runs.into_iter()) })
    }

    /// Whether no teacher can do, as the ceiling leaves no gap above the weakest.
    pub fn hopeless(&self) -> bool {
        self.ceiling - WEAK < GAP - SLACK
    }

    /// The first teacher that will do; all that were tried are added to `record`. `tell` hears how many there were.
    pub fn run(&self, record: &mut Vec<TeacherTrial>, tell: &dyn Fn(usize)) -> Result<Option<Teacher>, WorldError> {
        let known = self.draw.world.sizes().teacher_knows;
        for variant in 0..TEACHERS {
            tell(variant);
            let mut teacher = Teacher::new(self.draw, known, variant as u32)?;
            if let Some(errors) = self.errors(&teacher, record)? {
                teacher.errors = errors;
                return Ok(Some(teacher));
            }
        }
        Ok(None)
    }

    /// The errors with which this teacher will do, by bisection on the dial.
    fn errors(&self, teacher: &Teacher, record: &mut Vec<TeacherTrial>) -> Result<Option<Errors>, WorldError> {
        let taught = self.taught(teacher)?;
        let most = AIMS[0].min(self.ceiling - GAP);
        if self.draw.world.shortcuts().is_none() {
            return Ok(self.blindly(teacher, &taught, most, record));
        }
        let (mut low, mut high) = (0.0, 2.0);
        let mut at = ((most - AIMS[1]) / (most - AIMS[2])).clamp(0.0, 1.0);
        for _ in 0..TRIALS {
            let aim = most + f64::min(at, 1.0) * (AIMS[2] - most);
            let trial = self.trial(teacher, &taught, aim, LEAN * f64::max(at - 1.0, 0.0))?;
            record.push(trial);
            match (trial.plain, trial.spread) {
                (_, Some(spread)) if spread >= SPREAD => return Ok(Some(trial.errors)),
                (_, Some(_)) => return Ok(None),
                (Some(plain), None) if plain > *PLAIN.end() => low = at,
                // What knows too little gains nothing by erring less.
                _ if trial.errors == Errors::default() => return Ok(None),
                _ => high = at,
            }
            at = (low + high) / 2.0;
        }
        Ok(None)
    }

    /// The errors that bring a teacher down to `aim`, whatever any training makes of them.
    fn blindly(
        &self,
        teacher: &Teacher,
        taught: &[Taught],
        aim: f64,
        record: &mut Vec<TeacherTrial>,
    ) -> Option<Errors> {
        let trial = self.weakened(teacher, taught, aim, 0.0).0;
        record.push(trial);
        self.will_do(&trial).then_some(trial.errors)
    }

    fn taught<'t>(&self, teacher: &'t Teacher) -> Result<Vec<Taught<'t>>, WorldError> {
        let one = |seed| {
            let tuned = teacher.tune(self.draw, seed)?;
            let (tuning, pool) = (tuned.sure(&self.draw.tuning.items)?, tuned.sure(&self.draw.pool.items)?);
            Ok(Taught { tuned, tuning, pool })
        };
        (0..SEEDS).into_par_iter().map(one).collect()
    }

    /// With this much leaning and the noise that brings weak accuracy to `aim`; also the margins on the pool.
    fn weakened(&self, teacher: &Teacher, taught: &[Taught], aim: f64, lean: f64) -> (TeacherTrial, Vec<Vec<f32>>) {
        let Draw { tuning, pool, .. } = self.draw;
        let weak = |errors: Errors| {
            mean(taught.iter().map(|one| tuning.accuracy(&one.tuned.waver(tuning, &one.tuning, errors))))
        };
        let errors = Errors { lean, noise: least_noise(|noise| weak(Errors { noise, lean }), aim) };
        let margins: Vec<Vec<f32>> = taught.iter().map(|one| one.tuned.waver(pool, &one.pool, errors)).collect();
        let trial = TeacherTrial {
            known: teacher.known,
            errors,
            sure: weak(Errors::default()),
            weak: weak(errors),
            pool: mean(margins.iter().map(|margins| pool.accuracy(margins))),
            plain: None,
            spread: None,
        };
        (trial, margins)
    }

    /// Whether it is strong enough, and leaves a gap.
    fn will_do(&self, trial: &TeacherTrial) -> bool {
        trial.weak >= WEAK && self.ceiling - trial.weak >= GAP - SLACK
    }

    /// Measure what plain training and a few recipes make of such a teacher.
    fn trial(&self, teacher: &Teacher, taught: &[Taught], aim: f64, lean: f64) -> Result<TeacherTrial, WorldError> {
        let (mut trial, margins) = self.weakened(teacher, taught, aim, lean);
        if !self.will_do(&trial) {
            return Ok(trial);
        }
        let soft: Vec<Vec<f32>> = margins.into_iter().map(|row| row.into_iter().map(sigmoid).collect()).collect();
        let plain = self.pgr("plain", &soft, trial.weak)?;
        trial.plain = Some(plain);
        if PLAIN.contains(&plain) {
            let others = match self.draw.problem.task {
                Task::Preference => OTHERS,
                Task::Binary => WITHOUT_ORDER,
            };
            let others = others.iter().map(|name| self.pgr(name, &soft[..2], trial.weak));
            let best = others.collect::<Result<Vec<_>, _>>()?.into_iter().fold(f64::NEG_INFINITY, f64::max);
            trial.spread = Some(best - plain);
        }
        Ok(trial)
    }

    /// A recipe's PGR, one seed per set of soft labels `[seeds][pool]`.
    fn pgr(&self, name: &str, soft: &[Vec<f32>], weak: f64) -> Result<f64, WorldError> {
        let (draw, recipe) = (self.draw, recipe(name)?);
        let one = |(seed, soft): (usize, &Vec<f32>)| {
            let pool = Pool::new(draw.pool.items.clone(), soft.clone());
            let trained = train::train(&recipe, &pool, &draw.student, seed as u64)?;
            Ok(draw.tuning.accuracy(&trained.margins(&draw.student, &draw.tuning.items)?))
        };
        let runs = soft.par_iter().enumerate().map(one).collect::<Result<Vec<_>, WorldError>>()?;
        Ok((mean(runs.into_iter()) - weak) / (self.ceiling - weak))
    }
}

/// The noise that brings `weak`, which falls with it, down to `aim`; none where it lies below already.
fn least_noise(weak: impl Fn(f64) -> f64, aim: f64) -> f64 {
    let (mut low, mut high) = (0.0, 4.0);
    if weak(low) > aim {
        for _ in 0..8 {
            let middle = (low + high) / 2.0;
            *if weak(middle) > aim { &mut low } else { &mut high } = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_found_where_there_must_be_some() {
        let weak = |noise: f64| 0.5 + 0.2 / (1.0 + noise);
        assert!((weak(least_noise(weak, 0.6)) - 0.6).abs() < 0.005);
        assert_eq!(least_noise(weak, 0.8), 0.0);
    }
}
