//! What is sampled is what the model says, and a step along advantages makes it more or less likely.

use aar_lm::{AdamW, Decoder, DecoderConfig, InitScale, Rows, Schedule, Scope, Trainer};

const VOCAB: usize = 12;

/// Grouped keys and biases, so that every part of a layer is there. Sharp, so that words differ.
fn model(qk_norm: bool) -> Decoder {
    let config = DecoderConfig {
        vocab_size: VOCAB,
        hidden_size: 16,
        intermediate_size: 24,
        num_hidden_layers: 3,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 8,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tie_word_embeddings: true,
        qkv_bias: !qk_norm,
        qk_norm,
        max_position_embeddings: 32,
    };
    Decoder::init(config, &InitScale { embedding: 0.5, ..InitScale::default() }, 5)
}

fn rows() -> Rows {
    (0..70u32).map(|i| (0..1 + i % 7).map(|j| (i * 5 + j * 3) % VOCAB as u32).collect::<Vec<_>>()).collect()
}

/// Every row with its continuation.
fn whole(rows: &Rows, drawn: &[(u32, f32)], count: usize) -> Rows {
    let tail = |i: usize| drawn[i * count..(i + 1) * count].iter().map(|(token, _)| *token).collect::<Vec<_>>();
    (0..rows.len()).map(|i| [rows.row(i), &tail(i)].concat()).collect()
}

/// Token by token with what was kept is the same as all at once.
#[test]
fn probabilities_are_those_of_the_whole_row() {
    for qk_norm in [false, true] {
        let (model, rows, count) = (model(qk_norm), rows(), 9);
        let drawn = model.sample(&rows, count, 3, 1);
        assert_eq!(drawn.len(), rows.len() * count);
        let whole = whole(&rows, &drawn, count);
        let expect = model.log_probs(&whole, 1);
        for i in 0..rows.len() {
            for (j, (_, found)) in drawn[i * count..(i + 1) * count].iter().enumerate() {
                let expect = expect[whole.offsets[i] + rows.row(i).len() + j];
                assert!((found - expect).abs() < 1e-4, "row {i} token {j}: {found}, whole row {expect}");
            }
        }
        assert_eq!(model.sample(&rows, count, 3, 3), drawn, "threads change nothing");
        assert_ne!(model.sample(&rows, count, 4, 1), drawn, "seeds do");
    }
}

/// What is written is at every place what the whole row makes likeliest.
#[test]
fn the_likeliest_words_are_those_of_the_whole_row() {
    for qk_norm in [false, true] {
        let (model, rows, count) = (model(qk_norm), rows(), 6);
        let written = model.write(&rows, count, 1);
        for (i, tail) in written.chunks_exact(count).enumerate() {
            let before = |j: usize| -> Rows { [[rows.row(i), &tail[..j]].concat()].iter().collect() };
            for (j, word) in tail.iter().enumerate() {
                assert_eq!(model.next_token(&before(j), 1), [*word], "row {i} token {j}");
            }
        }
        assert_eq!(model.write(&rows, count, 2), written, "threads change nothing");
    }
}

/// Many draws of one row fall as the model's probabilities say.
#[test]
fn words_come_as_often_as_they_are_likely() {
    let (model, draws) = (model(true), 20_000);
    let row = [3u32, 1, 7];
    let drawn = model.sample(&(0..draws).map(|_| row).collect(), 1, 11, 1);
    let all: Vec<u32> = (0..VOCAB as u32).collect();
    let logits = model.last_logits(&[row].iter().collect(), &all, 1);
    let whole: f32 = logits.iter().map(|logit| logit.exp()).sum();
    for (word, logit) in logits.iter().enumerate() {
        let (p, n) = (f64::from(logit.exp() / whole), f64::from(draws));
        let share = drawn.iter().filter(|(token, _)| *token as usize == word).count() as f64 / n;
        // Five standard errors.
        assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / n).sqrt() + 1e-6, "word {word}: {share}, expected {p}");
    }
}

fn trainer() -> Trainer {
    let optimizer = AdamW { lr: 1e-2, betas: (0.9, 0.98), eps: 1e-8, weight_decay: 0.0, clip: None };
    Trainer::new(model(true), Scope::Full, optimizer, Schedule::Constant, 1, 7)
}

#[test]
fn what_had_an_advantage_becomes_likelier_and_what_had_none_stays_out() {
    let rows: Rows = [vec![3u32, 1, 4], vec![5, 1, 9], vec![2, 2, 6]].iter().collect();
    let weights = [0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0];
    let mut trainer = trainer();
    let before = trainer.model().log_probs(&rows, 1);
    let report = trainer.step_tokens(&rows, &weights, 2.0).unwrap();
    let after = trainer.model().log_probs(&rows, 1);
    assert!((report.loss - (before[5] - before[2]) / 2.0).abs() < 1e-5, "{}", report.loss);
    assert!(after[2] > before[2] && after[5] < before[5], "{before:?} {after:?}");
}

#[test]
fn with_weights_that_sum_to_the_total_it_is_the_step_on_next_tokens() {
    let rows: Rows = [vec![3u32, 1, 4], vec![5, 1, 9, 2]].iter().collect();
    let weights = [9.0, 0.5, 1.0, 9.0, 0.25, 0.0, 2.0];
    let (mut one, mut other) = (trainer(), trainer());
    let report = one.step_next_token(&rows, &weights).unwrap();
    assert_eq!(other.step_tokens(&rows, &weights, 3.75).unwrap(), report);
    assert_eq!(one.trained(), other.trained());
}
