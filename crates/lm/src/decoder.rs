//! A Qwen2 or Qwen3 decoder: its parameters in one flat arena, and what can be asked of it.

use crate::config::DecoderConfig;
use crate::error::LmError;
use crate::forward::{Tape, forward};
use crate::infer::last_states;
use crate::rows::Rows;
use crate::weights::{self, Weights};
use aar_kernels::attention::Heads;
use aar_kernels::gemm;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use std::path::Path;

/// A place in the arena.
pub(crate) type Span = Range<usize>;

/// One layer's tensors in the arena.
#[derive(Clone, Debug)]
pub(crate) struct LayerSpans {
    pub norm1: Span,
    pub q: Span,
    pub k: Span,
    pub v: Span,
    pub o: Span,
    pub bias: Option<[Span; 3]>,
    pub qk_norm: Option<[Span; 2]>,
    pub norm2: Span,
    pub gate: Span,
    pub up: Span,
    pub down: Span,
}

/// A tensor of the arena by Hugging Face's name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub name: String,
    pub shape: Vec<usize>,
    pub span: Span,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub embed: Span,
    pub layers: Vec<LayerSpans>,
    pub norm: Span,
    pub head: Span,
    pub tensors: Vec<Named>,
    pub total: usize,
}

impl Layout {
    fn new(config: &DecoderConfig) -> Self {
        let (d, f, hd) = (config.hidden_size, config.intermediate_size, config.head_dim);
        let (qw, kw) = (config.num_attention_heads * hd, config.num_key_value_heads * hd);
        let mut tensors: Vec<Named> = Vec::new();
        let mut total = 0;
        let mut add = |name: String, shape: &[usize]| {
            let span = total..total + shape.iter().product::<usize>();
            total = span.end;
            tensors.push(Named { name, shape: shape.to_vec(), span: span.clone() });
            span
        };
        let embed = add("model.embed_tokens.weight".into(), &[config.vocab_size, d]);
        let layers = (0..config.num_hidden_layers)
            .map(|i| {
                let mut add = |name: &str, shape: &[usize]| add(format!("model.layers.{i}.{name}"), shape);
                LayerSpans {
                    norm1: add("input_layernorm.weight", &[d]),
                    q: add("self_attn.q_proj.weight", &[qw, d]),
                    k: add("self_attn.k_proj.weight", &[kw, d]),
                    v: add("self_attn.v_proj.weight", &[kw, d]),
                    o: add("self_attn.o_proj.weight", &[d, qw]),
                    bias: config.qkv_bias.then(|| {
                        [
                            add("self_attn.q_proj.bias", &[qw]),
                            add("self_attn.k_proj.bias", &[kw]),
                            add("self_attn.v_proj.bias", &[kw]),
                        ]
                    }),
                    qk_norm: config
                        .qk_norm
                        .then(|| [add("self_attn.q_norm.weight", &[hd]), add("self_attn.k_norm.weight", &[hd])]),
                    norm2: add("post_attention_layernorm.weight", &[d]),
                    gate: add("mlp.gate_proj.weight", &[f, d]),
                    up: add("mlp.up_proj.weight", &[f, d]),
                    down: add("mlp.down_proj.weight", &[d, f]),
                }
            })
            .collect();
        let norm = add("model.norm.weight".into(), &[d]);
        let head = if config.tie_word_embeddings {
            embed.clone()
        } else {
            add("lm_head.weight".into(), &[config.vocab_size, d])
        };
        Self { embed, layers, norm, head, tensors, total }
    }
}

/// Standard deviations of a fresh model's weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitScale {
    /// Of the embedding.
    pub embedding: f32,
    /// Of every projection, times width^-1/2 of its input.
    pub projection: f32,
    /// Whether o and down are also divided by √(2 · layers) (Radford et al. 2019).
    pub residual: bool,
}

impl Default for InitScale {
    fn default() -> Self {
        Self { embedding: 0.05, projection: 1.0, residual: true }
    }
}

/// Which token's hidden state stands for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The last token's.
    Last,
    /// The mean over all tokens.
    Mean,
}

/// A decoder with its weights.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Its architecture.
    pub config: DecoderConfig,
    pub(crate) layout: Layout,
    pub(crate) params: Vec<f32>,
}

impl Decoder {
    fn empty(config: DecoderConfig) -> Self {
        let layout = Layout::new(&config);
        let params = vec![0.0; layout.total];
        Self { config, layout, params }
    }

    /// A fresh model: normal weights, norms at 1, biases at 0.
    pub fn init(config: DecoderConfig, scale: &InitScale, seed: u64) -> Self {
        let mut model = Self::empty(config);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let depth = if scale.residual { (2.0 * model.config.num_hidden_layers as f32).sqrt() } else { 1.0 };
        for tensor in &model.layout.tensors {
            let out = &mut model.params[tensor.span.clone()];
            if tensor.name.ends_with("norm.weight") {
                out.fill(1.0);
            } else if tensor.name.ends_with(".weight") {
                let fan_in = *tensor.shape.last().unwrap_or(&1) as f32;
                let residual = tensor.name.ends_with("o_proj.weight") || tensor.name.ends_with("down_proj.weight");
                let std = match tensor.name.as_str() {
                    "model.embed_tokens.weight" | "lm_head.weight" => scale.embedding,
                    _ => scale.projection / fan_in.sqrt() / if residual { depth } else { 1.0 },
                };
                out.iter_mut().for_each(|w| *w = std * normal(&mut rng));
            }
        }
        model
    }

    /// Read a checkpoint's folder. Every tensor is checked for presence, shape and finiteness.
    pub fn load(dir: &Path) -> Result<Self, LmError> {
        let config = DecoderConfig::load(dir)?;
        let layout = Layout::new(&config);
        let weights = Weights::load(dir, "model")?;
        // Grows with what was found, so that a configuration that promises too much asks for no memory.
        let mut params = Vec::new();
        for tensor in &layout.tensors {
            params.extend_from_slice(weights.get(&tensor.name, &tensor.shape)?);
        }
        Ok(Self { config, layout, params })
    }

    /// Write `config.json` and `model.safetensors`; `transformers` loads them.
    pub fn save(&self, dir: &Path) -> Result<(), LmError> {
        std::fs::create_dir_all(dir).map_err(LmError::file("create", dir))?;
        self.config.save(dir)?;
        let tensors: Vec<_> = self
            .layout
            .tensors
            .iter()
            .map(|tensor| (tensor.name.clone(), tensor.shape.clone(), &self.params[tensor.span.clone()]))
            .collect();
        weights::save(&dir.join("model.safetensors"), &tensors)
    }

    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.params.len()
    }

    /// A word's vector in the output matrix, which with tied embeddings is the input's too, `[hidden]`.
    pub fn word(&self, id: u32) -> &[f32] {
        &self.params[self.word_span(id)]
    }

    /// Replace it by another of that length.
    pub fn set_word(&mut self, id: u32, vector: &[f32]) {
        let span = self.word_span(id);
        self.params[span].copy_from_slice(vector);
    }

    fn word_span(&self, id: u32) -> Span {
        let (start, width) = (self.layout.head.start + id as usize * self.config.hidden_size, self.config.hidden_size);
        start..start + width
    }

    pub(crate) fn heads(&self) -> Heads {
        Heads {
            query: self.config.num_attention_heads,
            key: self.config.num_key_value_heads,
            dim: self.config.head_dim,
        }
    }

    pub(crate) fn span(&self, span: &Span) -> &[f32] {
        &self.params[span.clone()]
    }

    /// Logits at every row's last token for the given words, `[rows, ids.len()]`.
    pub fn last_logits(&self, rows: &Rows, ids: &[u32], threads: usize) -> Vec<f32> {
        let head = self.head_rows(ids);
        self.in_chunks(rows, threads, 512, |tape, chunk, _| {
            last_states(self, chunk, tape);
            let mut out = vec![0.0; chunk.len() * ids.len()];
            gemm::nt(&mut out, &tape.last, &head, (chunk.len(), self.config.hidden_size, ids.len()), false);
            out
        })
    }

    /// The likeliest next word of every row, `[rows]`.
    pub fn next_token(&self, rows: &Rows, threads: usize) -> Vec<u32> {
        let ids: Vec<u32> = (0..self.config.vocab_size as u32).collect();
        let logits = self.last_logits(rows, &ids, threads);
        let best = |row: &[f32]| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0) as u32;
        logits.chunks_exact(ids.len()).map(best).collect()
    }

    /// Log-probability of every token given those before it, `[tokens]`; 0 for a row's first.
    pub fn log_probs(&self, rows: &Rows, threads: usize) -> Vec<f32> {
        let (d, vocab) = (self.config.hidden_size, self.config.vocab_size);
        self.in_chunks(rows, threads, 2048, |tape, chunk, _| {
            forward(self, chunk, tape, false);
            let mut logits = vec![0.0; chunk.tokens.len() * vocab];
            gemm::nt(&mut logits, &tape.normed, self.span(&self.layout.head), (chunk.tokens.len(), d, vocab), false);
            let mut out = vec![0.0; chunk.tokens.len()];
            for row in chunk.offsets.windows(2) {
                for i in row[0] + 1..row[1] {
                    let before = &logits[(i - 1) * vocab..i * vocab];
                    out[i] = before[chunk.tokens[i] as usize] - log_sum_exp(before);
                }
            }
            out
        })
    }

    /// Hidden states after the given layers (0 = embeddings, the last one is after the final norm), pooled:
    /// `[rows, layers.len() * hidden]`.
    pub fn hidden(&self, rows: &Rows, layers: &[usize], pool: Pooling, threads: usize) -> Vec<f32> {
        let d = self.config.hidden_size;
        let last = self.config.num_hidden_layers;
        self.in_chunks(rows, threads, 2048, |tape, chunk, _| {
            forward(self, chunk, tape, false);
            let mut out = Vec::with_capacity(chunk.len() * layers.len() * d);
            for row in chunk.offsets.windows(2) {
                for &layer in layers {
                    let states = if layer >= last { &tape.normed } else { &tape.layers[layer].input };
                    let tokens = match pool {
                        Pooling::Last => row[1] - 1..row[1],
                        Pooling::Mean => row[0]..row[1],
                    };
                    let share = 1.0 / tokens.len() as f32;
                    let start = out.len();
                    out.resize(start + d, 0.0);
                    for token in tokens {
                        aar_kernels::simd::axpy(&mut out[start..], share, &states[token * d..(token + 1) * d]);
                    }
                }
            }
            out
        })
    }

    /// The head's rows of some words, `[ids.len(), hidden]`.
    pub(crate) fn head_rows(&self, ids: &[u32]) -> Vec<f32> {
        let (head, d) = (self.span(&self.layout.head), self.config.hidden_size);
        ids.iter().flat_map(|&id| &head[id as usize * d..(id as usize + 1) * d]).copied().collect()
    }

    /// Run over chunks of rows of about `tokens` (enough for full speed, few enough for the cache), on at most `threads`
    /// threads, and lay the results end to end. `run` also gets the number of its chunk's first row.
    pub(crate) fn in_chunks<T: Send>(
        &self,
        rows: &Rows,
        threads: usize,
        tokens: usize,
        run: impl Fn(&mut Tape, &Rows, usize) -> Vec<T> + Sync,
    ) -> Vec<T> {
        let points = rows.split_points(rows.tokens.len().div_ceil(tokens).max(1));
        let chunks: Vec<(Rows, usize)> =
            points.windows(2).map(|bounds| (rows.slice(bounds[0]..bounds[1]), bounds[0])).collect();
        let share = chunks.len().div_ceil(threads.max(1)).max(1);
        let work = |part: &[(Rows, usize)]| -> (Vec<T>, u64) {
            let before = gemm::take_operations();
            let mut tape = Tape::default();
            let out = part.iter().flat_map(|(chunk, first)| run(&mut tape, chunk, *first)).collect();
            let counted = gemm::take_operations();
            gemm::add_operations(before);
            (out, counted)
        };
        let parts: Vec<(Vec<T>, u64)> = if chunks.len() <= share {
            vec![work(&chunks)]
        } else {
            std::thread::scope(|scope| {
                let handles: Vec<_> = chunks.chunks(share).map(|part| scope.spawn(|| work(part))).collect();
                handles.into_iter().map(|handle| handle.join().expect("an inference thread does not panic")).collect()
            })
        };
        gemm::add_operations(parts.iter().map(|(_, counted)| counted).sum());
        parts.into_iter().flat_map(|(out, _)| out).collect()
    }
}

/// log Σ exp, shifted by the maximum.
pub(crate) fn log_sum_exp(logits: &[f32]) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    top + logits.iter().map(|logit| (logit - top).exp()).sum::<f32>().ln()
}

/// Box and Muller's normal deviate.
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let (u, v): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}
