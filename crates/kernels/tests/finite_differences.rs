//! Every backward pass against central differences of its forward pass, in f64 sums of f32 evaluations.

use aar_kernels::attention::{self, Heads, probability_len};
use aar_kernels::rope::{self, RopeTable};
use aar_kernels::{gemm, norm, swiglu};

/// Reproducible numbers in [-1, 1].
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        })
        .collect()
}

/// Compare `gradient` of Σ out·probe by `x` with central differences of `forward(x)`.
fn check(what: &str, x: &[f32], gradient: &[f32], probe: &[f32], forward: &dyn Fn(&[f32]) -> Vec<f32>) {
    assert_eq!(x.len(), gradient.len(), "{what}");
    const STEP: f32 = 1e-2;
    let value = |x: &[f32]| -> f64 { forward(x).iter().zip(probe).map(|(o, p)| f64::from(*o) * f64::from(*p)).sum() };
    let scale = gradient.iter().map(|g| g.abs()).fold(0.1, f32::max);
    for i in 0..x.len() {
        let mut moved = x.to_vec();
        moved[i] = x[i] + STEP;
        let high = value(&moved);
        moved[i] = x[i] - STEP;
        let low = value(&moved);
        let expect = (high - low) / f64::from(2.0 * STEP);
        let error = (expect - f64::from(gradient[i])).abs() / f64::from(scale);
        assert!(error < 2e-3, "{what}[{i}]: {} by hand, {expect} by differences", gradient[i]);
    }
}

#[test]
fn matrix_products() {
    let (m, k, n) = (4, 5, 3);
    let (a, b, probe) = (numbers(m * k, 1), numbers(n * k, 2), numbers(m * n, 3));
    let product = |a: &[f32], b: &[f32]| {
        let mut c = vec![0.0; m * n];
        gemm::nt(&mut c, a, b, (m, k, n), false);
        c
    };
    // A layer's two backward products: dA = dC·B, dB = dCᵀ·A.
    let (mut da, mut db) = (vec![0.0; m * k], vec![0.0; n * k]);
    gemm::nn(&mut da, &probe, &b, (m, n, k), false);
    gemm::tn(&mut db, &probe, &a, (n, m, k), false);
    check("a", &a, &da, &probe, &|a| product(a, &b));
    check("b", &b, &db, &probe, &|b| product(&a, b));
}

#[test]
fn rms_norm() {
    let (rows, width) = (3, 8);
    let (x, weight, probe) = (numbers(rows * width, 4), numbers(width, 5), numbers(rows * width, 6));
    let forward = |x: &[f32], weight: &[f32]| {
        let (mut y, mut inv) = (vec![0.0; rows * width], vec![0.0; rows]);
        norm::rms_forward(&mut y, &mut inv, x, weight, 1e-6);
        (y, inv)
    };
    let (_, inv) = forward(&x, &weight);
    // dx is added to what is there, as the residual path needs it.
    let (mut dx, mut dweight) = (vec![1.0; rows * width], vec![0.0; width]);
    norm::rms_backward(&mut dx, &mut dweight, &probe, &x, &inv, &weight);
    dx.iter_mut().for_each(|g| *g -= 1.0);
    check("x", &x, &dx, &probe, &|x| forward(x, &weight).0);
    check("weight", &weight, &dweight, &probe, &|weight| forward(&x, weight).0);
}

#[test]
fn rotary_embedding() {
    let (heads, dim, offsets) = (2, 6, [0, 3, 4, 8]);
    let table = RopeTable::new(8, dim, 10_000.0);
    let (x, probe) = (numbers(8 * heads * dim, 7), numbers(8 * heads * dim, 8));
    let mut dx = probe.clone();
    rope::rotate(&mut dx, heads, &offsets, &table, true);
    check("x", &x, &dx, &probe, &|x| {
        let mut y = x.to_vec();
        rope::rotate(&mut y, heads, &offsets, &table, false);
        y
    });
}

#[test]
fn gated_activation() {
    let (gate, up, probe) = (numbers(24, 9), numbers(24, 10), numbers(24, 11));
    let forward = |gate: &[f32], up: &[f32]| {
        let mut y = vec![0.0; gate.len()];
        swiglu::forward(&mut y, gate, up);
        y
    };
    let (mut dgate, mut dup) = (gate.clone(), up.clone());
    swiglu::backward(&mut dgate, &mut dup, &probe);
    check("gate", &gate, &dgate, &probe, &|gate| forward(gate, &up));
    check("up", &up, &dup, &probe, &|up| forward(&gate, up));
}

#[test]
fn attention_with_grouped_queries_over_ragged_rows() {
    for (query, key) in [(4, 2), (2, 2), (3, 1)] {
        let heads = Heads { query, key, dim: 4 };
        let offsets = [0, 1, 4, 9];
        let n = 9;
        let (q, k, v) = (numbers(n * query * 4, 12), numbers(n * key * 4, 13), numbers(n * key * 4, 14));
        let probe = numbers(n * query * 4, 15);
        let forward = |q: &[f32], k: &[f32], v: &[f32]| {
            let (mut out, mut p) = (vec![0.0; n * query * 4], vec![0.0; probability_len(&offsets, heads)]);
            attention::forward(&mut out, &mut p, q, k, v, &offsets, heads);
            (out, p)
        };
        let (_, p) = forward(&q, &k, &v);
        let (mut dq, mut dk, mut dv) = (vec![9.0; q.len()], vec![9.0; k.len()], vec![9.0; v.len()]);
        let mut scratch = vec![0.0; 5];
        attention::backward(&mut dq, &mut dk, &mut dv, &mut scratch, &probe, &p, &q, &k, &v, &offsets, heads);
        check("q", &q, &dq, &probe, &|q| forward(q, &k, &v).0);
        check("k", &k, &dk, &probe, &|k| forward(&q, k, &v).0);
        check("v", &v, &dv, &probe, &|v| forward(&q, &k, v).0);
    }
}

#[test]
fn attention_at_last_tokens_is_attention() {
    let heads = Heads { query: 4, key: 2, dim: 4 };
    let (offsets, n) = ([0, 1, 4, 9], 9);
    let (q, k, v) = (numbers(n * 16, 12), numbers(n * 8, 13), numbers(n * 8, 14));
    let (mut all, mut p) = (vec![0.0; n * 16], vec![0.0; probability_len(&offsets, heads)]);
    attention::forward(&mut all, &mut p, &q, &k, &v, &offsets, heads);
    let pick =
        |x: &[f32]| -> Vec<f32> { [0, 3, 8].iter().flat_map(|&at| x[at * 16..(at + 1) * 16].to_vec()).collect() };
    let (mut last, mut scratch) = (vec![0.0; 3 * 16], vec![0.0; 5]);
    attention::last(&mut last, &mut scratch, &pick(&q), &k, &v, &offsets, heads);
    for (a, b) in last.iter().zip(pick(&all)) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}
