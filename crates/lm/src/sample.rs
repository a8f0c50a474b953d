//! Sampling: continuations of rows, token by token. Keys and values of what was read are kept, so that a further token costs the pass of
//! one token.

use crate::decoder::{Decoder, log_sum_exp};
use crate::forward::{LayerTape, Tape, feed_forward, forward, project_unrotated, room};
use crate::rows::Rows;
use aar_kernels::rope::{self, RopeTable};
use aar_kernels::{attention, gemm, norm};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Keys and values of rows that grow: room for a row's last token is there from the start.
struct Cache {
    /// Where every row begins, in tokens.
    starts: Vec<usize>,
    /// Tokens that every row has.
    lengths: Vec<usize>,
    /// Per layer, keys and values `[tokens, key heads * dim]`.
    layers: Vec<[Vec<f32>; 2]>,
    table: RopeTable,
}

/// Out of the logits, a token and the logarithm of its probability; told which of all tokens it chooses.
type Choice<'a> = &'a dyn Fn(usize, &[f32]) -> (u32, f32);

impl Decoder {
    /// `count` tokens after each row, drawn from the model's own probabilities (temperature 1, all words), each with the
    /// logarithm of its probability: `[rows * count]`, row by row. No row may be empty. The same for the same seed,
    /// whatever the threads.
    pub fn sample(&self, rows: &Rows, count: usize, seed: u64, threads: usize) -> Vec<(u32, f32)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let points: Vec<f32> = (0..rows.len() * count).map(|_| rng.random()).collect();
        self.in_chunks(rows, threads, 512, |tape, chunk, first| {
            self.continued(tape, chunk, count, &|at, logits| pick(logits, points[first * count + at]))
        })
    }

    /// The likeliest `count` tokens after each row, one after the other: `[rows * count]`, row by row. No row may be empty.
    pub fn write(&self, rows: &Rows, count: usize, threads: usize) -> Vec<u32> {
        let chosen = self.in_chunks(rows, threads, 512, |tape, chunk, _| {
            self.continued(tape, chunk, count, &|_, logits| likeliest(logits))
        });
        chosen.into_iter().map(|(token, _)| token).collect()
    }

    /// `[rows * count]`, row by row.
    fn continued(&self, tape: &mut Tape, rows: &Rows, count: usize, choose: Choice<'_>) -> Vec<(u32, f32)> {
        let (n, d, vocab) = (rows.len(), self.config.hidden_size, self.config.vocab_size);
        forward(self, rows, tape, true);
        let mut cache = Cache::new(self, rows, tape, count);
        let mut last = std::mem::take(&mut tape.last);
        let mut logits = vec![0.0; n * vocab];
        let mut drawn = vec![(0, 0.0); n * count];
        for step in 0..count {
            gemm::nt(&mut logits, &last, self.span(&self.layout.head), (n, d, vocab), false);
            for (row, logits) in logits.chunks_exact(vocab).enumerate() {
                drawn[row * count + step] = choose(row * count + step, logits);
            }
            if step + 1 < count {
                let tokens: Vec<u32> = (0..n).map(|row| drawn[row * count + step].0).collect();
                last = cache.read(self, &tokens, &mut tape.layers[0]);
            }
        }
        drawn
    }
}

impl Cache {
    /// Of rows that were just read, with room for `count` tokens more.
    fn new(model: &Decoder, rows: &Rows, tape: &Tape, count: usize) -> Self {
        let kw = model.heads().key * model.heads().dim;
        let lengths: Vec<usize> = rows.offsets.windows(2).map(|row| row[1] - row[0]).collect();
        let starts: Vec<usize> = rows.offsets[..rows.len()].iter().enumerate().map(|(i, at)| at + i * count).collect();
        let spread = |values: &[f32]| {
            let mut out = vec![0.0; (rows.tokens.len() + rows.len() * count) * kw];
            for ((&to, &from), &length) in starts.iter().zip(&rows.offsets).zip(&lengths) {
                out[to * kw..(to + length) * kw].copy_from_slice(&values[from * kw..(from + length) * kw]);
            }
            out
        };
        let layers = tape.layers.iter().map(|layer| [spread(&layer.k), spread(&layer.v)]).collect();
        let positions = (rows.longest() + count).next_power_of_two();
        let table = RopeTable::new(positions, model.config.head_dim, model.config.rope_theta);
        Self { starts, lengths, layers, table }
    }

    /// Read one more token of every row; the final norm's states `[rows, hidden]`.
    fn read(&mut self, model: &Decoder, tokens: &[u32], buffers: &mut LayerTape) -> Vec<f32> {
        let (config, heads, n) = (&model.config, model.heads(), tokens.len());
        let (d, qw, kw) = (config.hidden_size, heads.query * heads.dim, heads.key * heads.dim);
        let embed = model.span(&model.layout.embed);
        let mut stream: Vec<f32> =
            tokens.iter().flat_map(|&token| &embed[token as usize * d..][..d]).copied().collect();
        for (spans, [keys, values]) in model.layout.layers.iter().zip(&mut self.layers) {
            project_unrotated(model, spans, n, buffers, &stream);
            rope::rotate_at(&mut buffers.q, heads.query, &self.lengths, &self.table);
            rope::rotate_at(&mut buffers.k, heads.key, &self.lengths, &self.table);
            let longest = self.lengths.iter().max().map_or(0, |longest| longest + 1);
            let scratch = room(&mut buffers.probabilities, longest);
            let attended = room(&mut buffers.attended, n * qw);
            for (row, out) in attended.chunks_exact_mut(qw).enumerate() {
                let (start, end) = (self.starts[row], self.starts[row] + self.lengths[row]);
                keys[end * kw..(end + 1) * kw].copy_from_slice(&buffers.k[row * kw..(row + 1) * kw]);
                values[end * kw..(end + 1) * kw].copy_from_slice(&buffers.v[row * kw..(row + 1) * kw]);
                attention::last(out, scratch, &buffers.q[row * qw..][..qw], keys, values, &[start, end + 1], heads);
            }
            gemm::nt(&mut stream, &buffers.attended, model.span(&spans.o), (n, qw, d), true);
            feed_forward(model, spans, n, buffers, &mut stream);
        }
        self.lengths.iter_mut().for_each(|length| *length += 1);
        let mut states = vec![0.0; n * d];
        norm::rms_forward(&mut states, &mut vec![0.0; n], &stream, model.span(&model.layout.norm), config.rms_norm_eps);
        states
    }
}

/// The word at `point` of the cumulated probabilities, and the logarithm of its own.
fn pick(logits: &[f32], point: f32) -> (u32, f32) {
    let whole = log_sum_exp(logits);
    let mut reached = 0.0;
    for (word, logit) in logits.iter().enumerate() {
        reached += (logit - whole).exp();
        if point < reached {
            return (word as u32, logit - whole);
        }
    }
    // Rounding left the last stretch open.
    likeliest(logits)
}

/// The word of the highest logit, and the logarithm of its probability.
fn likeliest(logits: &[f32]) -> (u32, f32) {
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0);
    (best as u32, logits[best] - log_sum_exp(logits))
}
