//! The engine against `transformers` and `peft` (fixtures/make.py).

use aar_lm::{AdamW, Adapter, Decoder, Encoder, LoraConfig, Pooling, Rows, Schedule, Scope, Trainer};
use serde_json::Value;
use std::path::PathBuf;

const TOLERANCE: f32 = 1e-4;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn expectations(name: &str) -> Value {
    let text = std::fs::read(fixture(&format!("{name}.json"))).expect("fixture");
    serde_json::from_slice(&text).expect("fixture is JSON")
}

fn flat(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().expect("number") as f32],
    }
}

fn rows(value: &Value) -> Rows {
    let rows = value["rows"].as_array().expect("rows");
    rows.iter().map(|row| flat(row).into_iter().map(|id| id as u32).collect::<Vec<_>>()).collect()
}

fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < TOLERANCE, "{what}: off by {worst}");
}

fn all_words(model: &Decoder) -> Vec<u32> {
    (0..model.config.vocab_size as u32).collect()
}

/// Token weights as make.py sets them: by position in the row.
fn weights(rows: &Rows) -> Vec<f32> {
    rows.offsets.windows(2).flat_map(|row| (0..row[1] - row[0]).map(|i| 0.5 + (i % 3) as f32 / 2.0)).collect()
}

#[test]
fn logits_and_hidden_states() {
    for name in ["qwen2", "qwen3"] {
        let (model, expect) = (Decoder::load(&fixture(name)).expect("loads"), expectations(name));
        let rows = rows(&expect);
        for threads in [1, 2] {
            let logits = model.last_logits(&rows, &all_words(&model), threads);
            close(&logits, &flat(&expect["last_logits"]), name);
        }
        for (layer, states) in expect["last_hidden"].as_array().expect("layers").iter().enumerate() {
            close(&model.hidden(&rows, &[layer], Pooling::Last, 1), &flat(states), &format!("{name} layer {layer}"));
        }
    }
}

#[test]
fn log_probs_are_those_of_the_logits() {
    let (model, expect) = (Decoder::load(&fixture("qwen3")).expect("loads"), expectations("qwen3"));
    let row = rows(&expect).row(0).to_vec();
    let (before, word) = row.split_at(row.len() - 1);
    let logits = model.last_logits(&Rows::from_iter([before]), &all_words(&model), 1);
    let norm: f32 = logits.iter().map(|logit| logit.exp()).sum::<f32>().ln();
    let found = *model.log_probs(&Rows::from_iter([&row]), 1).last().expect("one per token");
    close(&[found], &[logits[word[0] as usize] - norm], "log-probability");
}

#[test]
fn sharded_weights_are_the_same_model() {
    let (whole, sharded) = (Decoder::load(&fixture("qwen3")), Decoder::load(&fixture("qwen3-sharded")));
    let (whole, sharded) = (whole.expect("loads"), sharded.expect("loads"));
    let rows = rows(&expectations("qwen3"));
    assert_eq!(whole.last_logits(&rows, &[1, 2], 1), sharded.last_logits(&rows, &[1, 2], 1));
}

#[test]
fn full_training_steps() {
    for name in ["qwen2", "qwen3"] {
        for threads in [1, 2] {
            let expect = expectations(name);
            let rows = rows(&expect);
            let optimizer = AdamW { lr: 1e-3, betas: (0.9, 0.95), eps: 1e-8, weight_decay: 0.1, clip: Some(1.0) };
            let model = Decoder::load(&fixture(name)).expect("loads");
            let mut trainer = Trainer::new(model, Scope::Full, optimizer, Schedule::Constant, threads, 0);
            let record: Vec<f32> = (0..6)
                .map(|_| trainer.step_next_token(&rows, &weights(&rows)).expect("finite"))
                .flat_map(|report| [report.loss, report.grad_norm])
                .collect();
            close(&record, &flat(&expect["full"]), &format!("{name} full, {threads} threads"));
        }
    }
}

#[test]
fn label_training_steps() {
    for name in ["qwen2", "qwen3"] {
        let expect = expectations(name);
        let rows = rows(&expect);
        let optimizer = AdamW { lr: 1e-3, betas: (0.9, 0.98), eps: 1e-8, weight_decay: 0.01, clip: Some(1.0) };
        let model = Decoder::load(&fixture(name)).expect("loads");
        let mut trainer = Trainer::new(model, Scope::Full, optimizer, Schedule::Constant, 1, 0);
        let targets = [0.9f32, 0.2, 0.5, 0.0];
        let mut loss = |logits: &[f32], dlogits: &mut [f32]| {
            let mut sum = 0.0;
            for (i, target) in targets.iter().enumerate() {
                let margin = logits[2 * i] - logits[2 * i + 1];
                let p = 1.0 / (1.0 + (-margin).exp());
                sum -= target * p.ln() + (1.0 - target) * (1.0 - p).ln();
                dlogits[2 * i] = (p - target) / 4.0;
                dlogits[2 * i + 1] = -dlogits[2 * i];
            }
            sum / 4.0
        };
        let record: Vec<f32> = (0..6)
            .map(|_| trainer.step_last(&rows, &[3, 4], &mut loss).expect("finite"))
            .flat_map(|report| [report.loss, report.grad_norm])
            .collect();
        close(&record, &flat(&expect["label"]), name);
    }
}

#[test]
fn adapters() {
    for name in ["qwen2", "qwen3"] {
        let expect = expectations(name);
        let rows = rows(&expect);
        let base = Decoder::load(&fixture(name)).expect("loads");
        let adapter = Adapter::load(&base, &fixture(&format!("{name}-adapter"))).expect("loads");
        let merged = base.with_adapter(&adapter);
        let logits = merged.last_logits(&rows, &all_words(&base), 1);
        close(&logits, &flat(&expect["adapter_logits"]), &format!("{name} adapter"));

        let optimizer = AdamW { lr: 1e-2, betas: (0.9, 0.95), eps: 1e-8, weight_decay: 0.1, clip: Some(1.0) };
        let mut trainer = Trainer::resume_adapter(base, adapter, optimizer, Schedule::Constant, 1);
        let record: Vec<f32> = (0..6)
            .map(|_| trainer.step_next_token(&rows, &weights(&rows)).expect("finite"))
            .flat_map(|report| [report.loss, report.grad_norm])
            .collect();
        close(&record, &flat(&expect["lora"]), &format!("{name} lora"));
    }
}

#[test]
fn what_is_saved_is_read_back_alike() {
    let folder = tempfile::tempdir().expect("folder");
    let model = Decoder::load(&fixture("qwen2")).expect("loads");
    model.save(folder.path()).expect("saves");
    let again = Decoder::load(folder.path()).expect("loads");
    let rows = rows(&expectations("qwen2"));
    assert_eq!(model.last_logits(&rows, &[0, 1, 2], 1), again.last_logits(&rows, &[0, 1, 2], 1));

    let optimizer = AdamW { lr: 1e-2, betas: (0.9, 0.95), eps: 1e-8, weight_decay: 0.0, clip: None };
    let scope = Scope::Lora(LoraConfig::all(3, 6.0));
    let mut trainer = Trainer::new(model.clone(), scope, optimizer, Schedule::Constant, 1, 5);
    trainer.step_next_token(&rows, &weights(&rows)).expect("finite");
    trainer.adapter().expect("trained").save(folder.path()).expect("saves");
    let adapter = Adapter::load(&model, folder.path()).expect("loads");
    let merged = model.with_adapter(&adapter).last_logits(&rows, &[0, 1, 2], 1);
    assert_eq!(merged, trainer.model().last_logits(&rows, &[0, 1, 2], 1));
    assert_ne!(merged, model.last_logits(&rows, &[0, 1, 2], 1));
}

#[test]
fn bert_features() {
    let (model, expect) = (Encoder::load(&fixture("bert")).expect("loads"), expectations("bert"));
    let rows = rows(&expect);
    for (layer, states) in expect["mean_hidden"].as_array().expect("layers").iter().enumerate() {
        for threads in [1, 2] {
            close(&model.embed(&rows, &[layer], threads), &flat(states), &format!("bert layer {layer}"));
        }
    }
}
