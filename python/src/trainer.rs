//! Training steps with the caller's gradient, or with soft targets.

use crate::arrays::{Numbers, line, read, read_within, table, tuple};
use crate::batch::Batch;
use crate::engine;
use crate::failure::{engine as failed, method};
use crate::items::{choice, items};
use crate::member::Artefact;
use crate::student::readable;
use aar_domain::inference::{Orders, PromptChoice};
use aar_lm::{Schedule, Scope, StepReport};
use aar_methods::objective::{finetune, loss};
use aar_methods::student::Artefact as Inner;
use aar_methods::student::decoder::DecoderStudent;
use numpy::{PyArray1, PyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// A copy of the student under training; `Student.trainer()` makes one.
///
/// Two ways to make a step: `forward(batch)`, a gradient of your own, `backward(dlogits)`; or `step(batch, targets, weights)`.
#[pyclass(module = "aar")]
pub struct Trainer {
    inner: aar_lm::Trainer,
    student: Arc<DecoderStudent>,
    /// Shape of the logits whose gradient is awaited.
    awaited: Option<[usize; 2]>,
    curve: Vec<(u32, f32)>,
}

/// What a step did.
#[pyclass(frozen, get_all, module = "aar")]
pub struct Step {
    /// The loss before the step; NaN where the caller did not say.
    loss: f32,
    /// Global norm of the gradient, before clipping.
    grad_norm: f32,
    /// Learning rate of the step.
    learning_rate: f32,
}

#[pymethods]
impl Step {
    fn __repr__(&self) -> String {
        format!("Step(loss={}, grad_norm={}, learning_rate={})", self.loss, self.grad_norm, self.learning_rate)
    }
}

/// How to train.
pub struct Settings<'a> {
    pub steps: usize,
    pub kind: &'a str,
    pub rank: usize,
    pub learning_rate: f32,
    pub weight_decay: f32,
    pub schedule: &'a str,
    pub warmup: Option<usize>,
    pub clip: Option<f32>,
    pub seed: u64,
}

impl Settings<'_> {
    fn checked(&self) -> PyResult<(aar_lm::AdamW, Schedule)> {
        let positive = |name: &str, value: f32| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(PyValueError::new_err(format!("{name} is {value}, it must be above 0"))),
        };
        positive("learning_rate", self.learning_rate)?;
        self.clip.map_or(Ok(()), |clip| positive("clip", clip))?;
        if !(0.0..=1.0).contains(&self.weight_decay) {
            let decay = self.weight_decay;
            return Err(PyValueError::new_err(format!("weight_decay is {decay}, it must lie in [0, 1]")));
        }
        if self.steps == 0 || !(1..=1024).contains(&self.rank) {
            return Err(PyValueError::new_err("steps must be at least 1, rank 1 to 1024"));
        }
        let (total, warmup) = (self.steps, self.warmup.unwrap_or((self.steps / 10).max(1)));
        let schedule = match self.schedule {
            "linear" => Schedule::Linear { warmup, total },
            "cosine" => Schedule::Cosine { warmup, total, floor: 0.0 },
            "constant" => Schedule::Constant,
            other => {
                let known = "it may be \"linear\", \"cosine\", \"constant\"";
                return Err(PyValueError::new_err(format!("schedule is {other:?}; {known}")));
            }
        };
        let optimizer = finetune::optimizer(self.learning_rate, self.weight_decay);
        Ok((aar_lm::AdamW { clip: self.clip, ..optimizer }, schedule))
    }
}

impl Trainer {
    pub fn new(
        py: Python<'_>,
        student: Arc<DecoderStudent>,
        settings: &Settings<'_>,
        start: Option<Arc<Inner>>,
    ) -> PyResult<Self> {
        let (optimizer, schedule) = settings.checked()?;
        let scope = match settings.kind {
            "full" => Scope::Full,
            "adapter" => finetune::adapter(settings.rank),
            other => return Err(PyValueError::new_err(format!("kind is {other:?}; it may be \"full\", \"adapter\""))),
        };
        let (threads, seed) = (student.threads(), settings.seed);
        let base = student.model();
        let fresh =
            |model: &aar_lm::Decoder| aar_lm::Trainer::new(model.clone(), scope, optimizer, schedule, threads, seed);
        let inner = match start.as_deref() {
            Some(Inner::Head(_)) => {
                return Err(PyValueError::new_err("a head can't be trained on; start from full or adapter"));
            }
            Some(Inner::Adapter(adapter)) => engine::run(py, || {
                aar_lm::Trainer::resume_adapter(base.clone(), adapter.clone(), optimizer, schedule, threads)
            }),
            // Only whole weights follow from whole weights: an adapter is one of the untouched student.
            Some(Inner::Full(model)) => {
                engine::run(py, || aar_lm::Trainer::new(model.clone(), Scope::Full, optimizer, schedule, threads, seed))
            }
            Some(Inner::Base) | None => engine::run(py, || fresh(base)),
        };
        Ok(Self { inner, student, awaited: None, curve: vec![] })
    }

    fn note(&mut self, report: StepReport, loss: Option<f32>) -> Step {
        if let Some(loss) = loss {
            self.curve.push((self.inner.steps() as u32, loss));
        }
        Step { loss: loss.unwrap_or(f32::NAN), grad_norm: report.grad_norm, learning_rate: report.lr }
    }
}

#[pymethods]
impl Trainer {
    /// Logits at each row's last token, float32 `[rows, words]`, of the token ids `words`; by default the prompt's two label words,
    /// positive first. What `backward` needs is kept until it is called, or another step begun.
    #[pyo3(signature = (batch, words=None))]
    fn forward<'py>(
        &mut self,
        py: Python<'py>,
        batch: &Batch,
        words: Option<Vec<u32>>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (rows, words) = readable(&self.student, batch, words)?;
        let inner = &mut self.inner;
        let logits = engine::run(py, || inner.forward_last(rows, &words));
        self.awaited = Some([rows.len(), words.len()]);
        table(py, logits, rows.len(), words.len())
    }

    /// Take a step down the gradient of your loss in the logits of the last `forward`: `dlogits` `[rows, words]`, or, for two
    /// words, the gradient in the margins `[rows]`. float32 in row order is read where it lies. `loss` goes into report and curve only.
    /// NaN in it is refused. Divide by the number of rows yourself, if your loss is a mean.
    #[pyo3(signature = (dlogits, loss=None))]
    fn backward(&mut self, py: Python<'_>, dlogits: Numbers<'_>, loss: Option<f32>) -> PyResult<Step> {
        let Some([rows, words]) = self.awaited else {
            return Err(PyRuntimeError::new_err("call forward first: every backward follows a forward of its own"));
        };
        let gradient = if dlogits.ndim() == 1 && words == 2 {
            let margins = read("dlogits", &dlogits, &[rows])?;
            Cow::Owned(margins.iter().flat_map(|&slope| [slope, -slope]).collect())
        } else {
            read("dlogits", &dlogits, &[rows, words])?
        };
        let inner = &mut self.inner;
        let report = engine::run(py, || inner.backward_last(&gradient, loss.unwrap_or(0.0))).map_err(failed)?;
        self.awaited = None;
        Ok(self.note(report, loss))
    }

    /// Take a step on weighted binary cross-entropy against soft targets: P(positive) `[rows]` in [0, 1], `weights` `[rows]` (1 by
    /// default). The loss is the sum of weight times cross-entropy, divided by the number of rows: what recipes train on.
    #[pyo3(signature = (batch, targets, weights=None))]
    fn step(
        &mut self,
        py: Python<'_>,
        batch: &Batch,
        targets: Numbers<'_>,
        weights: Option<Numbers<'_>>,
    ) -> PyResult<Step> {
        let (rows, words) = readable(&self.student, batch, None)?;
        let targets = read_within("targets", Some(&targets), rows.len(), (0.0, 1.0), 0.5)?;
        let weights = read_within("weights", weights.as_ref(), rows.len(), (0.0, 1e6), 1.0)?;
        let mut loss = |logits: &[f32], dlogits: &mut [f32]| {
            loss::binary_cross_entropy(&loss::margins(logits), &targets, &weights, dlogits)
        };
        self.awaited = None;
        let inner = &mut self.inner;
        let report = engine::run(py, || inner.step_last(rows, &words, &mut loss)).map_err(failed)?;
        Ok(self.note(report, Some(report.loss)))
    }

    /// Take a step of next-token prediction: the mean cross-entropy over tokens, weighted by `weights` `[tokens]` (1 by default; a row's first
    /// counts for nothing). Teaches the student a text, without labels.
    #[pyo3(signature = (batch, weights=None))]
    fn step_next_token(&mut self, py: Python<'_>, batch: &Batch, weights: Option<Numbers<'_>>) -> PyResult<Step> {
        let (rows, _) = readable(&self.student, batch, None)?;
        let weights = read_within("weights", weights.as_ref(), rows.tokens.len(), (0.0, 1e6), 1.0)?;
        let counts = rows.offsets.windows(2).any(|row| weights[row[0] + 1..row[1]].iter().any(|&weight| weight > 0.0));
        if !counts {
            return Err(PyValueError::new_err("no token after a row's first has a weight above 0"));
        }
        self.awaited = None;
        let inner = &mut self.inner;
        let report = engine::run(py, || inner.step_next_token(rows, &weights)).map_err(failed)?;
        Ok(self.note(report, Some(report.loss)))
    }

    /// Margins of the model as it stands, float32 `[items]`; `orders` and `prompt` as in `Student.margins`.
    #[pyo3(signature = (items, *, orders="both", prompt="task"))]
    fn margins<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = items)] items: Vec<aar_domain::item::Item>,
        orders: &str,
        prompt: &str,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let orders: Orders = choice("orders", orders, &["single", "both"])?;
        let prompt: PromptChoice = choice("prompt", prompt, &["task", "zero-shot"])?;
        let model = self.inner.model();
        let margins = engine::run(py, || self.student.model_margins(model, prompt, &items, orders));
        Ok(line(py, margins.map_err(method)?))
    }

    /// What is trained, float32 `[parameters]`, a copy: all weights, or those of the adapter.
    fn parameters<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        line(py, self.inner.trained().to_vec())
    }

    /// Replace what is trained by as many finite values `[parameters]`: averages of weights, steps of your own.
    fn set_parameters(&mut self, py: Python<'_>, values: Numbers<'_>) -> PyResult<()> {
        let wanted = self.inner.trained().len();
        if values.shape() != [wanted] {
            let shape = tuple(values.shape());
            return Err(PyValueError::new_err(format!("values has shape {shape}, ({wanted},) is needed")));
        }
        let values = read("values", &values, &[wanted])?;
        self.awaited = None;
        let inner = &mut self.inner;
        engine::run(py, || inner.set_trained(&values));
        Ok(())
    }

    /// The model as it stands, to be kept: an adapter where one is trained, else a checkpoint.
    fn artefact(&self, py: Python<'_>) -> Artefact {
        Artefact::new(py.detach(|| match self.inner.adapter() {
            Some(adapter) => Inner::Adapter(adapter.clone()),
            None => Inner::Full(self.inner.model().clone()),
        }))
    }

    /// Steps made.
    #[getter]
    fn steps(&self) -> usize {
        self.inner.steps()
    }

    /// (step, loss) of every step whose loss is known; steps count from 1.
    #[getter]
    fn curve(&self) -> Vec<(u32, f32)> {
        self.curve.clone()
    }

    fn __repr__(&self) -> String {
        format!("<aar.Trainer after {} steps>", self.inner.steps())
    }
}
