//! What the mint asks of a subject, so that it need not know which one it is minting.

use crate::draw::Sample;
use crate::error::WorldError;
use crate::lint::near;
use crate::mechanism::Mechanism;
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::Problem;
use aar_lm::{Decoder, Pooling, Rows, Tokenizer};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

/// Which set a fact (of `code`: a program) feeds. Sets share none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The teacher's labelled set.
    Labelled,
    /// The pool.
    Pool,
    /// Test items of every split.
    Test,
}

/// Who reads: student and teacher read documents in different shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The student.
    Student,
    /// The teacher.
    Teacher,
}

/// An item with its truth, as only the mint holds it.
#[derive(Clone, Debug)]
pub struct LabelledItem {
    /// The item.
    pub item: Item,
    /// Whether the answer that the first label word stands for is right.
    pub positive: bool,
    /// Which distribution it was drawn from.
    pub distribution: Distribution,
    /// Names the fact it is about.
    pub fact: String,
}

/// A document and the place of its answer, which is the token that carries weight.
pub struct Document {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// Index of the answer.
    pub answer: usize,
    /// Where reasons stand that are written out; they carry weight too.
    pub reasons: Range<usize>,
}

impl Document {
    /// One without reasons.
    pub fn new(tokens: Vec<u32>, answer: usize) -> Self {
        Self { tokens, answer, reasons: 0..0 }
    }
}

/// A judgement with its reasons, in parts.
pub struct Reasoned {
    /// What is judged.
    pub claim: Vec<u32>,
    /// What is so instead, step by step: as many tokens for every claim.
    pub reasons: Vec<u32>,
    /// What asks for the verdict, and the verdict.
    pub verdict: [u32; 2],
}

/// A kind of document on which a model's skill is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exam {
    /// What is asked.
    pub name: &'static str,
    /// Whether it asks for a judgement rather than for what was read.
    pub judging: bool,
    /// Whether a teacher's pre-training ends by it.
    pub gate: bool,
}

/// Documents about the part of a world that one model reads about.
pub trait Library {
    /// A document.
    fn draw(&self, rng: &mut ChaCha8Rng) -> Document;
    /// What a model that has read is asked.
    fn exams(&self) -> &'static [Exam];
    /// A fresh document of the exam at this place of [`Library::exams`].
    fn exam(&self, place: usize, rng: &mut ChaCha8Rng) -> Document;
    /// A fresh judgement with its reasons, where the subject has steps to reason in.
    fn reasoned(&self, _rng: &mut ChaCha8Rng) -> Option<Reasoned> {
        None
    }
}

/// A place of `shares`, as often as its share says; the last takes what is left.
pub(crate) fn drawn(shares: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut point = rng.random::<f64>();
    let mut place = 0;
    while place + 1 < shares.len() && point >= shares[place] {
        point -= shares[place];
        place += 1;
    }
    place
}

/// A world of any subject: a function of its settings and its secret.
pub trait World: Send + Sync {
    /// Sizes of networks and sets.
    fn sizes(&self) -> &Sizes;
    /// All words; a word's id is its place.
    fn words(&self) -> &[String];
    /// How it misleads.
    fn mechanism(&self) -> Mechanism;
    /// How often the answer with the cue is right, where the cue reverses.
    fn cue(&self) -> f64;
    /// What is asked.
    fn problem(&self) -> Problem;
    /// Filler words of the first kind and of the second.
    fn fillers(&self) -> [&'static [&'static str]; 2];
    /// What a model reads that gets to know this share of the facts.
    fn library(&self, reader: Reader, share: f64, rng: &mut ChaCha8Rng) -> Box<dyn Library + '_>;
    /// `count` items about a part's facts, labels exactly balanced, in random order, with ids that say nothing.
    fn items(&self, part: Part, distribution: Distribution, count: usize, rng: &mut ChaCha8Rng) -> Vec<LabelledItem>;
    /// Change the untouched student before anybody sees it, by what it answers on tuning items.
    fn finish(&self, model: Decoder, _asked: &Asked<'_>, _rng: &mut ChaCha8Rng) -> Result<Decoder, WorldError> {
        Ok(model)
    }
    /// Shortcuts that are made for this subject. A subject without them is minted blindly: no recipe is tried on its worlds, so that
    /// nothing about them was chosen by what methods get there.
    fn shortcuts(&self) -> Option<&dyn Shortcuts> {
        None
    }
}

/// Ways around a judgement that only who knows the generator can take.
pub trait Shortcuts {
    /// Margins of items by asking the untouched student for the facts, never for a judgement.
    fn cloze(&self, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError>;
    /// Margins of items by the facts that the pool's weak labels speak for. Never asks the student.
    fn inferred(&self, pool: &[Item], soft: &[f32], items: &[Item]) -> Vec<f32>;
}

/// Items on which a student's answers may be looked at.
pub struct Asked<'a> {
    /// The items.
    pub sample: &'a Sample,
    /// What is asked.
    pub problem: &'a Problem,
    /// Words to ids.
    pub tokenizer: &'a Tokenizer,
}

impl Asked<'_> {
    fn rows(&self) -> Result<Rows, WorldError> {
        let prompt = &self.problem.prompt;
        let mut rows = Rows::new();
        for item in &self.sample.items {
            rows.push(&self.tokenizer.encode(&format!("{} {}", prompt.render_body(item), prompt.suffix))?);
        }
        Ok(rows)
    }

    /// A model's last states, `[items, hidden]`.
    pub fn states(&self, model: &Decoder) -> Result<Vec<f32>, WorldError> {
        Ok(model.hidden(&self.rows()?, &[model.config.num_hidden_layers], Pooling::Last, 1))
    }
}

/// Test items: half in, half out of distribution, mixed.
pub fn draw_test(world: &dyn World, count: usize, rng: &mut ChaCha8Rng) -> Vec<LabelledItem> {
    use rand::seq::SliceRandom;
    let mut items = world.items(Part::Test, Distribution::In, count / 2, rng);
    items.extend(world.items(Part::Test, Distribution::Out, count - count / 2, rng));
    items.shuffle(rng);
    items
}

/// Rounds in which items that are known are drawn again; in a few there are none left.
const ROUNDS: usize = 50;

/// Test items of which none is, or nearly is, one of `earlier`.
pub fn draw_apart(world: &dyn World, count: usize, rng: &mut ChaCha8Rng, earlier: &Sample) -> Vec<LabelledItem> {
    let mut rows = draw_test(world, count, rng);
    let known: HashSet<String> = earlier.rows.iter().map(text).collect();
    let near: Vec<_> = earlier.rows.iter().map(|row| near::shingles(&text(row))).collect();
    for _ in 0..ROUNDS {
        let shingles: Vec<_> = rows.iter().map(|row| near::shingles(&text(row))).collect();
        let mut again: BTreeSet<usize> = near::pairs(&near, &shingles).into_iter().map(|(_, row)| row).collect();
        again.extend(rows.iter().enumerate().filter(|(_, row)| known.contains(&text(row))).map(|(at, _)| at));
        if again.is_empty() {
            break;
        }
        for at in again {
            // Two come, one of each label.
            let fresh = world.items(Part::Test, rows[at].distribution, 2, rng);
            rows[at] = fresh.into_iter().find(|row| row.positive == rows[at].positive).expect("labels are balanced");
        }
    }
    rows
}

/// An item without its id and a pair's order.
fn text(row: &LabelledItem) -> String {
    match &row.item {
        Item::Preference { prompt, first, second, .. } => {
            format!("{prompt} | {} | {}", first.min(second), first.max(second))
        }
        Item::Binary { question, choice, .. } => format!("{question} | {choice}"),
    }
}

/// An untouched student that completes statements.
pub struct Recall<'a> {
    /// The student.
    pub model: &'a Decoder,
    /// Words to ids.
    pub tokenizer: &'a Tokenizer,
}

impl Recall<'_> {
    /// Logits of these words (token ids) as the next one after a text.
    pub fn logits(&self, text: &str, ids: &[u32]) -> Result<Vec<f32>, WorldError> {
        let tokens = self.tokenizer.encode(text)?;
        Ok(self.model.last_logits(&[tokens.as_slice()].into_iter().collect(), ids, 1))
    }
}

/// How a network is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Queries and keys are normalised; the embedding is the output matrix too.
    #[default]
    Qwen3,
    /// Queries, keys and values have biases, two heads share a key; the output matrix is its own.
    Qwen2,
}

impl Architecture {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A network's size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Width.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
    /// Heads.
    pub heads: usize,
    /// Feed-forward width.
    pub feed_forward: usize,
    /// How it is built. Generators older than this setting have the default, and the same hash as before.
    #[serde(default, skip_serializing_if = "Architecture::is_default")]
    pub architecture: Architecture,
}

impl Shape {
    /// A network of the architecture that everything was calibrated with.
    pub const fn new(hidden: usize, layers: usize, heads: usize, feed_forward: usize) -> Self {
        Self { hidden, layers, heads, feed_forward, architecture: Architecture::Qwen3 }
    }
}

/// Sizes that every subject has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sizes {
    /// Share of all facts that the student is pre-trained on.
    pub student_knows: f64,
    /// Share of all facts that a teacher is pre-trained on.
    pub teacher_knows: f64,
    /// Loss weight of tokens that are not answers.
    pub background_weight: f32,
    /// The student.
    pub student: Shape,
    /// The teacher.
    pub teacher: Shape,
    /// Pre-training steps of the student.
    pub student_steps: usize,
    /// Most pre-training steps of a teacher.
    pub teacher_steps: usize,
    /// Documents per pre-training step.
    pub documents_per_step: usize,
    /// Rows of the teacher's labelled set.
    pub labelled: usize,
    /// Passes of the teacher over it.
    pub teacher_epochs: usize,
    /// Learning rate of the teacher's fine-tuning.
    pub teacher_rate: f32,
    /// Rows of the pool.
    pub pool: usize,
    /// Items of the feedback split, half out of distribution.
    pub feedback: usize,
    /// Items of the selection split.
    pub selection: usize,
    /// Items to tune the teacher on, thrown away afterwards.
    pub tuning: usize,
    /// Items of the check, thrown away afterwards.
    pub check: usize,
    /// Learning rate of the student's fine-tuning.
    pub student_rate: f32,
    /// Its steps.
    pub finetune_steps: usize,
}

impl Sizes {
    /// What subjects begin from; each says what it was calibrated to instead.
    pub const COMMON: Sizes = Sizes {
        student_knows: 0.9,
        teacher_knows: 0.6,
        background_weight: 0.02,
        student: Shape::new(96, 4, 4, 288),
        teacher: Shape::new(64, 4, 4, 192),
        student_steps: 1000,
        teacher_steps: 1200,
        documents_per_step: 120,
        labelled: 800,
        teacher_epochs: 4,
        teacher_rate: 1e-3,
        pool: 2000,
        feedback: 1200,
        selection: 4000,
        tuning: 2000,
        check: 5000,
        student_rate: 5e-4,
        finetune_steps: 125,
    };

    /// Fine-tuning that the ceiling and plain training use.
    pub fn training(&self) -> aar_domain::problem::Training {
        aar_domain::problem::Training {
            learning_rate: self.student_rate,
            batch: 32,
            epochs: (self.finetune_steps * 32) as f32 / self.pool as f32,
            weight_decay: 0.01,
            layers: vec![],
        }
    }
}
