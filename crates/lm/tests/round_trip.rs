//! What we save, transformers and peft load with equal logits. Needs a Python that has both: `AAR_PYTHON` names it.
#![allow(clippy::print_stdout)]

use aar_lm::{AdamW, Decoder, DecoderConfig, InitScale, LoraConfig, Rows, Schedule, Scope, Trainer};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = r#"
import json, sys, torch
from transformers import AutoModelForCausalLM
folder, adapter, rows = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
if adapter:
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, adapter).eval()
with torch.no_grad():
    print("LOGITS" + json.dumps([model(torch.tensor([row])).logits[0, -1].tolist() for row in rows]))
"#;

fn config(qk_norm: bool) -> DecoderConfig {
    DecoderConfig {
        vocab_size: 37,
        hidden_size: 32,
        intermediate_size: 48,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 8,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tie_word_embeddings: true,
        qkv_bias: !qk_norm,
        qk_norm,
        max_position_embeddings: 64,
    }
}

fn theirs(python: &str, folder: &Path, adapter: Option<&Path>, rows: &[Vec<u32>]) -> Vec<f32> {
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(folder)
        .arg(adapter.map_or("".as_ref(), Path::as_os_str))
        .arg(serde_json::to_string(rows).unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("LOGITS"));
    let line = line.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str::<Vec<Vec<f32>>>(line).unwrap().concat()
}

#[test]
fn saved_checkpoints_and_adapters_load_in_transformers_and_peft() {
    let Ok(python) = std::env::var("AAR_PYTHON") else {
        println!("skipped: AAR_PYTHON names no Python with torch, transformers and peft");
        return;
    };
    let rows: Vec<Vec<u32>> = vec![vec![3, 1, 4, 1, 5], vec![9, 2], vec![6, 5, 3, 5, 8, 9, 7]];
    let ragged: Rows = rows.iter().collect();
    let ids: Vec<u32> = (0..37).collect();
    let close = |ours: &[f32], theirs: &[f32], what: &str| {
        assert_eq!(ours.len(), theirs.len());
        let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{what}: off by {worst}");
    };
    for qk_norm in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let (base, adapted) = (dir.path().join("base"), dir.path().join("adapter"));
        let model = Decoder::init(config(qk_norm), &InitScale::default(), 5);
        model.save(&base).unwrap();
        close(&model.last_logits(&ragged, &ids, 1), &theirs(&python, &base, None, &rows), "checkpoint");
        let optimizer = AdamW { lr: 1e-2, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, clip: Some(1.0) };
        let scope = Scope::Lora(LoraConfig::all(4, 8.0));
        let mut trainer = Trainer::new(model.clone(), scope, optimizer, Schedule::Constant, 1, 7);
        for _ in 0..5 {
            trainer.step_next_token(&ragged, &vec![1.0; ragged.tokens.len()]).unwrap();
        }
        let adapter = trainer.adapter().unwrap();
        adapter.save(&adapted).unwrap();
        let ours = model.with_adapter(adapter).last_logits(&ragged, &ids, 1);
        let plain = model.last_logits(&ragged, &ids, 1);
        assert!(ours.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 1e-2), "the adapter does something");
        close(&ours, &theirs(&python, &base, Some(&adapted), &rows), "adapter");
    }
}

#[test]
fn broken_checkpoints_are_refused_by_file_and_tensor() {
    let dir = tempfile::tempdir().unwrap();
    Decoder::init(config(true), &InitScale::default(), 5).save(dir.path()).unwrap();
    let weights = dir.path().join("model.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    let refused = |expect: &str| {
        let error = Decoder::load(dir.path()).err().unwrap().to_string();
        assert!(error.contains(expect), "{error:?} does not say {expect:?}");
    };
    std::fs::write(&weights, &whole[..whole.len() / 2]).unwrap();
    refused("model.safetensors is not a whole safetensors file");
    std::fs::write(&weights, "").unwrap();
    refused("model.safetensors");
    std::fs::remove_file(&weights).unwrap();
    refused("model.safetensors");
    let mut broken = whole.clone();
    let at = broken.len() - 4;
    broken[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&weights, &broken).unwrap();
    refused("holds NaN or infinity");
    std::fs::write(&weights, &whole).unwrap();
    let settings = dir.path().join("config.json");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")).unwrap();
    refused("layers.2");
    std::fs::write(&settings, text.replace("\"intermediate_size\": 48", "\"intermediate_size\": 50")).unwrap();
    refused("the configuration asks for");
    std::fs::write(&settings, "{").unwrap();
    refused("config.json");
}
