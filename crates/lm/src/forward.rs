//! The forward pass, which leaves on a tape what the backward pass needs.

use crate::decoder::{Decoder, LayerSpans};
use crate::rows::Rows;
use aar_kernels::rope::RopeTable;
use aar_kernels::{attention, gemm, norm, rope, swiglu};

/// One layer's activations; `n` tokens.
#[derive(Default)]
pub(crate) struct LayerTape {
    /// `[n, hidden]`: the residual stream on entry.
    pub input: Vec<f32>,
    pub inv1: Vec<f32>,
    pub normed1: Vec<f32>,
    /// Before the norms of queries and keys, where there are any.
    pub q_raw: Vec<f32>,
    pub k_raw: Vec<f32>,
    pub q_inv: Vec<f32>,
    pub k_inv: Vec<f32>,
    /// After rotation.
    pub q: Vec<f32>,
    pub k: Vec<f32>,
    pub v: Vec<f32>,
    pub probabilities: Vec<f32>,
    pub attended: Vec<f32>,
    /// `[n, hidden]`: the residual stream between attention and feed-forward.
    pub middle: Vec<f32>,
    pub inv2: Vec<f32>,
    pub normed2: Vec<f32>,
    pub gate: Vec<f32>,
    pub up: Vec<f32>,
    pub product: Vec<f32>,
}

/// All activations of a pass. Reused from pass to pass, so that memory is asked for once.
#[derive(Default)]
pub(crate) struct Tape {
    pub layers: Vec<LayerTape>,
    /// `[n, hidden]`: the residual stream after the last layer.
    pub output: Vec<f32>,
    pub inv: Vec<f32>,
    /// `[n, hidden]`: after the final norm; only filled when all positions are asked for.
    pub normed: Vec<f32>,
    /// `[rows, hidden]`: after the final norm, last tokens only; only filled otherwise.
    pub last: Vec<f32>,
    pub rope: RopeTable,
}

/// A buffer of this length whose contents will be overwritten.
pub(crate) fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}

/// Run `rows`. With `last_only` the final norm is taken at last tokens only.
pub(crate) fn forward(model: &Decoder, rows: &Rows, tape: &mut Tape, last_only: bool) {
    let config = &model.config;
    let (n, d) = (rows.tokens.len(), config.hidden_size);
    tape.layers.resize_with(config.num_hidden_layers, LayerTape::default);
    let mut stream = start(model, rows, tape);
    for (layer, spans) in tape.layers.iter_mut().zip(&model.layout.layers) {
        layer_forward(model, spans, rows, layer, &mut stream, &tape.rope);
    }
    tape.output = stream;
    let weight = model.span(&model.layout.norm);
    if last_only {
        let picked = last_rows(&tape.output, rows, d);
        let (last, inv) = (room(&mut tape.last, picked.len()), room(&mut tape.inv, rows.len()));
        norm::rms_forward(last, inv, &picked, weight, config.rms_norm_eps);
    } else {
        let (normed, inv) = (room(&mut tape.normed, n * d), room(&mut tape.inv, n));
        norm::rms_forward(normed, inv, &tape.output, weight, config.rms_norm_eps);
    }
}

/// The embedded tokens, in the buffer of the residual stream, and a table of rotations that is long enough.
pub(crate) fn start(model: &Decoder, rows: &Rows, tape: &mut Tape) -> Vec<f32> {
    let (config, d) = (&model.config, model.config.hidden_size);
    if tape.rope.positions() < rows.longest() {
        tape.rope = RopeTable::new(rows.longest().next_power_of_two(), config.head_dim, config.rope_theta);
    }
    let mut stream = std::mem::take(&mut tape.output);
    room(&mut stream, rows.tokens.len() * d);
    let embed = model.span(&model.layout.embed);
    for (out, &token) in stream.chunks_exact_mut(d).zip(&rows.tokens) {
        out.copy_from_slice(&embed[token as usize * d..][..d]);
    }
    stream
}

/// The rows of `x [n, width]` at last tokens, `[rows, width]`.
pub(crate) fn last_rows(x: &[f32], rows: &Rows, width: usize) -> Vec<f32> {
    rows.last_positions().iter().flat_map(|&at| &x[at * width..(at + 1) * width]).copied().collect()
}

fn add_bias(x: &mut [f32], bias: &[f32]) {
    for row in x.chunks_exact_mut(bias.len()) {
        aar_kernels::simd::axpy(row, 1.0, bias);
    }
}

pub(crate) fn layer_forward(
    model: &Decoder,
    spans: &LayerSpans,
    rows: &Rows,
    tape: &mut LayerTape,
    stream: &mut [f32],
    table: &RopeTable,
) {
    let (heads, n, d) = (model.heads(), rows.tokens.len(), model.config.hidden_size);
    let qw = heads.query * heads.dim;
    project(model, spans, rows, tape, stream, table);
    let probabilities = room(&mut tape.probabilities, attention::probability_len(&rows.offsets, heads));
    let attended = room(&mut tape.attended, n * qw);
    attention::forward(attended, probabilities, &tape.q, &tape.k, &tape.v, &rows.offsets, heads);
    gemm::nt(stream, &tape.attended, model.span(&spans.o), (n, qw, d), true);
    feed_forward(model, spans, n, tape, stream);
}

/// Norm, queries, keys and values, rotated.
pub(crate) fn project(
    model: &Decoder,
    spans: &LayerSpans,
    rows: &Rows,
    tape: &mut LayerTape,
    stream: &[f32],
    table: &RopeTable,
) {
    let heads = model.heads();
    project_unrotated(model, spans, rows.tokens.len(), tape, stream);
    rope::rotate(&mut tape.q, heads.query, &rows.offsets, table, false);
    rope::rotate(&mut tape.k, heads.key, &rows.offsets, table, false);
}

/// Norm, queries, keys and values of `n` tokens of the stream.
pub(crate) fn project_unrotated(model: &Decoder, spans: &LayerSpans, n: usize, tape: &mut LayerTape, stream: &[f32]) {
    let (heads, eps, d) = (model.heads(), model.config.rms_norm_eps, model.config.hidden_size);
    let (qw, kw) = (heads.query * heads.dim, heads.key * heads.dim);
    room(&mut tape.input, n * d).copy_from_slice(stream);
    norm::rms_forward(room(&mut tape.normed1, n * d), room(&mut tape.inv1, n), stream, model.span(&spans.norm1), eps);
    gemm::nt(room(&mut tape.q, n * qw), &tape.normed1, model.span(&spans.q), (n, d, qw), false);
    gemm::nt(room(&mut tape.k, n * kw), &tape.normed1, model.span(&spans.k), (n, d, kw), false);
    gemm::nt(room(&mut tape.v, n * kw), &tape.normed1, model.span(&spans.v), (n, d, kw), false);
    if let Some([q, k, v]) = &spans.bias {
        add_bias(&mut tape.q, model.span(q));
        add_bias(&mut tape.k, model.span(k));
        add_bias(&mut tape.v, model.span(v));
    }
    if let Some([q_norm, k_norm]) = &spans.qk_norm {
        room(&mut tape.q_raw, n * qw).copy_from_slice(&tape.q);
        room(&mut tape.k_raw, n * kw).copy_from_slice(&tape.k);
        let (q_inv, k_inv) = (room(&mut tape.q_inv, n * heads.query), room(&mut tape.k_inv, n * heads.key));
        norm::rms_forward(&mut tape.q, q_inv, &tape.q_raw, model.span(q_norm), eps);
        norm::rms_forward(&mut tape.k, k_inv, &tape.k_raw, model.span(k_norm), eps);
    }
}

/// The second half of a layer, on `n` rows of the stream.
pub(crate) fn feed_forward(model: &Decoder, spans: &LayerSpans, n: usize, tape: &mut LayerTape, stream: &mut [f32]) {
    let (d, f, eps) = (model.config.hidden_size, model.config.intermediate_size, model.config.rms_norm_eps);
    room(&mut tape.middle, n * d).copy_from_slice(stream);
    norm::rms_forward(room(&mut tape.normed2, n * d), room(&mut tape.inv2, n), stream, model.span(&spans.norm2), eps);
    gemm::nt(room(&mut tape.gate, n * f), &tape.normed2, model.span(&spans.gate), (n, d, f), false);
    gemm::nt(room(&mut tape.up, n * f), &tape.normed2, model.span(&spans.up), (n, d, f), false);
    swiglu::forward(room(&mut tape.product, n * f), &tape.gate, &tape.up);
    gemm::nt(stream, &tape.product, model.span(&spans.down), (n, f, d), true);
}
