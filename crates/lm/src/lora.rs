//! Low-rank adapters (Hu et al. 2022) in PEFT's names and file format.

use crate::decoder::{Decoder, Span, normal};
use crate::error::LmError;
use crate::weights::{self, Weights};
use aar_kernels::gemm;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::Path;

/// An adapter's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraConfig {
    /// Rank.
    pub rank: usize,
    /// Scale times rank.
    pub alpha: f32,
    /// Projections by their short names (`q_proj`, …, `down_proj`).
    pub targets: Vec<String>,
}

impl LoraConfig {
    /// All seven projections.
    pub fn all(rank: usize, alpha: f32) -> Self {
        let names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        Self { rank, alpha, targets: names.map(str::to_owned).to_vec() }
    }

    fn scale(&self) -> f32 {
        self.alpha / self.rank as f32
    }
}

/// One adapted matrix `W + scale · B A`; `A [rank, in]`, `B [out, rank]`.
#[derive(Clone, Debug)]
struct Pair {
    name: String,
    base: Span,
    a: Span,
    b: Span,
    rows: usize,
    columns: usize,
}

/// An adapter with its weights.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Its settings.
    pub config: LoraConfig,
    pairs: Vec<Pair>,
    pub(crate) params: Vec<f32>,
}

impl Adapter {
    fn empty(model: &Decoder, config: LoraConfig) -> Self {
        let mut total = 0;
        let mut take = |len: usize| {
            total += len;
            total - len..total
        };
        let mut pairs = Vec::new();
        for tensor in &model.layout.tensors {
            let Some(name) = tensor.name.strip_suffix(".weight") else {
                continue;
            };
            let short = name.rsplit('.').next().unwrap_or_default();
            if let (true, [rows, columns]) = (config.targets.iter().any(|target| target == short), &tensor.shape[..]) {
                let (a, b) = (take(config.rank * columns), take(rows * config.rank));
                pairs.push(Pair {
                    name: name.to_owned(),
                    base: tensor.span.clone(),
                    a,
                    b,
                    rows: *rows,
                    columns: *columns,
                });
            }
        }
        Self { config, pairs, params: vec![0.0; total] }
    }

    /// A fresh adapter that changes nothing yet: A uniform as PEFT's (Kaiming with √5), B zero.
    pub fn init(model: &Decoder, config: LoraConfig, seed: u64) -> Self {
        let mut adapter = Self::empty(model, config);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for pair in &adapter.pairs {
            // A normal of the variance of U(−1/√in, 1/√in).
            let std = (1.0 / (3.0 * pair.columns as f32)).sqrt();
            adapter.params[pair.a.clone()].iter_mut().for_each(|w| *w = std * normal(&mut rng));
        }
        adapter
    }

    /// Write the adapted weights over those of `out`, a copy of `base`.
    pub(crate) fn merge_into(&self, base: &Decoder, out: &mut Decoder) {
        for pair in &self.pairs {
            let scaled: Vec<f32> = self.params[pair.b.clone()].iter().map(|b| b * self.config.scale()).collect();
            let place = &mut out.params[pair.base.clone()];
            place.copy_from_slice(&base.params[pair.base.clone()]);
            gemm::nn(place, &scaled, &self.params[pair.a.clone()], (pair.rows, self.config.rank, pair.columns), true);
        }
    }

    /// From the gradient of the merged weights to that of A and B: dA = s Bᵀ dW, dB = s dW Aᵀ.
    pub(crate) fn project(&self, model: &Decoder, grads: &[f32]) -> Vec<f32> {
        debug_assert_eq!(grads.len(), model.parameter_count());
        let (rank, scale) = (self.config.rank, self.config.scale());
        let mut out = vec![0.0; self.params.len()];
        for pair in &self.pairs {
            let dw = &grads[pair.base.clone()];
            gemm::tn(
                &mut out[pair.a.clone()],
                &self.params[pair.b.clone()],
                dw,
                (rank, pair.rows, pair.columns),
                false,
            );
            gemm::nt(
                &mut out[pair.b.clone()],
                dw,
                &self.params[pair.a.clone()],
                (pair.rows, pair.columns, rank),
                false,
            );
        }
        out.iter_mut().for_each(|g| *g *= scale);
        out
    }

    /// Write `adapter_config.json` and `adapter_model.safetensors`; PEFT loads them.
    pub fn save(&self, dir: &Path) -> Result<(), LmError> {
        std::fs::create_dir_all(dir).map_err(LmError::file("create", dir))?;
        let value = json!({
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": null, "inference_mode": true,
            "r": self.config.rank, "lora_alpha": self.config.alpha, "lora_dropout": 0.0, "bias": "none",
            "target_modules": self.config.targets, "fan_in_fan_out": false, "use_rslora": false,
        });
        let path = dir.join("adapter_config.json");
        std::fs::write(&path, format!("{value:#}\n")).map_err(LmError::file("write", &path))?;
        let rank = self.config.rank;
        let tensors: Vec<_> = self
            .pairs
            .iter()
            .flat_map(|pair| {
                let name = format!("base_model.model.{}", pair.name);
                [
                    (format!("{name}.lora_A.weight"), vec![rank, pair.columns], &self.params[pair.a.clone()]),
                    (format!("{name}.lora_B.weight"), vec![pair.rows, rank], &self.params[pair.b.clone()]),
                ]
            })
            .collect();
        weights::save(&dir.join("adapter_model.safetensors"), &tensors)
    }

    /// Read an adapter for `model`.
    pub fn load(model: &Decoder, dir: &Path) -> Result<Self, LmError> {
        let path = dir.join("adapter_config.json");
        let text = std::fs::read(&path).map_err(LmError::file("read", &path))?;
        let wrong = |detail: &str| LmError::Config { path: path.clone(), detail: detail.to_owned() };
        let value: Value = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
        if value["peft_type"] != "LORA" || value["use_rslora"] == true || value["fan_in_fan_out"] == true {
            return Err(wrong("only plain LORA adapters are supported"));
        }
        let rank =
            value["r"].as_u64().filter(|rank| (1..=1024).contains(rank)).ok_or_else(|| wrong("r must be 1 to 1024"))?;
        let alpha =
            value["lora_alpha"].as_f64().filter(|alpha| alpha.is_finite()).ok_or_else(|| wrong("no lora_alpha"))?;
        let targets = value["target_modules"].as_array().ok_or_else(|| wrong("target_modules must be a list"))?;
        let targets = targets.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let config = LoraConfig { rank: rank as usize, alpha: alpha as f32, targets };
        let mut adapter = Self::empty(model, config);
        let weights = Weights::load(dir, "adapter_model")?;
        let rank = adapter.config.rank;
        for pair in &adapter.pairs {
            let name = format!("base_model.model.{}", pair.name);
            let a = weights.get(&format!("{name}.lora_A.weight"), &[rank, pair.columns])?;
            adapter.params[pair.a.clone()].copy_from_slice(a);
            let b = weights.get(&format!("{name}.lora_B.weight"), &[pair.rows, rank])?;
            adapter.params[pair.b.clone()].copy_from_slice(b);
        }
        Ok(adapter)
    }
}

impl Decoder {
    /// A copy with an adapter merged in.
    pub fn with_adapter(&self, adapter: &Adapter) -> Decoder {
        let mut merged = self.clone();
        adapter.merge_into(self, &mut merged);
        merged
    }
}
