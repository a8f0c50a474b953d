//! The subject `chat`: which of two replies to a question of fact is right, where a polite tone is a cue that misleads.
//!
//! `words` makes the vocabulary, `facts` the world, `documents` what models are pre-trained on, `items` what they are
//! asked. Everything is a function of the secret and [`Settings`].

mod cloze;
pub mod documents;
pub mod facts;
pub mod items;
pub mod settings;
pub mod words;

pub use facts::World;
pub use settings::Settings;

use crate::error::WorldError;
use crate::mechanism::Mechanism;
use crate::subject::{self, LabelledItem, Library, Part, Reader, Recall, Shortcuts, Sizes};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::Problem;
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
        [words::POLITE, words::PLAIN]
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

    fn shortcuts(&self) -> Option<&dyn Shortcuts> {
        Some(self)
    }
}

impl Shortcuts for World {
    fn cloze(&self, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
        cloze::margins(self, student, items)
    }

    fn inferred(&self, pool: &[Item], soft: &[f32], items: &[Item]) -> Vec<f32> {
        cloze::inferred(pool, soft, items)
    }
}
