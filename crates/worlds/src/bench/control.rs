//! What recipes are compared with: answers that need no method, and as much computing as a method may spend without its idea.
//!
//! A control sees what a recipe sees, the pool with one teacher's labels and the untouched student, never a truth.

use crate::most_common;
use crate::surface::Surface;
use aar_domain::item::Item;
use aar_domain::problem::{Architecture, Problem};
use aar_methods::pool::Pool;
use aar_methods::search::direction::Leaning;
use aar_methods::search::{policy, space};
use aar_methods::train::{Trained, train};
use aar_methods::trial::{self, HELD_OUT_ROWS, TRAIN_ROWS, TrialSlices};
use aar_methods::{MethodError, Recipe, Student, shipped};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Part of a control's digest: changes whenever one of them does something else.
pub const VERSION: u32 = 2;

/// A method that is no recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Always the label that the teacher gives more often.
    Majority,
    /// What most items of the same question answer; a coin where that says nothing.
    MostCommonAnswer,
    /// The words by which the teacher's labels can be told.
    CuesFollowed,
    /// The same words, the other way round.
    CuesInverted,
    /// The mean weak label of items that look alike.
    Clusters,
    /// Plain training with the learning rate and length that agree best with the teacher on rows held out.
    TunedPlain,
    /// The best of a few blind compositions by the same measure.
    RandomSearch,
}

/// Learning rates and lengths that tuned plain training chooses from, in plain training's own.
const GRID: [(f32, f32); 4] = [(1.0, 1.0), (1.0 / 3.0, 1.0), (3.0, 1.0), (1.0, 0.5)];
/// Blind compositions: their trials and the best one's training cost no more than the dearest recipe does.
const BLIND: usize = 4;

/// What a control or a recipe has learned.
pub enum Learned {
    /// One answer to all.
    Constant(f32),
    /// Nothing; the seed of its coin.
    MostCommon(u64),
    /// To follow words, or to go against them.
    Cues(f32),
    /// Which surface forms there are; the seed of the clustering.
    Clusters(u64),
    /// A student.
    Trained(Trained),
    /// A student whose recipe was chosen by trials of so many operations.
    Chosen(Trained, u64),
}

impl Control {
    /// All of them.
    pub const ALL: [Control; 7] = [
        Control::Majority,
        Control::MostCommonAnswer,
        Control::CuesFollowed,
        Control::CuesInverted,
        Control::Clusters,
        Control::TunedPlain,
        Control::RandomSearch,
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|control| control.name() == name)
    }

    /// As it is written in options and files.
    pub fn name(self) -> &'static str {
        match self {
            Control::Majority => "majority",
            Control::MostCommonAnswer => "most-common-answer",
            Control::CuesFollowed => "cues-followed",
            Control::CuesInverted => "cues-inverted",
            Control::Clusters => "clusters",
            Control::TunedPlain => "tuned-plain",
            Control::RandomSearch => "random-search",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Control::Majority => "the label given more often",
            Control::MostCommonAnswer => "the most common answer",
            Control::CuesFollowed => "the teacher's strongest cues followed",
            Control::CuesInverted => "the teacher's strongest cues inverted",
            Control::Clusters => "weak labels averaged over surface forms",
            Control::TunedPlain => "plain, tuned on the teacher's labels",
            Control::RandomSearch => "random search at equal compute",
        }
    }

    /// Whether it can be used on this problem; the reason where it can't.
    pub fn applicable(self, problem: &Problem) -> Result<(), MethodError> {
        match (self, problem.student) {
            (Control::TunedPlain, Architecture::Encoder) => Err(MethodError::NotApplicable(format!(
                "{} is not applicable here: a readout is fitted at once, so there is no rate or length to tune",
                self.words()
            ))),
            _ => Ok(()),
        }
    }

    /// Learn from a pool with one teacher's labels.
    pub fn learn(self, pool: &Pool, student: &dyn Student, seed: u64) -> Result<Learned, MethodError> {
        Ok(match self {
            Control::Majority => {
                let positive = pool.weak.iter().filter(|p| **p > 0.5).count();
                Learned::Constant(if 2 * positive >= pool.weak.len() { 1.0 } else { -1.0 })
            }
            Control::MostCommonAnswer => Learned::MostCommon(seed),
            Control::CuesFollowed => Learned::Cues(1.0),
            Control::CuesInverted => Learned::Cues(-1.0),
            Control::Clusters => Learned::Clusters(seed),
            Control::TunedPlain => {
                let variants = tunings(student.problem())?;
                best(&variants, pool, student, seed)?
            }
            Control::RandomSearch => {
                let variants = blind(student.problem(), seed)?;
                best(&variants, pool, student, seed)?
            }
        })
    }
}

impl Learned {
    /// Margins of items, `[items]`.
    pub fn margins(&self, pool: &Pool, student: &dyn Student, items: &[Item]) -> Result<Vec<f32>, MethodError> {
        Ok(match self {
            Learned::Constant(margin) => vec![*margin; items.len()],
            Learned::MostCommon(seed) => {
                let mut coin = ChaCha8Rng::seed_from_u64(*seed);
                let says = most_common::says(
                    items.iter().map(|item| (most_common::question(item), most_common::answers(item))),
                );
                let sign = |yes: bool| if yes { 1.0 } else { -1.0 };
                says.into_iter().map(|says| sign(says.unwrap_or_else(|| coin.random()))).collect()
            }
            Learned::Cues(sign) => Surface::new(&pool.items, items).cues(&pool.weak, *sign),
            Learned::Clusters(seed) => {
                let mut rng = ChaCha8Rng::seed_from_u64(*seed);
                Surface::new(&pool.items, items).clusters(&mut rng).margins(&pool.weak)
            }
            Learned::Trained(trained) | Learned::Chosen(trained, _) => trained.margins(student, items)?,
        })
    }

    /// Operations of trials, each of which begins the engine's count anew.
    pub fn tried(&self) -> u64 {
        if let Learned::Chosen(_, operations) = self { *operations } else { 0 }
    }
}

fn plain() -> Result<Recipe, MethodError> {
    let missing = || MethodError::NotApplicable("the recipe `plain` is missing".into());
    shipped::get("plain").ok_or_else(missing)?
}

/// Plain training with every setting of the grid.
fn tunings(problem: &Problem) -> Result<Vec<Recipe>, MethodError> {
    let (plain, own) = (plain()?, &problem.training);
    let one = |(rate, length): (f32, f32)| {
        let mut recipe = plain.clone();
        recipe.schedule.learning_rate = Some(rate * own.learning_rate);
        recipe.schedule.epochs = Some(length * own.epochs);
        recipe
    };
    Ok(GRID.into_iter().map(one).collect())
}

/// Compositions drawn from the search's grammar, none dearer than plain.
fn blind(problem: &Problem, seed: u64) -> Result<Vec<Recipe>, MethodError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let read = |genome: &space::Genome| Recipe::parse(&space::recipe(genome, "drawn"), Path::new("drawn"));
    let valid = |genome: &space::Genome| {
        read(genome).is_ok_and(|recipe| recipe.cost() == 1 && recipe.applicable(problem).is_ok())
    };
    (0..BLIND).map(|_| read(&policy::random(&Leaning::even(), &valid, &mut rng).genome)).collect()
}

/// The one that agrees best with the teacher on rows held out, trained on the whole pool; the first where a trial speaks against all.
fn best(variants: &[Recipe], pool: &Pool, student: &dyn Student, seed: u64) -> Result<Learned, MethodError> {
    let slices = TrialSlices::draw(pool, TRAIN_ROWS, HELD_OUT_ROWS, seed);
    let mut operations = 0;
    let (mut best, mut agreed) = (0, f64::NEG_INFINITY);
    for (at, recipe) in variants.iter().enumerate() {
        let (report, _) = trial::run(recipe, &slices, student, seed, None)?;
        operations += report.operations;
        if report.objection().is_none() && report.agrees_with_teacher > agreed {
            (best, agreed) = (at, report.agrees_with_teacher);
        }
    }
    Ok(Learned::Chosen(train(&variants[best], pool, student, seed)?, operations))
}
