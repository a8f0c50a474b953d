//! What models are pre-trained on: statements, and judgements in other words than the task's, so that what is known
//! is usable (facts alone are recalled, but can't be judged with). The task's own prompt never occurs.

use super::facts::{Fact, World};
use super::words::{PLAIN, POLITE};
use crate::subject::{Document, Exam, Library};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `E A is V .`
    Statement,
    /// `claim E A is V ? yes|no`
    Verdict,
    /// `ask A E rate [fillers] V [fillers] ? good|bad`
    Rating,
    /// `between V1 or V2 for E A pick first|second`
    Pair,
}

/// Shares of the kinds.
pub struct Mix(pub [(Kind, f64); 4]);

impl Mix {
    /// The student's reading.
    pub const STUDENT: Mix =
        Mix([(Kind::Statement, 0.17), (Kind::Verdict, 0.25), (Kind::Rating, 0.33), (Kind::Pair, 0.25)]);
    /// The teacher's.
    pub const TEACHER: Mix =
        Mix([(Kind::Statement, 0.20), (Kind::Verdict, 0.25), (Kind::Rating, 0.30), (Kind::Pair, 0.25)]);

    fn draw(&self, rng: &mut ChaCha8Rng) -> Kind {
        let mut point = rng.random::<f64>();
        for (kind, share) in self.0 {
            point -= share;
            if point <= 0.0 {
                return kind;
            }
        }
        self.0[0].0
    }
}

/// What a model that has read is asked, in the order of [`ASKED`].
const EXAMS: &[Exam] = &[
    Exam { name: "recall", judging: false, gate: false },
    Exam { name: "verdict", judging: true, gate: false },
    // Some ratings follow tone, so that 1 is out of reach.
    Exam { name: "rating", judging: false, gate: false },
    Exam { name: "pair", judging: true, gate: true },
];
const ASKED: [Kind; 4] = [Kind::Statement, Kind::Verdict, Kind::Rating, Kind::Pair];

/// What one model reads.
pub struct Shelf<'a> {
    world: &'a World,
    known: Vec<Fact>,
    mix: Mix,
}

impl<'a> Shelf<'a> {
    /// Documents about `known` facts.
    pub fn new(world: &'a World, known: Vec<Fact>, mix: Mix) -> Self {
        Self { world, known, mix }
    }
}

impl Library for Shelf<'_> {
    fn draw(&self, rng: &mut ChaCha8Rng) -> Document {
        Writer::new(self.world, &self.known).draw(&self.mix, rng)
    }

    fn exams(&self) -> &'static [Exam] {
        EXAMS
    }

    fn exam(&self, place: usize, rng: &mut ChaCha8Rng) -> Document {
        Writer::new(self.world, &self.known).write(ASKED[place], rng)
    }
}

/// Writes documents about some facts of a world.
pub struct Writer<'a> {
    world: &'a World,
    known: &'a [Fact],
    polite: Vec<u32>,
    plain: Vec<u32>,
}

impl<'a> Writer<'a> {
    /// For a model that reads about `known`.
    pub fn new(world: &'a World, known: &'a [Fact]) -> Self {
        let ids = |words: &[&str]| words.iter().map(|word| world.word(word)).collect();
        Self { world, known, polite: ids(POLITE), plain: ids(PLAIN) }
    }

    /// A document of a kind drawn from the mix.
    pub fn draw(&self, mix: &Mix, rng: &mut ChaCha8Rng) -> Document {
        self.write(mix.draw(rng), rng)
    }

    /// A document of this kind about a random known fact.
    pub fn write(&self, kind: Kind, rng: &mut ChaCha8Rng) -> Document {
        let (world, fact) = (self.world, *self.known.choose(rng).expect("a model knows something"));
        let word = |word: &str| world.word(word);
        let (entity, attribute) = (world.entity(fact), world.attribute(fact));
        let truth = rng.random::<bool>();
        let value = if truth { world.right(fact) } else { world.wrong(fact, rng) };
        match kind {
            Kind::Statement => Document::new(vec![entity, attribute, word("is"), world.right(fact), word(".")], 3),
            Kind::Verdict => {
                let verdict = if truth { "yes" } else { "no" };
                let tokens = vec![word("claim"), entity, attribute, word("is"), value, word("?"), word(verdict)];
                Document::new(tokens, 6)
            }
            Kind::Rating => self.rating(fact, value, truth, rng),
            Kind::Pair => {
                let (right, wrong) = (world.right(fact), world.wrong(fact, rng));
                let (a, b) = if truth { (right, wrong) } else { (wrong, right) };
                let pick = word(if truth { "first" } else { "second" });
                let tokens =
                    vec![word("between"), a, word("or"), b, word("for"), entity, attribute, word("pick"), pick];
                Document::new(tokens, 8)
            }
        }
    }

    /// A reply in a tone, rated by truth, now and then by tone.
    fn rating(&self, fact: Fact, value: u32, truth: bool, rng: &mut ChaCha8Rng) -> Document {
        let world = self.world;
        let polite = rng.random::<bool>();
        let mut tokens = vec![world.word("ask"), world.attribute(fact), world.entity(fact), world.word("rate")];
        tokens.extend(self.reply(value, polite, rng));
        let by_tone = rng.random::<f64>() < world.settings.rating_bias;
        let good = if by_tone { polite } else { truth };
        tokens.extend([world.word("?"), world.word(if good { "good" } else { "bad" })]);
        let last = tokens.len() - 1;
        Document::new(tokens, last)
    }

    /// A value among fillers. Where the cue is a tone, polite replies have two or three, each polite four times in five;
    /// plain ones none or one, polite once in five.
    pub fn reply(&self, value: u32, polite: bool, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let cue = self.world.mechanism.cue;
        let count = cue.count(polite, &[0..=1, 2..=3], rng);
        let mut out: Vec<u32> = (0..count)
            .map(|_| {
                let kind = if cue.first(polite, rng) { &self.polite } else { &self.plain };
                *kind.choose(rng).expect("there are fillers")
            })
            .collect();
        out.insert(rng.random_range(0..=count), value);
        out
    }
}
