//! The engine's side of `cargo xtask bench`: one JSON line per shape and task, on one thread.
#![allow(clippy::print_stdout)]

use aar_kernels::gemm;
use aar_lm::{AdamW, Decoder, DecoderConfig, InitScale, Rows, Schedule, Scope, Trainer, ops};
use std::time::Instant;

struct Shape {
    name: &'static str,
    config: DecoderConfig,
    length: usize,
    batch: usize,
}

fn shape(name: &'static str, width: usize, heads: (usize, usize), ff: usize, vocab: usize, length: usize) -> Shape {
    let config = DecoderConfig {
        vocab_size: vocab,
        hidden_size: width,
        intermediate_size: ff,
        num_hidden_layers: 4,
        num_attention_heads: heads.0,
        num_key_value_heads: heads.1,
        head_dim: width / heads.0,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tie_word_embeddings: true,
        qkv_bias: false,
        qk_norm: true,
        max_position_embeddings: length,
    };
    Shape { name, config, length, batch: 32 }
}

/// Seconds that each measurement lasts at least.
const LASTING: f64 = 3.0;

/// (calls per second, operations per call).
fn measure(mut call: impl FnMut()) -> (f64, u64) {
    for _ in 0..2 {
        call();
    }
    ops::take();
    call();
    let operations = ops::take();
    let (started, mut calls) = (Instant::now(), 0);
    while started.elapsed().as_secs_f64() < LASTING {
        call();
        calls += 1;
    }
    (f64::from(calls) / started.elapsed().as_secs_f64(), operations)
}

/// Operations per second of one large product: what this machine's core can do here and now.
fn peak() -> f64 {
    let n = 768;
    let (a, b) = (vec![0.5f32; n * n], vec![0.25f32; n * n]);
    let mut c = vec![0.0f32; n * n];
    let (rate, operations) = measure(|| gemm::nt(&mut c, &a, &b, (n, n, n), false));
    rate * operations as f64
}

fn main() {
    let peak = peak();
    for shape in [shape("A", 256, (8, 4), 768, 1024, 128), shape("B", 128, (4, 2), 384, 512, 64)] {
        let model = Decoder::init(shape.config.clone(), &InitScale::default(), 1);
        let token = |i: usize| ((i * 7919 + 13) % shape.config.vocab_size) as u32;
        let rows: Rows = (0..shape.batch)
            .map(|row| (0..shape.length).map(|i| token(row * shape.length + i)).collect::<Vec<u32>>())
            .collect::<Vec<_>>()
            .iter()
            .map(Vec::as_slice)
            .collect();
        let tokens = (shape.batch * shape.length) as f64;
        let weights = vec![1.0; shape.batch * shape.length];
        let optimizer = AdamW { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01, clip: Some(1.0) };
        let mut trainer = Trainer::new(model.clone(), Scope::Full, optimizer, Schedule::Constant, 1, 1);
        let train = measure(|| drop(trainer.step_next_token(&rows, &weights)));
        let ids: Vec<u32> = (0..shape.config.vocab_size as u32).collect();
        let infer = measure(|| drop(model.last_logits(&rows, &ids, 1)));
        for (task, (rate, operations)) in [("train", train), ("infer", infer)] {
            println!(
                "{{\"shape\":\"{}\",\"task\":\"{task}\",\"tokens_per_s\":{:.0},\"operations\":{operations},\"peak_share\":{:.3}}}",
                shape.name,
                rate * tokens,
                rate * operations as f64 / peak
            );
        }
    }
}
