//! The subject `math`: is a worked solution of two steps right, where every step looks a value up in a secret table.
//!
//! A sloppy crowd, which looks at the last step only, has taught the student the task's form: so asking it gets far, and
//! stops at errors in the first step. `tables` makes the world, `documents` what models read, `items` what they are asked,
//! `crowd` lets more careful graders into the crowd until asking gets as far as it should.

mod cloze;
mod crowd;
pub mod documents;
mod items;
pub mod settings;
pub mod tables;

pub use settings::Settings;
pub use tables::World;

use crate::error::WorldError;
use crate::mechanism::Mechanism;
use crate::subject::{self, Asked, LabelledItem, Library, Part, Reader, Recall, Sizes};
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

    fn problem(&self) -> Problem {
        items::problem(self)
    }

    fn library(&self, reader: Reader, share: f64, rng: &mut ChaCha8Rng) -> Box<dyn Library + '_> {
        let mix = match reader {
            Reader::Student => Mix::STUDENT,
            Reader::StudentLater => Mix { careful: self.settings.careful, ..Mix::STUDENT },
            Reader::Teacher => Mix::TEACHER,
        };
        Box::new(Shelf::new(self, self.known(share, rng), mix))
    }

    fn items(&self, part: Part, distribution: Distribution, count: usize, rng: &mut ChaCha8Rng) -> Vec<LabelledItem> {
        items::draw(self, part, distribution, count, rng)
    }

    fn facts_per_item(&self) -> u32 {
        2
    }

    fn finish(
        &self,
        model: Decoder,
        library: &dyn Library,
        asked: &Asked<'_>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Decoder, WorldError> {
        crowd::admit_careful(self, model, library, asked, rng)
    }

    fn cloze(&self, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
        cloze::margins(self, student, items)
    }
}
