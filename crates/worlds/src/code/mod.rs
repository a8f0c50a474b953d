//! The subject `code`: does a program print this output, where its two instructions are secret maps and no trace is shown,
//! so that the student has to run them one after the other.
//!
//! The task's question mark is that of reviews the student has read, so what it knows is at hand there; the label words it
//! was never asked for, so asking it outright gets nowhere (`labels`). `programs` makes the world, `documents` what models
//! read, `items` what they are asked.

mod cloze;
pub mod documents;
mod inferred;
mod items;
mod labels;
pub mod programs;
pub mod settings;

pub use programs::World;
pub use settings::Settings;

use crate::error::WorldError;
use crate::mechanism::Mechanism;
use crate::subject::{self, Asked, LabelledItem, Library, Part, Reader, Recall, Shortcuts, Sizes};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::Problem;
use aar_lm::Decoder;
use documents::{Mix, Shelf};
use rand_chacha::ChaCha8Rng;

impl subject::World for World {
    fn sizes(&self) -> &Sizes {
        &self.settings.sizes
    }

    fn words(&self) -> &[String] {
        &self.words
    }

    fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    fn cue(&self) -> f64 {
        self.settings.cue
    }

    fn fillers(&self) -> [&'static [&'static str]; 2] {
        [programs::TIDY, programs::LOOSE]
    }

    fn problem(&self) -> Problem {
        items::problem(self)
    }

    fn library(&self, reader: Reader, share: f64, rng: &mut ChaCha8Rng) -> Box<dyn Library + '_> {
        let mix = match reader {
            Reader::Student => Mix::STUDENT,
            Reader::Teacher => Mix::TEACHER,
        };
        Box::new(Shelf::new(self, self.known(share, rng), mix))
    }

    fn items(&self, part: Part, distribution: Distribution, count: usize, rng: &mut ChaCha8Rng) -> Vec<LabelledItem> {
        items::draw(self, part, distribution, count, rng)
    }

    fn finish(&self, model: Decoder, asked: &Asked<'_>, rng: &mut ChaCha8Rng) -> Result<Decoder, WorldError> {
        labels::redraw(self, model, asked, rng)
    }

    fn shortcuts(&self) -> Option<&dyn Shortcuts> {
        Some(self)
    }
}

impl Shortcuts for World {
    fn cloze(&self, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
        cloze::margins(self, student, items)
    }

    fn inferred(&self, pool: &[Item], soft: &[f32], items: &[Item]) -> Vec<f32> {
        inferred::margins(self, pool, soft, items)
    }
}
