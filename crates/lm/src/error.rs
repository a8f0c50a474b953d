//! What can be wrong with a model's files or a training run.

use std::path::PathBuf;

/// An engine failure.
#[derive(Debug, thiserror::Error)]
pub enum LmError {
    /// A file could not be read or written.
    #[error("{step} {path}: {source}")]
    File {
        /// What was being done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// `config.json` is missing something, or is of a model that is not supported.
    #[error("{path}: {detail}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// A weights file is truncated or not safetensors.
    #[error("{path} is not a whole safetensors file: {detail}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        detail: String,
    },
    /// A tensor the configuration asks for is not there.
    #[error("{path} has no tensor {name}")]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// Hugging Face's name of the tensor.
        name: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("{path}: tensor {name} has shape {found:?}, the configuration asks for {expected:?}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The right shape.
        expected: Vec<usize>,
    },
    /// A tensor holds NaN or infinity.
    #[error("{path}: tensor {name} holds NaN or infinity")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// A tensor's element type is none of f32, f16, bf16.
    #[error("{path}: tensor {name} is {found}, only F32, F16 and BF16 are read")]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tokenizer could not be read, or does not fit the model.
    #[error("tokenizer {path}: {detail}")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The second half of a step without the first.
    #[error("no forward pass is waiting for its gradient: every backward pass follows a forward pass of its own")]
    NoForward,
    /// A gradient of another size than the logits it belongs to.
    #[error("the gradient has {found} values, the logits of the forward pass are {expected}")]
    Gradient {
        /// Its size.
        found: usize,
        /// The right size.
        expected: usize,
    },
    /// Training left the finite numbers.
    #[error("step {step}: the {what} is not finite; a smaller learning rate would be the first thing to try")]
    NonFinite {
        /// Step, from 1.
        step: usize,
        /// Loss or gradient norm.
        what: &'static str,
    },
}

impl LmError {
    /// For `map_err` on file operations.
    pub(crate) fn file(step: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| LmError::File { step, path, source }
    }
}
