//! Pre-train a small decoder on a world's documents.

use crate::subject::{Architecture, Library, Shape, Sizes, World};
use aar_lm::{AdamW, Decoder, DecoderConfig, InitScale, LmError, Rows, Schedule, Scope, Trainer};
use rand_chacha::ChaCha8Rng;

/// Skill of a model on fresh documents about what it has read: shares of right answers by exam.
#[derive(Clone, Debug, PartialEq)]
pub struct Skill(pub Vec<(crate::subject::Exam, f64)>);

impl Skill {
    /// Judging, as opposed to recalling: the worst of the exams that ask for it.
    pub fn judging(&self) -> f64 {
        self.0.iter().filter(|(exam, _)| exam.judging).map(|(_, share)| *share).fold(1.0, f64::min)
    }

    /// The exams that end a teacher's pre-training: the worst of them, 0 where there is none.
    pub fn gate(&self) -> f64 {
        self.0.iter().filter(|(exam, _)| exam.gate).map(|(_, share)| *share).reduce(f64::min).unwrap_or(0.0)
    }
}

/// What to train.
pub struct Pretraining<'a> {
    /// The world.
    pub world: &'a dyn World,
    /// What the model reads.
    pub library: &'a dyn Library,
    /// Its size.
    pub shape: Shape,
    /// Steps.
    pub steps: usize,
}

/// A decoder's configuration for a world.
fn config(world: &dyn World, shape: Shape) -> DecoderConfig {
    let qwen2 = shape.architecture == Architecture::Qwen2;
    DecoderConfig {
        vocab_size: world.words().len(),
        hidden_size: shape.hidden,
        intermediate_size: shape.feed_forward,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: if qwen2 { shape.heads.div_ceil(2) } else { shape.heads },
        head_dim: shape.hidden / shape.heads,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tie_word_embeddings: !qwen2,
        qkv_bias: qwen2,
        qk_norm: !qwen2,
        max_position_embeddings: 64,
    }
}

/// A student that has read nothing: random weights.
pub fn unread(world: &dyn World, seed: u64) -> Decoder {
    Decoder::init(config(world, world.sizes().student), &InitScale::default(), seed)
}

/// How an architecture is pre-trained.
fn recipe(architecture: Architecture, steps: usize) -> (AdamW, Schedule) {
    let optimizer = AdamW { lr: 2e-3, betas: (0.9, 0.95), eps: 1e-8, weight_decay: 0.05, clip: Some(1.0) };
    match architecture {
        Architecture::Qwen3 => (optimizer, Schedule::Cosine { warmup: 50, total: steps, floor: 0.05 }),
        Architecture::Qwen2 => (
            AdamW { lr: 1.5e-3, betas: (0.9, 0.98), weight_decay: 0.01, ..optimizer },
            Schedule::Linear { warmup: 100, total: steps },
        ),
    }
}

impl Pretraining<'_> {
    /// Train. `progress` gets the step and may end training early by answering false; it is asked every 50 steps with
    /// the model as it stands.
    pub fn run(
        &self,
        rng: &mut ChaCha8Rng,
        seed: u64,
        progress: &mut dyn FnMut(usize, &Decoder) -> bool,
    ) -> Result<Decoder, LmError> {
        let model = Decoder::init(config(self.world, self.shape), &InitScale::default(), seed);
        let (optimizer, schedule) = recipe(self.shape.architecture, self.steps);
        let mut trainer = Trainer::new(model, Scope::Full, optimizer, schedule, 1, seed);
        let sizes = self.world.sizes();
        for step in 1..=self.steps {
            one_step(&mut trainer, self.library, sizes, rng)?;
            if step % 50 == 0 && !progress(step, trainer.model()) {
                break;
            }
        }
        Ok(trainer.into_model())
    }
}

/// A step on fresh documents.
fn one_step(trainer: &mut Trainer, library: &dyn Library, sizes: &Sizes, rng: &mut ChaCha8Rng) -> Result<(), LmError> {
    let mut rows = Rows::new();
    let mut weights = Vec::new();
    for _ in 0..sizes.documents_per_step {
        let document = library.draw(rng);
        rows.push(&document.tokens);
        let weight = |i: usize| {
            let told = i == document.answer || document.reasons.contains(&i);
            if told { 1.0 } else { sizes.background_weight }
        };
        weights.extend((0..document.tokens.len()).map(weight));
    }
    trainer.step_next_token(&rows, &weights)?;
    Ok(())
}

/// Measure a model on `count` fresh documents of every exam.
pub fn skill(library: &dyn Library, model: &Decoder, count: usize, rng: &mut ChaCha8Rng) -> Skill {
    let mut share = |place: usize| {
        let documents: Vec<_> = (0..count).map(|_| library.exam(place, rng)).collect();
        let rows: Rows = documents.iter().map(|document| &document.tokens[..document.answer]).collect();
        let right = model.next_token(&rows, 1).into_iter().zip(&documents);
        right.filter(|(id, document)| *id == document.tokens[document.answer]).count() as f64 / count as f64
    };
    Skill(library.exams().iter().enumerate().map(|(place, exam)| (*exam, share(place))).collect())
}
