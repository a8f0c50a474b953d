//! One draw of a world: its facts, its student and its throw-away items.

use crate::error::WorldError;
use crate::pretrain::{Pretraining, Skill, skill};
use crate::secret::Secret;
use crate::subject::{Asked, LabelledItem, Part, Reader, World, draw_test};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::Problem;
use aar_lm::Tokenizer;
use aar_methods::student::decoder::DecoderStudent;
use rand::RngCore;

/// A world with the student that was pre-trained on its text.
pub struct Draw {
    /// Its secret.
    pub secret: Secret,
    /// Its facts.
    pub world: Box<dyn World>,
    /// What is asked.
    pub problem: Problem,
    /// Words to ids; student and teacher share it.
    pub tokenizer: Tokenizer,
    /// The untouched student.
    pub student: DecoderStudent,
    /// How well it judges what it has read.
    pub skill: Skill,
    /// The pool, with truth.
    pub pool: Sample,
    /// Items to tune on, thrown away.
    pub tuning: Sample,
}

/// Items with their truth.
pub struct Sample {
    /// The items alone.
    pub items: Vec<Item>,
    /// The truth beside them.
    pub rows: Vec<LabelledItem>,
}

impl From<Vec<LabelledItem>> for Sample {
    fn from(rows: Vec<LabelledItem>) -> Self {
        Self { items: rows.iter().map(|row| row.item.clone()).collect(), rows }
    }
}

impl Sample {
    /// Which of these margins are right.
    pub fn correct(&self, margins: &[f32]) -> Vec<bool> {
        margins.iter().zip(&self.rows).map(|(margin, row)| (*margin > 0.0) == row.positive).collect()
    }

    /// Share of right answers.
    pub fn accuracy(&self, margins: &[f32]) -> f64 {
        share(&self.correct(margins))
    }

    /// The truth as targets.
    pub fn targets(&self) -> Vec<f32> {
        self.rows.iter().map(|row| f32::from(u8::from(row.positive))).collect()
    }
}

/// Share of `true`.
pub fn share(bits: &[bool]) -> f64 {
    bits.iter().filter(|&&bit| bit).count() as f64 / bits.len().max(1) as f64
}

impl Draw {
    /// Pre-train a world's student on one thread. `step` hears of every fiftieth step.
    pub fn new(world: Box<dyn World>, secret: Secret, step: &dyn Fn(usize)) -> Result<Self, WorldError> {
        let problem = world.problem();
        let tokenizer = Tokenizer::word_level(world.words())?;
        let sizes = world.sizes();
        let library = world.library(Reader::Student, sizes.student_knows, &mut secret.stream("student knows"));
        let pretraining = Pretraining {
            world: world.as_ref(),
            library: library.as_ref(),
            shape: sizes.student,
            steps: sizes.student_steps,
        };
        let seed = secret.stream("student init").next_u64();
        let model = pretraining.run(&mut secret.stream("student documents"), seed, &mut |at, _| {
            step(at);
            true
        })?;
        let skill = skill(library.as_ref(), &model, 500, &mut secret.stream("student skill"));
        drop(library);
        let pool = world.items(Part::Pool, Distribution::In, sizes.pool, &mut secret.stream("pool")).into();
        let tuning: Sample = draw_test(world.as_ref(), sizes.tuning, &mut secret.stream("tuning")).into();
        let asked = Asked { sample: &tuning, problem: &problem, tokenizer: &tokenizer };
        let model = world.finish(model, &asked, &mut secret.stream("student finish"))?;
        let student = DecoderStudent::new(&problem, model, tokenizer.clone(), 1)?;
        Ok(Self { world, problem, tokenizer, student, skill, pool, tuning, secret })
    }
}
