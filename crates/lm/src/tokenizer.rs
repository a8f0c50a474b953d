//! `tokenizer.json`.

use crate::error::LmError;
use std::path::{Path, PathBuf};
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;

/// A Hugging Face tokenizer.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: PathBuf,
}

impl Tokenizer {
    /// Read `dir/tokenizer.json`. Truncation and padding settings of the file are switched off.
    pub fn load(dir: &Path) -> Result<Self, LmError> {
        let path = dir.join("tokenizer.json");
        let text = std::fs::read(&path).map_err(LmError::file("read", &path))?;
        let wrong = |detail: String| LmError::Tokenizer { path: path.clone(), detail };
        // The library panics on some files that are cut short or have a decoder it does not know.
        serde_json::from_slice::<serde_json::Value>(&text).map_err(|error| wrong(error.to_string()))?;
        let mut inner = std::panic::catch_unwind(|| tokenizers::Tokenizer::from_bytes(text))
            .map_err(|_| wrong("a part of it is not of any known form".into()))?
            .map_err(|error| wrong(error.to_string()))?;
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|error| LmError::Tokenizer { path: path.clone(), detail: error.to_string() })?;
        Ok(Self { inner, path })
    }

    /// One token per word of the list, split at white space; id = place in the list. The first word stands for unknown ones.
    pub fn word_level(words: &[String]) -> Result<Self, LmError> {
        let path = PathBuf::from("tokenizer.json");
        let wrong = |error: tokenizers::Error| LmError::Tokenizer { path: path.clone(), detail: error.to_string() };
        let vocab = words.iter().enumerate().map(|(id, word)| (word.clone(), id as u32)).collect();
        let unknown = words.first().cloned().unwrap_or_default();
        let model = WordLevel::builder().vocab(vocab).unk_token(unknown).build().map_err(wrong)?;
        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_pre_tokenizer(Some(WhitespaceSplit));
        Ok(Self { inner, path })
    }

    /// Write `dir/tokenizer.json`.
    pub fn save(&self, dir: &Path) -> Result<(), LmError> {
        let path = dir.join("tokenizer.json");
        self.inner
            .save(&path, true)
            .map_err(|error| LmError::Tokenizer { path: path.clone(), detail: error.to_string() })
    }

    /// Number of words.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Token ids without special tokens.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, LmError> {
        self.run(text, false)
    }

    /// Token ids with the model's special tokens (`[CLS] … [SEP]`).
    pub fn encode_special(&self, text: &str) -> Result<Vec<u32>, LmError> {
        self.run(text, true)
    }

    fn run(&self, text: &str, special: bool) -> Result<Vec<u32>, LmError> {
        let encoding = self.inner.encode_fast(text, special);
        encoding
            .map(|encoding| encoding.get_ids().to_vec())
            .map_err(|error| LmError::Tokenizer { path: self.path.clone(), detail: error.to_string() })
    }

    /// The id of a word that is one token.
    pub fn id_of(&self, word: &str) -> Option<u32> {
        self.inner.token_to_id(word)
    }
}
