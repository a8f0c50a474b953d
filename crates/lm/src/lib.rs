//! Read, train, save, run and probe a transformer. Knows nothing of teachers, truth, PGR or HTTP.
//!
//! Sequences are *ragged* ([`rows::Rows`]): tokens laid end to end, no padding. `config` and `weights` read and write Hugging
//! Face's files; `decoder` runs a Qwen2 or Qwen3 model and `forward`/`backward` are its two passes; `trainer` turns a
//! loss's gradient in the logits into an AdamW step; `lora` trains low-rank adapters; `sample` continues rows; `encoder` runs a BERT.

pub mod backward;
pub mod config;
pub mod decoder;
pub mod encoder;
pub mod error;
pub mod forward;
mod infer;
pub mod lora;
pub mod ops;
pub mod optimizer;
pub mod rows;
mod sample;
pub mod tokenizer;
pub mod trainer;
pub mod weights;

pub use config::{DecoderConfig, EncoderConfig};
pub use decoder::{Decoder, InitScale, Pooling, normal};
pub use encoder::Encoder;
pub use error::LmError;
pub use lora::{Adapter, LoraConfig};
pub use optimizer::{AdamW, Schedule};
pub use rows::Rows;
pub use tokenizer::Tokenizer;
pub use trainer::{Scope, StepReport, Trainer};
