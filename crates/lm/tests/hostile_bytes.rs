//! Files that strangers wrote: whatever lies in them, reading gives a model or an error, never a panic, and what was
//! read can be run.

use aar_lm::{Adapter, Decoder, Encoder, Rows, Tokenizer};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Damage to one file.
#[derive(Clone, Debug)]
enum Damage {
    /// Bytes flipped at relative places.
    Flip(Vec<(f64, u8)>),
    /// Only a first part is left.
    Cut(f64),
    /// A number of the text replaced by another one.
    Number(usize, String),
    /// Something else altogether.
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![
        Just("0".to_owned()),
        Just("-1".into()),
        Just("1e999".into()),
        Just("18446744073709551615".into()),
        Just("null".into()),
        Just("[]".into()),
        any::<u32>().prop_map(|n| n.to_string()),
        (1..200u32).prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
    ];
    prop_oneof![
        prop::collection::vec((0.0..1.0, 1..=255u8), 1..6).prop_map(Damage::Flip),
        (0.0..1.0).prop_map(Damage::Cut),
        (any::<prop::sample::Index>().prop_map(|index| index.index(64)), number)
            .prop_map(|(place, number)| Damage::Number(place, number)),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Damage::Replace),
    ]
}

impl Damage {
    fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let place = |share: f64| (share * bytes.len() as f64) as usize;
        match self {
            Damage::Flip(flips) => {
                let mut out = bytes.to_vec();
                for (share, mask) in flips {
                    // Most flips go into the first kilobyte, where lengths and shapes are.
                    let at = if *mask % 2 == 0 { place(*share) } else { (share * 1024.0) as usize };
                    if let Some(byte) = out.get_mut(at) {
                        *byte ^= mask;
                    }
                }
                out
            }
            Damage::Cut(share) => bytes[..place(*share)].to_vec(),
            Damage::Number(nth, number) => replace_number(bytes, *nth, number),
            Damage::Replace(other) => other.clone(),
        }
    }
}

/// The text with its `nth` run of digits (counted round) replaced.
fn replace_number(bytes: &[u8], nth: usize, number: &str) -> Vec<u8> {
    let head = bytes.len().min(20_000);
    let starts: Vec<usize> =
        (0..head).filter(|&i| bytes[i].is_ascii_digit() && (i == 0 || !bytes[i - 1].is_ascii_digit())).collect();
    let Some(&start) = starts.get(nth % starts.len().max(1)) else { return bytes.to_vec() };
    let len = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    [&bytes[..start], number.as_bytes(), &bytes[start + len..]].concat()
}

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
