//! A stand-in for a production model: a larger student, two domains mixed, and a chain of thought before every verdict.
//!
//! Half of the items are solutions of `math`, half are programs of `code`, of worlds of its own; their words are put together. The student has
//! read judgements with their reasons written out, so it can think before it answers; teachers answer at once. Nothing but the teacher's accuracy
//! and the ceiling is looked at when such a world is minted (it has no `shortcuts`): what methods do on it nobody knows before a trial.

pub mod settings;

pub use settings::Settings;

use crate::mechanism::Mechanism;
use crate::secret::Secret;
use crate::subject::{self, Document, Exam, LabelledItem, Library, Part, Reader, Reasoned, Sizes};
use crate::{code, math};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::{Architecture, Problem, Prompt, Reasoning, Task};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What asks for reasons.
const CUE: &str = "so";
/// Their tokens.
const REASONS: usize = 8;

static FIRST: LazyLock<Vec<&str>> = LazyLock::new(|| [math::tables::SURE, code::programs::TIDY].concat());
static SECOND: LazyLock<Vec<&str>> = LazyLock::new(|| [math::tables::UNSURE, code::programs::LOOSE].concat());

/// Solutions and programs.
pub struct World {
    settings: Settings,
    mechanism: Mechanism,
    math: math::World,
    code: code::World,
    words: Vec<String>,
    /// A word of `math`, and one of `code`, as one of ours.
    ids: [Vec<u32>; 2],
    cue: u32,
}

impl World {
    /// Make a world from its secret.
    pub fn new(settings: &Settings, mechanism: Mechanism, secret: &Secret) -> Self {
        let math = math::World::new(&settings.math, mechanism, &secret.child("math"));
        let code = code::World::new(&settings.code, mechanism, &secret.child("code"));
        let mut words: Vec<String> = Vec::new();
        let mut place: HashMap<String, u32> = HashMap::new();
        let mut id = |word: &str| {
            *place.entry(word.to_owned()).or_insert_with(|| {
                words.push(word.to_owned());
                words.len() as u32 - 1
            })
        };
        let ids = [&math.words, &code.words].map(|own| own.iter().map(|word| id(word)).collect());
        let cue = id(CUE);
        Self { settings: settings.clone(), mechanism, math, code, words, ids, cue }
    }

    /// The domains, with what stands before their items.
    fn domains(&self) -> [(&dyn subject::World, &'static str); 2] {
        [(&self.math, "soln"), (&self.code, "prog")]
    }
}

/// An item with its domain's word before the question.
fn named(item: Item, domain: &str) -> Item {
    match item {
        Item::Binary { id, question, choice } => Item::Binary { id, question: format!("{domain} {question}"), choice },
        pair => pair,
    }
}

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
        self.settings.math.cue
    }

    fn fillers(&self) -> [&'static [&'static str]; 2] {
        [&FIRST, &SECOND]
    }

    fn problem(&self) -> Problem {
        let prompt = Prompt {
            body: "{question} {choice}".into(),
            suffix: "judge".into(),
            labels: ["right".into(), "wrong".into()],
        };
        Problem {
            title: "Is this solution, or this program's output, right?".into(),
            task: Task::Binary,
            zero_shot: vec![prompt.clone()],
            prompt,
            max_tokens: 40,
            student: Architecture::Decoder,
            training: self.settings.sizes.training(),
            reasoning: Some(Reasoning { cue: CUE.into(), length: REASONS }),
        }
    }

    fn library(&self, reader: Reader, share: f64, rng: &mut ChaCha8Rng) -> Box<dyn Library + '_> {
        let reasoned = if reader == Reader::Student { self.settings.reasoned } else { 0.0 };
        let shelves = self.domains().map(|(domain, _)| domain.library(reader, share, rng));
        Box::new(Shelf { world: self, shelves, reasoned })
    }

    fn items(&self, part: Part, distribution: Distribution, count: usize, rng: &mut ChaCha8Rng) -> Vec<LabelledItem> {
        // Labels are balanced within a domain, so what is too little for both comes from one.
        let counts = match (count < 4, rng.random::<bool>()) {
            (true, true) => [count, 0],
            (true, false) => [0, count],
            (false, _) => [count / 2, count - count / 2],
        };
        let mut items: Vec<LabelledItem> = Vec::with_capacity(count);
        for ((domain, word), count) in self.domains().into_iter().zip(counts) {
            items.extend(domain.items(part, distribution, count, rng).into_iter().map(|row| LabelledItem {
                item: named(row.item, word),
                fact: format!("{word} {}", row.fact),
                ..row
            }));
        }
        items.shuffle(rng);
        items
    }
}

/// What one model reads: both domains' documents, in our words.
struct Shelf<'a> {
    world: &'a World,
    shelves: [Box<dyn Library + 'a>; 2],
    reasoned: f64,
}

const EXAMS: &[Exam] = &[
    Exam { name: "review of a solution", judging: true, gate: true },
    Exam { name: "review of a program", judging: true, gate: true },
];

impl Shelf<'_> {
    fn ours(&self, domain: usize, tokens: &[u32]) -> Vec<u32> {
        tokens.iter().map(|&token| self.world.ids[domain][token as usize]).collect()
    }

    fn translated(&self, domain: usize, document: Document) -> Document {
        Document { tokens: self.ours(domain, &document.tokens), ..document }
    }

    fn written_out(&self, domain: usize, reasoned: &Reasoned) -> Document {
        let claim = self.ours(domain, &reasoned.claim);
        let reasons = claim.len() + 1..claim.len() + 1 + reasoned.reasons.len();
        let rest = [self.ours(domain, &reasoned.reasons), self.ours(domain, &reasoned.verdict)].concat();
        let tokens = [&claim[..], &[self.world.cue], &rest].concat();
        Document { answer: tokens.len() - 1, tokens, reasons }
    }
}

impl Library for Shelf<'_> {
    fn draw(&self, rng: &mut ChaCha8Rng) -> Document {
        let domain = rng.random_range(0..self.shelves.len());
        if rng.random::<f64>() < self.reasoned
            && let Some(reasoned) = self.shelves[domain].reasoned(rng)
        {
            return self.written_out(domain, &reasoned);
        }
        self.translated(domain, self.shelves[domain].draw(rng))
    }

    fn exams(&self) -> &'static [Exam] {
        EXAMS
    }

    fn exam(&self, place: usize, rng: &mut ChaCha8Rng) -> Document {
        let shelf = &self.shelves[place];
        // A domain's own exam that asks for what is asked here.
        let review = shelf.exams().iter().position(|exam| exam.gate).unwrap_or_default();
        self.translated(place, shelf.exam(review, rng))
    }
}
