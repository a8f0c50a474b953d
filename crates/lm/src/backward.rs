//! The backward pass: from dL/d(final normed states) to the gradient of every parameter.

use crate::decoder::{Decoder, LayerSpans, Span};
use crate::forward::{LayerTape, Tape, room};
use crate::rows::Rows;
use aar_kernels::{attention, gemm, norm, rope, swiglu};

/// Buffers of the backward pass, reused from step to step.
#[derive(Default)]
pub(crate) struct Scratch {
    stream: Vec<f32>,
    normed: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    raw: Vec<f32>,
    attended: Vec<f32>,
    product: Vec<f32>,
    row: Vec<f32>,
}

/// Where the loss touches the model.
pub(crate) enum Top<'a> {
    /// `[rows, hidden]`: dL/d(normed state) of every row's last token.
    Last(&'a [f32]),
    /// `[n, hidden]`: of every token.
    All(&'a [f32]),
}

fn part<'a>(grads: &'a mut [f32], span: &Span) -> &'a mut [f32] {
    &mut grads[span.clone()]
}

/// Add the gradient of everything below the head to `grads` (the arena's layout).
pub(crate) fn backward(
    model: &Decoder,
    rows: &Rows,
    tape: &mut Tape,
    top: Top<'_>,
    grads: &mut [f32],
    scratch: &mut Scratch,
) {
    let (n, d) = (rows.tokens.len(), model.config.hidden_size);
    let mut stream = std::mem::take(&mut scratch.stream);
    room(&mut stream, n * d).fill(0.0);
    let weight = model.span(&model.layout.norm);
    let dweight = part(grads, &model.layout.norm);
    match top {
        Top::All(dtop) => norm::rms_backward(&mut stream, dweight, dtop, &tape.output, &tape.inv, weight),
        Top::Last(dtop) => {
            for (row, at) in rows.last_positions().into_iter().enumerate() {
                let (x, dx) = (&tape.output[at * d..][..d], &mut stream[at * d..][..d]);
                norm::rms_backward(dx, dweight, &dtop[row * d..][..d], x, &tape.inv[row..row + 1], weight);
            }
        }
    }
    for (layer, spans) in tape.layers.iter_mut().zip(&model.layout.layers).rev() {
        layer_backward(model, spans, rows, layer, &mut stream, grads, scratch, &tape.rope);
    }
    let embed = part(grads, &model.layout.embed);
    for (dx, &token) in stream.chunks_exact(d).zip(&rows.tokens) {
        aar_kernels::simd::axpy(&mut embed[token as usize * d..][..d], 1.0, dx);
    }
    scratch.stream = stream;
}

/// `stream` holds dL/d(output) on entry and dL/d(input) on return.
#[allow(clippy::too_many_arguments)]
fn layer_backward(
    model: &Decoder,
    spans: &LayerSpans,
    rows: &Rows,
    tape: &mut LayerTape,
    stream: &mut [f32],
    grads: &mut [f32],
    scratch: &mut Scratch,
    table: &rope::RopeTable,
) {
    let (config, heads) = (&model.config, model.heads());
    let (n, d, f) = (rows.tokens.len(), config.hidden_size, config.intermediate_size);
    let (qw, kw) = (heads.query * heads.dim, heads.key * heads.dim);

    // Feed-forward.
    let dproduct = room(&mut scratch.product, n * f);
    gemm::nn(dproduct, stream, model.span(&spans.down), (n, d, f), false);
    gemm::tn(part(grads, &spans.down), stream, &tape.product, (d, n, f), true);
    swiglu::backward(&mut tape.gate, &mut tape.up, dproduct);
    gemm::tn(part(grads, &spans.gate), &tape.gate, &tape.normed2, (f, n, d), true);
    gemm::tn(part(grads, &spans.up), &tape.up, &tape.normed2, (f, n, d), true);
    let dnormed = room(&mut scratch.normed, n * d);
    gemm::nn(dnormed, &tape.gate, model.span(&spans.gate), (n, f, d), false);
    gemm::nn(dnormed, &tape.up, model.span(&spans.up), (n, f, d), true);
    norm::rms_backward(stream, part(grads, &spans.norm2), dnormed, &tape.middle, &tape.inv2, model.span(&spans.norm2));

    // Attention.
    let dattended = room(&mut scratch.attended, n * qw);
    gemm::nn(dattended, stream, model.span(&spans.o), (n, d, qw), false);
    gemm::tn(part(grads, &spans.o), stream, &tape.attended, (d, n, qw), true);
    room(&mut scratch.q, n * qw);
    room(&mut scratch.k, n * kw);
    room(&mut scratch.v, n * kw);
    let row = room(&mut scratch.row, rows.longest());
    attention::backward(
        &mut scratch.q,
        &mut scratch.k,
        &mut scratch.v,
        row,
        dattended,
        &tape.probabilities,
        &tape.q,
        &tape.k,
        &tape.v,
        &rows.offsets,
        heads,
    );
    rope::rotate(&mut scratch.q, heads.query, &rows.offsets, table, true);
    rope::rotate(&mut scratch.k, heads.key, &rows.offsets, table, true);
    if let Some([q_norm, k_norm]) = &spans.qk_norm {
        for (grad, raw, inv, span) in
            [(&mut scratch.q, &tape.q_raw, &tape.q_inv, q_norm), (&mut scratch.k, &tape.k_raw, &tape.k_inv, k_norm)]
        {
            let dx = room(&mut scratch.raw, grad.len());
            dx.fill(0.0);
            norm::rms_backward(dx, part(grads, span), grad, raw, inv, model.span(span));
            std::mem::swap(grad, &mut scratch.raw);
        }
    }
    if let Some([q, k, v]) = &spans.bias {
        for (span, grad) in [(q, &scratch.q), (k, &scratch.k), (v, &scratch.v)] {
            for row in grad.chunks_exact(span.len()) {
                aar_kernels::simd::axpy(part(grads, span), 1.0, row);
            }
        }
    }
    let dnormed = room(&mut scratch.normed, n * d);
    let projections = [(&spans.q, &scratch.q, qw), (&spans.k, &scratch.k, kw), (&spans.v, &scratch.v, kw)];
    for (i, (span, grad, width)) in projections.into_iter().enumerate() {
        gemm::tn(part(grads, span), grad, &tape.normed1, (width, n, d), true);
        gemm::nn(dnormed, grad, model.span(span), (n, width, d), i > 0);
    }
    norm::rms_backward(stream, part(grads, &spans.norm1), dnormed, &tape.input, &tape.inv1, model.span(&spans.norm1));
}
