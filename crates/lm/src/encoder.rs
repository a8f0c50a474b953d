//! BERT-family encoders (Devlin et al. 2019) as frozen features.

use crate::config::EncoderConfig;
use crate::error::LmError;
use crate::rows::Rows;
use crate::weights::Weights;
use aar_kernels::attention::Heads;
use aar_kernels::{bert, gemm};
use std::path::Path;

/// `y = x Wᵀ + b`.
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    q: Linear,
    k: Linear,
    v: Linear,
    attention: Linear,
    norm1: Norm,
    up: Linear,
    down: Linear,
    norm2: Norm,
}

/// An encoder with its weights; never trained.
pub struct Encoder {
    /// Its architecture.
    pub config: EncoderConfig,
    words: Vec<f32>,
    positions: Vec<f32>,
    segment: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Reader<'a> {
    weights: &'a Weights,
    prefix: &'static str,
}

impl Reader<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LmError> {
        Ok(self.weights.get(&format!("{}{name}", self.prefix), shape)?.to_vec())
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, LmError> {
        let weight = self.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Linear { weight, bias: self.tensor(&format!("{name}.bias"), &[outputs])? })
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, LmError> {
        let weight = self.tensor(&format!("{name}.weight"), &[width])?;
        Ok(Norm { weight, bias: self.tensor(&format!("{name}.bias"), &[width])? })
    }
}

impl Encoder {
    /// Read a checkpoint's folder.
    pub fn load(dir: &Path) -> Result<Self, LmError> {
        let config = EncoderConfig::load(dir)?;
        let weights = Weights::load(dir, "model")?;
        let prefix = if weights.has("bert.embeddings.word_embeddings.weight") { "bert." } else { "" };
        let read = Reader { weights: &weights, prefix };
        let (d, f) = (config.hidden_size, config.intermediate_size);
        let layers = (0..config.num_hidden_layers).map(|i| {
            let at = |name: &str| format!("encoder.layer.{i}.{name}");
            Ok(Layer {
                q: read.linear(&at("attention.self.query"), d, d)?,
                k: read.linear(&at("attention.self.key"), d, d)?,
                v: read.linear(&at("attention.self.value"), d, d)?,
                attention: read.linear(&at("attention.output.dense"), d, d)?,
                norm1: read.norm(&at("attention.output.LayerNorm"), d)?,
                up: read.linear(&at("intermediate.dense"), d, f)?,
                down: read.linear(&at("output.dense"), f, d)?,
                norm2: read.norm(&at("output.LayerNorm"), d)?,
            })
        });
        let layers = layers.collect::<Result<_, LmError>>()?;
        Ok(Self {
            words: read.tensor("embeddings.word_embeddings.weight", &[config.vocab_size, d])?,
            positions: read.tensor("embeddings.position_embeddings.weight", &[config.max_position_embeddings, d])?,
            segment: read.tensor("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, d])?[..d]
                .to_vec(),
            norm: read.norm("embeddings.LayerNorm", d)?,
            layers,
            config,
        })
    }

    /// Hidden states after the given layers (0 = embeddings), mean over a row's tokens: `[rows, layers.len() * hidden]`.
    /// Rows longer than the model's positions must have been cut by the caller.
    pub fn embed(&self, rows: &Rows, layers: &[usize], threads: usize) -> Vec<f32> {
        /// Tokens per pass.
        const TOKENS: usize = 1024;
        let points = rows.split_points(rows.tokens.len().div_ceil(TOKENS).max(1));
        let chunks: Vec<Rows> = points.windows(2).map(|bounds| rows.slice(bounds[0]..bounds[1])).collect();
        let share = chunks.len().div_ceil(threads.max(1)).max(1);
        let work = |part: &[Rows]| -> (Vec<f32>, u64) {
            let before = gemm::take_operations();
            let out = part.iter().flat_map(|chunk| self.pooled(chunk, layers)).collect();
            let counted = gemm::take_operations();
            gemm::add_operations(before);
            (out, counted)
        };
        let parts: Vec<(Vec<f32>, u64)> = std::thread::scope(|scope| {
            let (first, others) = chunks.split_at(share.min(chunks.len()));
            let handles: Vec<_> = others.chunks(share).map(|part| scope.spawn(|| work(part))).collect();
            let mut parts = vec![work(first)];
            parts.extend(handles.into_iter().map(|handle| handle.join().expect("an embedding thread does not panic")));
            parts
        });
        gemm::add_operations(parts.iter().map(|(_, counted)| counted).sum());
        parts.into_iter().flat_map(|(out, _)| out).collect()
    }

    fn pooled(&self, rows: &Rows, layers: &[usize]) -> Vec<f32> {
        let d = self.config.hidden_size;
        let mut out = vec![0.0; rows.len() * layers.len() * d];
        let mut keep = |layer: usize, x: &[f32]| {
            for (slot, _) in layers.iter().enumerate().filter(|&(_, &wanted)| wanted == layer) {
                for (row, bounds) in rows.offsets.windows(2).enumerate() {
                    let place = &mut out[(row * layers.len() + slot) * d..][..d];
                    let share = 1.0 / (bounds[1] - bounds[0]).max(1) as f32;
                    for token in bounds[0]..bounds[1] {
                        aar_kernels::simd::axpy(place, share, &x[token * d..][..d]);
                    }
                }
            }
        };
        let mut x = self.embeddings(rows);
        keep(0, &x);
        let deepest = layers.iter().copied().max().unwrap_or(0);
        for (i, layer) in self.layers.iter().enumerate().take(deepest) {
            self.layer(layer, rows, &mut x);
            keep(i + 1, &x);
        }
        out
    }

    fn embeddings(&self, rows: &Rows) -> Vec<f32> {
        let d = self.config.hidden_size;
        let mut x = vec![0.0; rows.tokens.len() * d];
        for bounds in rows.offsets.windows(2) {
            for (position, token) in (bounds[0]..bounds[1]).enumerate() {
                let out = &mut x[token * d..][..d];
                out.copy_from_slice(&self.words[rows.tokens[token] as usize * d..][..d]);
                aar_kernels::simd::axpy(out, 1.0, &self.positions[position * d..][..d]);
                aar_kernels::simd::axpy(out, 1.0, &self.segment);
            }
        }
        bert::layer_norm(&mut x, &self.norm.weight, &self.norm.bias, self.config.layer_norm_eps);
        x
    }

    fn layer(&self, layer: &Layer, rows: &Rows, x: &mut [f32]) {
        let (n, d) = (rows.tokens.len(), self.config.hidden_size);
        let heads = self.config.num_attention_heads;
        let heads = Heads { query: heads, key: heads, dim: d / heads };
        let (q, k, v) = (layer.q.apply(x, n), layer.k.apply(x, n), layer.v.apply(x, n));
        let mut attended = vec![0.0; n * d];
        bert::attend(&mut attended, &mut vec![0.0; rows.longest()], &q, &k, &v, &rows.offsets, heads);
        aar_kernels::simd::axpy(x, 1.0, &layer.attention.apply(&attended, n));
        bert::layer_norm(x, &layer.norm1.weight, &layer.norm1.bias, self.config.layer_norm_eps);
        let mut wide = layer.up.apply(x, n);
        bert::gelu(&mut wide);
        aar_kernels::simd::axpy(x, 1.0, &layer.down.apply(&wide, n));
        bert::layer_norm(x, &layer.norm2.weight, &layer.norm2.bias, self.config.layer_norm_eps);
    }
}

impl Linear {
    fn apply(&self, x: &[f32], n: usize) -> Vec<f32> {
        let outputs = self.bias.len();
        let mut y: Vec<f32> = (0..n).flat_map(|_| &self.bias).copied().collect();
        gemm::nt(&mut y, x, &self.weight, (n, self.weight.len() / outputs, outputs), true);
        y
    }
}
