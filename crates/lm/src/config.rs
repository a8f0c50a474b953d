//! Hugging Face's `config.json` for the architectures that are supported.

use crate::error::LmError;
use serde_json::{Map, Value, json};
use std::path::Path;

/// A Qwen2 or Qwen3 decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct DecoderConfig {
    /// Words.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads.
    pub num_key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Added under the root of every norm.
    pub rms_norm_eps: f32,
    /// Base of the rotary angles.
    pub rope_theta: f32,
    /// Whether the head is the embedding.
    pub tie_word_embeddings: bool,
    /// Biases of the q, k and v projections (Qwen2).
    pub qkv_bias: bool,
    /// Norms of queries and keys per head (Qwen3).
    pub qk_norm: bool,
    /// Longest sequence.
    pub max_position_embeddings: usize,
}

/// A BERT encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    /// Words.
    pub vocab_size: usize,
    /// Width.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads.
    pub num_attention_heads: usize,
    /// Added under the root of every norm.
    pub layer_norm_eps: f32,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Segments.
    pub type_vocab_size: usize,
}

/// No count of a model is larger; products of a few of them fit into 64 bits.
const MAX_COUNT: u64 = 1 << 22;
/// No model has more layers.
const MAX_LAYERS: usize = 1024;

struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: &'a Path,
}

impl Fields<'_> {
    fn wrong(&self, detail: String) -> LmError {
        LmError::Config { path: self.path.to_owned(), detail }
    }

    fn count(&self, key: &str) -> Result<usize, LmError> {
        let value = self.map.get(key).ok_or_else(|| self.wrong(format!("no {key:?}")))?;
        match value.as_u64() {
            Some(count) if (1..=MAX_COUNT).contains(&count) => Ok(count as usize),
            _ => Err(self.wrong(format!("{key:?} is {value}, a count from 1 to {MAX_COUNT} is needed"))),
        }
    }

    fn count_or(&self, key: &str, default: usize) -> Result<usize, LmError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(_) => self.count(key),
        }
    }

    fn layers(&self) -> Result<usize, LmError> {
        match self.count("num_hidden_layers")? {
            layers if layers <= MAX_LAYERS => Ok(layers),
            layers => Err(self.wrong(format!("num_hidden_layers is {layers}, at most {MAX_LAYERS} are possible"))),
        }
    }

    fn number_or(&self, key: &str, default: f32) -> f32 {
        self.map.get(key).and_then(Value::as_f64).map_or(default, |number| number as f32)
    }
}

fn read_json(path: &Path) -> Result<Map<String, Value>, LmError> {
    let text = std::fs::read(path).map_err(LmError::file("read", path))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(LmError::Config { path: path.to_owned(), detail: "is not a JSON object".into() }),
        Err(error) => Err(LmError::Config { path: path.to_owned(), detail: error.to_string() }),
    }
}

fn model_type(map: &Map<String, Value>) -> &str {
    map.get("model_type").and_then(Value::as_str).unwrap_or_default()
}

impl DecoderConfig {
    /// Read `dir/config.json`.
    pub fn load(dir: &Path) -> Result<Self, LmError> {
        let path = dir.join("config.json");
        let map = read_json(&path)?;
        let fields = Fields { map: &map, path: &path };
        let qwen3 = match model_type(&map) {
            "qwen2" => false,
            "qwen3" => true,
            other => {
                return Err(fields.wrong(format!("model_type {other:?} is not supported; qwen2 and qwen3 are")));
            }
        };
        let rope = map.get("rope_parameters").and_then(|rope| rope.get("rope_theta")).and_then(Value::as_f64);
        let scaled = map.get("rope_scaling").is_some_and(|value| !value.is_null());
        if scaled || map.get("use_sliding_window") == Some(&Value::Bool(true)) {
            return Err(fields.wrong("rope scaling and sliding windows are not supported".into()));
        }
        if map.get("hidden_act").and_then(Value::as_str).is_some_and(|name| name != "silu") {
            return Err(fields.wrong("hidden_act must be silu".into()));
        }
        let (hidden, heads) = (fields.count("hidden_size")?, fields.count("num_attention_heads")?);
        let key_heads = fields.count_or("num_key_value_heads", heads)?;
        let head_dim = fields.count_or("head_dim", hidden / heads)?;
        if (heads * head_dim) as u64 > MAX_COUNT {
            return Err(fields.wrong(format!("{heads} heads of {head_dim} are wider than any model")));
        }
        if heads % key_heads != 0 || head_dim % 2 != 0 {
            return Err(fields.wrong("query heads must be a multiple of key heads, and a head's width even".into()));
        }
        Ok(Self {
            vocab_size: fields.count("vocab_size")?,
            hidden_size: hidden,
            intermediate_size: fields.count("intermediate_size")?,
            num_hidden_layers: fields.layers()?,
            num_attention_heads: heads,
            num_key_value_heads: key_heads,
            head_dim,
            rms_norm_eps: fields.number_or("rms_norm_eps", 1e-6),
            rope_theta: rope.map_or_else(|| fields.number_or("rope_theta", 10_000.0), |theta| theta as f32),
            tie_word_embeddings: map.get("tie_word_embeddings") == Some(&Value::Bool(true)),
            qkv_bias: !qwen3 || map.get("attention_bias") == Some(&Value::Bool(true)),
            qk_norm: qwen3,
            max_position_embeddings: fields.count_or("max_position_embeddings", 32_768)?,
        })
    }

    /// Write `dir/config.json`.
    pub fn save(&self, dir: &Path) -> Result<(), LmError> {
        let (name, class) = if self.qk_norm { ("qwen3", "Qwen3ForCausalLM") } else { ("qwen2", "Qwen2ForCausalLM") };
        let value = json!({
            "architectures": [class],
            "model_type": name,
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "rms_norm_eps": self.rms_norm_eps,
            "rope_theta": self.rope_theta,
            "tie_word_embeddings": self.tie_word_embeddings,
            "attention_bias": self.qkv_bias && self.qk_norm,
            "max_position_embeddings": self.max_position_embeddings,
            "torch_dtype": "float32",
        });
        let path = dir.join("config.json");
        std::fs::write(&path, format!("{value:#}\n")).map_err(LmError::file("write", &path))
    }
}

impl EncoderConfig {
    /// Read `dir/config.json`.
    pub fn load(dir: &Path) -> Result<Self, LmError> {
        let path = dir.join("config.json");
        let map = read_json(&path)?;
        let fields = Fields { map: &map, path: &path };
        if model_type(&map) != "bert" {
            return Err(fields.wrong(format!("model_type {:?} is not supported; bert is", model_type(&map))));
        }
        if map.get("hidden_act").and_then(Value::as_str).is_some_and(|name| name != "gelu") {
            return Err(fields.wrong("hidden_act must be gelu".into()));
        }
        Ok(Self {
            vocab_size: fields.count("vocab_size")?,
            hidden_size: fields.count("hidden_size")?,
            intermediate_size: fields.count("intermediate_size")?,
            num_hidden_layers: fields.layers()?,
            num_attention_heads: fields.count("num_attention_heads")?,
            layer_norm_eps: fields.number_or("layer_norm_eps", 1e-12),
            max_position_embeddings: fields.count("max_position_embeddings")?,
            type_vocab_size: fields.count_or("type_vocab_size", 2)?,
        })
    }
}
