//! Pre-train a small decoder on a world's documents.

use crate::chat::World;
use crate::chat::documents::{Kind, Mix, Writer};
use crate::chat::facts::Fact;
use crate::chat::settings::Shape;
use aar_lm::{AdamW, Decoder, DecoderConfig, InitScale, LmError, Rows, Schedule, Scope, Trainer};
use rand_chacha::ChaCha8Rng;

/// Skill of a model on fresh documents about what it has read: shares of right answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skill {
    /// Statements completed.
    pub recall: f64,
    /// Verdicts.
    pub verdict: f64,
    /// Ratings (some follow tone, so 1 is out of reach).
    pub rating: f64,
    /// Pairs.
    pub pair: f64,
}

impl Skill {
    /// Judging, as opposed to recalling: the worse of verdicts and pairs.
    pub fn judging(&self) -> f64 {
        self.verdict.min(self.pair)
    }
}

/// What to train.
pub struct Pretraining<'a> {
    /// The world.
    pub world: &'a World,
    /// What the model reads about.
    pub known: &'a [Fact],
    /// Its size.
    pub shape: Shape,
    /// Kinds of documents.
    pub mix: Mix,
    /// Steps.
    pub steps: usize,
}

/// A decoder's configuration for a world.
fn config(world: &World, shape: Shape) -> DecoderConfig {
    DecoderConfig {
        vocab_size: world.words.len(),
        hidden_size: shape.hidden,
        intermediate_size: shape.feed_forward,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.heads,
        head_dim: shape.hidden / shape.heads,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tie_word_embeddings: true,
        qkv_bias: false,
        qk_norm: true,
        max_position_embeddings: 64,
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
        let optimizer = AdamW { lr: 2e-3, betas: (0.9, 0.95), eps: 1e-8, weight_decay: 0.05, clip: Some(1.0) };
        let schedule = Schedule::Cosine { warmup: 50, total: self.steps, floor: 0.05 };
        let mut trainer = Trainer::new(model, Scope::Full, optimizer, schedule, 1, seed);
        let writer = Writer::new(self.world, self.known);
        let settings = &self.world.settings;
        for step in 1..=self.steps {
            let mut rows = Rows::new();
            let mut weights = Vec::new();
            for _ in 0..settings.documents_per_step {
                let document = writer.draw(&self.mix, rng);
                rows.push(&document.tokens);
                let weight = |i: usize| {
                    if i == document.answer { 1.0 } else { settings.background_weight }
                };
                weights.extend((0..document.tokens.len()).map(weight));
            }
            trainer.step_next_token(&rows, &weights)?;
            if step % 50 == 0 && !progress(step, trainer.model()) {
                break;
            }
        }
        Ok(trainer.into_model())
    }
}

/// Measure a model on `count` fresh documents of every kind.
pub fn skill(world: &World, known: &[Fact], model: &Decoder, count: usize, rng: &mut ChaCha8Rng) -> Skill {
    let writer = Writer::new(world, known);
    let mut share = |kind: Kind| {
        let documents: Vec<_> = (0..count).map(|_| writer.write(kind, rng)).collect();
        let rows: Rows = documents.iter().map(|document| &document.tokens[..document.answer]).collect();
        let right = model.next_token(&rows, 1).into_iter().zip(&documents);
        right.filter(|(id, document)| *id == document.tokens[document.answer]).count() as f64 / count as f64
    };
    Skill {
        recall: share(Kind::Statement),
        verdict: share(Kind::Verdict),
        rating: share(Kind::Rating),
        pair: share(Kind::Pair),
    }
}
