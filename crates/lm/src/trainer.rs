//! Training steps: a loss supplies dL/dlogits, everything else is here.

use crate::backward::{Scratch, Top, backward};
use crate::decoder::Decoder;
use crate::error::LmError;
use crate::forward::{Tape, forward, room};
use crate::lora::{Adapter, LoraConfig};
use crate::optimizer::{AdamW, Schedule};
use crate::rows::Rows;
use aar_kernels::{adamw, gemm};

/// What is trained.
#[derive(Clone, Debug)]
pub enum Scope {
    /// Every weight.
    Full,
    /// A low-rank adapter; the model's own weights stay.
    Lora(LoraConfig),
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The loss, before the step.
    pub loss: f32,
    /// Global norm of the gradient, before clipping.
    pub grad_norm: f32,
    /// Learning rate of the step.
    pub lr: f32,
}

/// A model under training.
pub struct Trainer {
    model: Decoder,
    adapter: Option<(Decoder, Adapter)>,
    optimizer: AdamW,
    schedule: Schedule,
    threads: usize,
    grads: Vec<f32>,
    moments: (Vec<f32>, Vec<f32>),
    parts: Vec<Part>,
    halfway: Option<Halfway>,
    step: usize,
}

/// A step whose gradient in the logits is still to come.
struct Halfway {
    chunks: Vec<Rows>,
    ids: Vec<u32>,
    /// The head's rows of `ids`.
    head: Vec<f32>,
}

/// One thread's share of a batch.
#[derive(Default)]
struct Part {
    tape: Tape,
    scratch: Scratch,
    grads: Vec<f32>,
    logits: Vec<f32>,
    dlogits: Vec<f32>,
    dtop: Vec<f32>,
}

impl Trainer {
    /// Start from a model. `threads` share a batch's rows; with 1 everything runs on the calling
    /// thread. `seed` is that of a fresh adapter.
    pub fn new(model: Decoder, scope: Scope, optimizer: AdamW, schedule: Schedule, threads: usize, seed: u64) -> Self {
        let adapter = match scope {
            Scope::Full => None,
            Scope::Lora(config) => Some(Adapter::init(&model, config, seed)),
        };
        Self::start(model, adapter, optimizer, schedule, threads)
    }

    /// Go on training an adapter of `base` (with fresh moments).
    pub fn resume_adapter(
        base: Decoder,
        adapter: Adapter,
        optimizer: AdamW,
        schedule: Schedule,
        threads: usize,
    ) -> Self {
        Self::start(base, Some(adapter), optimizer, schedule, threads)
    }

    fn start(base: Decoder, adapter: Option<Adapter>, optimizer: AdamW, schedule: Schedule, threads: usize) -> Self {
        let model = adapter.as_ref().map_or_else(|| base.clone(), |adapter| base.with_adapter(adapter));
        let adapter = adapter.map(|adapter| (base, adapter));
        let trained = adapter.as_ref().map_or(model.parameter_count(), |(_, adapter)| adapter.params.len());
        Self {
            grads: vec![0.0; model.parameter_count()],
            moments: (vec![0.0; trained], vec![0.0; trained]),
            parts: Vec::new(),
            halfway: None,
            step: 0,
            model,
            adapter,
            optimizer,
            schedule,
            threads: threads.max(1),
        }
    }

    /// The model as it stands, adapter merged.
    pub fn model(&self) -> &Decoder {
        &self.model
    }

    /// The model as it stands, adapter merged.
    pub fn into_model(self) -> Decoder {
        self.model
    }

    /// The adapter, where one is trained.
    pub fn adapter(&self) -> Option<&Adapter> {
        self.adapter.as_ref().map(|(_, adapter)| adapter)
    }

    /// What is trained: all weights, or the adapter's.
    pub fn trained(&self) -> &[f32] {
        self.adapter.as_ref().map_or(&self.model.params, |(_, adapter)| &adapter.params)
    }

    /// Replace it by as many other values; the moments stay.
    pub fn set_trained(&mut self, values: &[f32]) {
        self.halfway = None;
        match &mut self.adapter {
            Some((base, adapter)) => {
                adapter.params.copy_from_slice(values);
                adapter.merge_into(base, &mut self.model);
            }
            None => self.model.params.copy_from_slice(values),
        }
    }

    /// Steps made.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// One step on the last token of every row. `loss` gets logits `[rows, ids.len()]`, writes dL/dlogits of the same
    /// shape and returns the loss. The head is computed at `ids` only.
    pub fn step_last(
        &mut self,
        rows: &Rows,
        ids: &[u32],
        loss: &mut dyn FnMut(&[f32], &mut [f32]) -> f32,
    ) -> Result<StepReport, LmError> {
        let logits = self.forward_last(rows, ids);
        let mut dlogits = vec![0.0; logits.len()];
        let value = loss(&logits, &mut dlogits);
        self.backward_last(&dlogits, value)
    }

    /// The first half of a step: logits `[rows, ids.len()]` at every row's last token for the given words. What the second
    /// half needs is kept until [`Trainer::backward_last`] or the next step of any kind.
    pub fn forward_last(&mut self, rows: &Rows, ids: &[u32]) -> Vec<f32> {
        let head = self.model.head_rows(ids);
        let d = self.model.config.hidden_size;
        let chunks = self.chunks(rows);
        let model = &self.model;
        each(&mut self.parts, &chunks, |part, chunk| {
            forward(model, chunk, &mut part.tape, true);
            let logits = room(&mut part.logits, chunk.len() * ids.len());
            gemm::nt(logits, &part.tape.last, &head, (chunk.len(), d, ids.len()), false);
        });
        let logits = self.parts[..chunks.len()].iter().flat_map(|part| &part.logits).copied().collect();
        self.halfway = Some(Halfway { chunks, ids: ids.to_vec(), head });
        logits
    }

    /// The second half: `dlogits [rows, ids.len()]` of [`Trainer::forward_last`] back through the model, and the update.
    /// `loss` is for the report; a loss that is not finite is refused.
    pub fn backward_last(&mut self, dlogits: &[f32], loss: f32) -> Result<StepReport, LmError> {
        let halfway = self.halfway.take().ok_or(LmError::NoForward)?;
        let Halfway { chunks, ids, head } = &halfway;
        let rows: usize = chunks.iter().map(Rows::len).sum();
        if dlogits.len() != rows * ids.len() {
            let (found, expected) = (dlogits.len(), rows * ids.len());
            self.halfway = Some(halfway);
            return Err(LmError::Gradient { found, expected });
        }
        let mut rest = dlogits;
        for (part, chunk) in self.parts.iter_mut().zip(chunks) {
            let (own, others) = rest.split_at(chunk.len() * ids.len());
            part.dlogits.clear();
            part.dlogits.extend_from_slice(own);
            rest = others;
        }
        let (model, d) = (&self.model, self.model.config.hidden_size);
        each(&mut self.parts, chunks, |part, chunk| {
            let (m, k) = (chunk.len(), ids.len());
            gemm::nn(room(&mut part.dtop, m * d), &part.dlogits, head, (m, k, d), false);
            part.grads.clear();
            part.grads.resize(model.parameter_count(), 0.0);
            let mut dhead = vec![0.0; k * d];
            gemm::tn(&mut dhead, &part.dlogits, &part.tape.last, (k, m, d), false);
            let place = &mut part.grads[model.layout.head.clone()];
            for (&id, dhead) in ids.iter().zip(dhead.chunks_exact(d)) {
                aar_kernels::simd::axpy(&mut place[id as usize * d..][..d], 1.0, dhead);
            }
            backward(model, chunk, &mut part.tape, Top::Last(&part.dtop), &mut part.grads, &mut part.scratch);
        });
        self.update(chunks.len(), loss)
    }

    /// One step of weighted next-token cross-entropy. `weights [tokens]`: that of token `i` counts for predicting it;
    /// a row's first is ignored. The loss is the weighted mean.
    pub fn step_next_token(&mut self, rows: &Rows, weights: &[f32]) -> Result<StepReport, LmError> {
        let first = rows.offsets[..rows.len()].iter();
        let ignored: f64 = first.map(|&at| f64::from(weights.get(at).copied().unwrap_or(0.0))).sum();
        let total = weights.iter().map(|&w| f64::from(w)).sum::<f64>() - ignored;
        self.step_tokens(rows, weights, total)
    }

    /// The same with weights of either sign, divided by `total` instead of their sum: a step of policy gradient where
    /// the weights are advantages (Williams 1992) and `total` the number of tokens that were drawn.
    pub fn step_tokens(&mut self, rows: &Rows, weights: &[f32], total: f64) -> Result<StepReport, LmError> {
        assert_eq!(weights.len(), rows.tokens.len(), "one weight per token");
        self.halfway = None;
        let (d, vocab) = (self.model.config.hidden_size, self.model.config.vocab_size);
        let chunks = self.chunks(rows);
        let bounds: Vec<usize> = chunks
            .iter()
            .scan(0, |at, chunk| {
                let start = *at;
                *at += chunk.tokens.len();
                Some(start)
            })
            .collect();
        let model = &self.model;
        let mut losses = vec![0.0f64; chunks.len()];
        let jobs: Vec<(Rows, usize)> = chunks.iter().cloned().zip(bounds).collect();
        each_with(&mut self.parts, &jobs, &mut losses, |part, (chunk, start), loss| {
            let n = chunk.tokens.len();
            forward(model, chunk, &mut part.tape, false);
            let head = model.span(&model.layout.head);
            gemm::nt(room(&mut part.logits, n * vocab), &part.tape.normed, head, (n, d, vocab), false);
            *loss = cross_entropy(&mut part.logits, chunk, &weights[*start..][..n], vocab, total);
            gemm::nn(room(&mut part.dtop, n * d), &part.logits, head, (n, vocab, d), false);
            part.grads.clear();
            part.grads.resize(model.parameter_count(), 0.0);
            let dhead = &mut part.grads[model.layout.head.clone()];
            gemm::tn(dhead, &part.logits, &part.tape.normed, (vocab, n, d), true);
            backward(model, chunk, &mut part.tape, Top::All(&part.dtop), &mut part.grads, &mut part.scratch);
        });
        self.update(chunks.len(), losses.iter().sum::<f64>() as f32)
    }

    fn chunks(&mut self, rows: &Rows) -> Vec<Rows> {
        let points = rows.split_points(self.threads);
        if self.parts.len() < points.len() - 1 {
            self.parts.resize_with(points.len() - 1, Part::default);
        }
        points.windows(2).map(|bounds| rows.slice(bounds[0]..bounds[1])).collect()
    }

    fn update(&mut self, parts: usize, loss: f32) -> Result<StepReport, LmError> {
        self.step += 1;
        let step = self.step;
        if !loss.is_finite() {
            return Err(LmError::NonFinite { step, what: "loss" });
        }
        std::mem::swap(&mut self.grads, &mut self.parts[0].grads);
        for part in &self.parts[1..parts] {
            aar_kernels::simd::axpy(&mut self.grads, 1.0, &part.grads);
        }
        let low_rank = self.adapter.as_ref().map(|(_, adapter)| adapter.project(&self.model, &self.grads));
        let grads = low_rank.as_deref().unwrap_or(&self.grads);
        let grad_norm = adamw::sum_of_squares(grads).sqrt() as f32;
        if !grad_norm.is_finite() {
            return Err(LmError::NonFinite { step, what: "gradient norm" });
        }
        let lr = self.optimizer.lr * self.schedule.factor(step - 1);
        let scale = self.optimizer.clip.map_or(1.0, |clip| (clip / (grad_norm + 1e-6)).min(1.0));
        let update = adamw::Update {
            lr,
            betas: self.optimizer.betas,
            eps: self.optimizer.eps,
            weight_decay: self.optimizer.weight_decay,
            step: step as i32,
            scale,
        };
        let params = match &mut self.adapter {
            Some((_, adapter)) => &mut adapter.params,
            None => &mut self.model.params,
        };
        adamw::update(params, &mut self.moments.0, &mut self.moments.1, grads, update);
        if let Some((base, adapter)) = &self.adapter {
            adapter.merge_into(base, &mut self.model);
        }
        Ok(StepReport { loss, grad_norm, lr })
    }
}

/// Loss of all tokens; `logits [n, vocab]` become dL/dlogits.
fn cross_entropy(logits: &mut [f32], rows: &Rows, weights: &[f32], vocab: usize, total: f64) -> f64 {
    let mut loss = 0.0;
    for row in rows.offsets.windows(2) {
        for i in row[0]..row[1] {
            let weight = if i + 1 < row[1] { weights[i + 1] } else { 0.0 };
            let at = &mut logits[i * vocab..(i + 1) * vocab];
            if weight == 0.0 {
                at.fill(0.0);
                continue;
            }
            let target = rows.tokens[i + 1] as usize;
            let share = (f64::from(weight) / total) as f32;
            loss += f64::from(softmax_gradient(at, target, share)) * f64::from(weight) / total;
        }
    }
    loss
}

aar_kernels::multiversion! {
    /// Cross-entropy of one row of logits, which become `share * (softmax − one-hot)`.
    pub fn softmax_gradient(logits: &mut [f32], target: usize, share: f32) -> f32 {
        let mut top = f32::NEG_INFINITY;
        for logit in logits.iter() {
            top = top.max(*logit);
        }
        let at_target = logits[target] - top;
        let mut lanes = [0.0f32; 16];
        let (chunks, rest) = logits.as_chunks_mut::<16>();
        for chunk in chunks {
            for i in 0..16 {
                chunk[i] = aar_kernels::simd::exp(chunk[i] - top);
                lanes[i] += chunk[i];
            }
        }
        let mut sum: f32 = lanes.iter().sum();
        for logit in rest {
            *logit = aar_kernels::simd::exp(*logit - top);
            sum += *logit;
        }
        let factor = share / sum;
        for logit in logits.iter_mut() {
            *logit *= factor;
        }
        logits[target] -= share;
        sum.ln() - at_target
    }
}

/// Run `work` on every (part, chunk); the first on this thread, the others on threads of their own.
fn each(parts: &mut [Part], chunks: &[Rows], work: impl Fn(&mut Part, &Rows) + Sync) {
    let mut nothing = vec![(); chunks.len()];
    each_with(parts, chunks, &mut nothing, |part, chunk, ()| work(part, chunk));
}

fn each_with<J: Sync, O: Send>(
    parts: &mut [Part],
    jobs: &[J],
    outs: &mut [O],
    work: impl Fn(&mut Part, &J, &mut O) + Sync,
) {
    let mut triples: Vec<_> = parts.iter_mut().zip(jobs).zip(outs).collect();
    let Some(((part, job), out)) = triples.pop() else {
        return;
    };
    let counted = std::thread::scope(|scope| {
        let handles: Vec<_> = triples
            .into_iter()
            .map(|((part, job), out)| {
                let work = &work;
                scope.spawn(move || {
                    work(part, job, out);
                    gemm::take_operations()
                })
            })
            .collect();
        work(part, job, out);
        handles.into_iter().map(|handle| handle.join().expect("a training thread does not panic")).sum::<u64>()
    });
    gemm::add_operations(counted);
}
