//! Files that strangers wrote: whatever lies in them, reading gives a model or an error, never a panic, and what was
//! read can be run.

mod damage;

use aar_lm::{Adapter, Decoder, Encoder, Rows, Tokenizer};
use damage::{Damage, damage};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A copy of a fixture in which `file` is damaged.
fn damaged(name: &str, file: &str, damage: &Damage) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let from = entry.unwrap().path();
        let bytes = fs::read(&from).unwrap();
        let name = from.file_name().unwrap();
        fs::write(dir.path().join(name), if name == file { damage.apply(&bytes) } else { bytes }).unwrap();
    }
    dir
}

fn rows() -> Rows {
    [[1u32, 2, 3].as_slice(), &[4, 5]].into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn checkpoints(damage in damage(), qwen3: bool, weights: bool) {
        let file = if weights { "model.safetensors" } else { "config.json" };
        let dir = damaged(if qwen3 { "qwen3" } else { "qwen2" }, file, &damage);
        if let Ok(model) = Decoder::load(dir.path()) {
            prop_assert_eq!(model.last_logits(&rows(), &[0, 1], 1).len(), 4);
        }
    }

    #[test]
    fn adapters(damage in damage(), weights: bool) {
        let model = Decoder::load(&fixture("qwen3")).unwrap();
        let file = if weights { "adapter_model.safetensors" } else { "adapter_config.json" };
        let dir = damaged("qwen3-adapter", file, &damage);
        if let Ok(adapter) = Adapter::load(&model, dir.path()) {
            prop_assert_eq!(model.with_adapter(&adapter).last_logits(&rows(), &[0], 1).len(), 2);
        }
    }

    #[test]
    fn encoders(damage in damage(), weights: bool) {
        let file = if weights { "model.safetensors" } else { "config.json" };
        let dir = damaged("bert", file, &damage);
        if let Ok(model) = Encoder::load(dir.path()) {
            prop_assert!(!model.embed(&rows(), &[0], 1).is_empty());
        }
    }

    #[test]
    fn tokenizers(damage in damage(), text in ".{0,40}") {
        let dir = tempfile::tempdir().unwrap();
        let words: Vec<String> = (0..50).map(|i| format!("word{i}")).collect();
        Tokenizer::word_level(&words).unwrap().save(dir.path()).unwrap();
        let path = dir.path().join("tokenizer.json");
        fs::write(&path, damage.apply(&fs::read(&path).unwrap())).unwrap();
        if let Ok(tokenizer) = Tokenizer::load(dir.path()) {
            let _ = tokenizer.encode(&text);
        }
    }
}
