//! A training step in two halves is the step, and what is called out of order is refused without harm.

use aar_lm::{AdamW, Decoder, DecoderConfig, InitScale, LmError, LoraConfig, Rows, Schedule, Scope, Trainer};

fn trainer(scope: Scope, threads: usize) -> Trainer {
    let config = DecoderConfig {
        vocab_size: 23,
        hidden_size: 16,
        intermediate_size: 24,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 8,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        tie_word_embeddings: true,
        qkv_bias: false,
        qk_norm: true,
        max_position_embeddings: 16,
    };
    let optimizer = AdamW { lr: 1e-2, betas: (0.9, 0.98), eps: 1e-8, weight_decay: 0.01, clip: Some(1.0) };
    let model = Decoder::init(config, &InitScale::default(), 5);
    Trainer::new(model, scope, optimizer, Schedule::Constant, threads, 7)
}

fn rows() -> Rows {
    [vec![3u32, 1, 4], vec![1, 5], vec![9, 2, 6, 5], vec![3, 5]].iter().collect()
}

/// Half the squared logits: their gradient is themselves.
fn square(logits: &[f32], dlogits: &mut [f32]) -> f32 {
    dlogits.copy_from_slice(logits);
    logits.iter().map(|logit| logit * logit / 2.0).sum()
}

#[test]
fn two_halves_are_the_step() {
    for (scope, threads) in [(Scope::Full, 1), (Scope::Full, 2), (Scope::Lora(LoraConfig::all(2, 4.0)), 1)] {
        let (mut whole, mut halves) = (trainer(scope.clone(), threads), trainer(scope, threads));
        for _ in 0..3 {
            let expect = whole.step_last(&rows(), &[2, 11, 4], &mut square).unwrap();
            let logits = halves.forward_last(&rows(), &[2, 11, 4]);
            let mut dlogits = vec![0.0; logits.len()];
            let loss = square(&logits, &mut dlogits);
            assert_eq!(halves.backward_last(&dlogits, loss).unwrap(), expect);
        }
        assert_eq!(halves.trained(), whole.trained());
        assert_eq!((halves.steps(), whole.steps()), (3, 3));
    }
}

#[test]
fn a_half_out_of_order_or_of_another_size_is_refused() {
    let mut trainer = trainer(Scope::Full, 1);
    let before = trainer.trained().to_vec();
    assert!(matches!(trainer.backward_last(&[0.0; 8], 0.0), Err(LmError::NoForward)));
    let logits = trainer.forward_last(&rows(), &[2, 4]);
    let short = trainer.backward_last(&logits[1..], 0.0);
    assert!(matches!(short, Err(LmError::Gradient { found: 7, expected: 8 })));
    assert_eq!((trainer.trained(), trainer.steps()), (&before[..], 0));
    // The forward pass still waits for the right one.
    trainer.backward_last(&logits, 0.0).unwrap();
    assert!(matches!(trainer.backward_last(&logits, 0.0), Err(LmError::NoForward)));
    trainer.forward_last(&rows(), &[2, 4]);
    trainer.set_trained(&before);
    assert!(matches!(trainer.backward_last(&logits, 0.0), Err(LmError::NoForward)));
}

#[test]
fn what_is_trained_can_be_taken_out_and_put_back() {
    for scope in [Scope::Full, Scope::Lora(LoraConfig::all(2, 4.0))] {
        let mut trainer = trainer(scope, 1);
        trainer.step_last(&rows(), &[2, 4], &mut square).unwrap();
        let (kept, logits) = (trainer.trained().to_vec(), trainer.model().last_logits(&rows(), &[2, 4], 1));
        trainer.step_last(&rows(), &[2, 4], &mut square).unwrap();
        assert_ne!(trainer.model().last_logits(&rows(), &[2, 4], 1), logits);
        trainer.set_trained(&kept);
        assert_eq!(trainer.model().last_logits(&rows(), &[2, 4], 1), logits);
    }
}
