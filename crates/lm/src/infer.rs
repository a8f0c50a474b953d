//! The forward pass when only last tokens are asked for and nothing will be differentiated: all layers share one set of
//! buffers, which stays in the cache, and the last layer computes keys and values everywhere but all else at last tokens alone.

use crate::decoder::Decoder;
use crate::forward::{LayerTape, Tape, feed_forward, last_rows, layer_forward, project, room, start};
use crate::rows::Rows;
use aar_kernels::{attention, gemm, norm};

/// Fill `tape.last [rows, hidden]`: the final norm at every row's last token.
pub(crate) fn last_states(model: &Decoder, rows: &Rows, tape: &mut Tape) {
    let (config, heads) = (&model.config, model.heads());
    let (d, qw) = (config.hidden_size, heads.query * heads.dim);
    tape.layers.resize_with(1, LayerTape::default);
    let mut stream = start(model, rows, tape);
    let buffers = &mut tape.layers[0];
    let mut picked = Vec::new();
    for (at, spans) in model.layout.layers.iter().enumerate() {
        if at + 1 < config.num_hidden_layers {
            layer_forward(model, spans, rows, buffers, &mut stream, &tape.rope);
            continue;
        }
        project(model, spans, rows, buffers, &stream, &tape.rope);
        picked = last_rows(&stream, rows, d);
        let q = last_rows(&buffers.q, rows, qw);
        let scratch = room(&mut buffers.probabilities, rows.longest());
        let attended = room(&mut buffers.attended, rows.len() * qw);
        attention::last(attended, scratch, &q, &buffers.k, &buffers.v, &rows.offsets, heads);
        gemm::nt(&mut picked, &buffers.attended, model.span(&spans.o), (rows.len(), qw, d), true);
        feed_forward(model, spans, rows.len(), buffers, &mut picked);
    }
    tape.output = stream;
    let (last, inv) = (room(&mut tape.last, picked.len()), room(&mut tape.inv, rows.len()));
    norm::rms_forward(last, inv, &picked, model.span(&model.layout.norm), config.rms_norm_eps);
}
