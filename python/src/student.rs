//! The untouched student, and what it makes of items.

use crate::arrays::{Numbers, block, line, read, table};
use crate::batch::Batch;
use crate::engine;
use crate::failure::{Error, method};
use crate::items::{choice, environment, items};
use crate::member::Artefact;
use crate::trainer::{Settings, Trainer};
use aar_domain::inference::{Aggregate, Orders, PromptChoice};
use aar_domain::problem::{Architecture, Problem};
use aar_lm::Pooling;
use aar_methods::readout::Readout;
use aar_methods::student::decoder::DecoderStudent;
use aar_methods::student::encoder::EncoderStudent;
use aar_methods::student::head::Head;
use aar_methods::student::{Artefact as Inner, Student as Asked, swapped};
use aar_methods::train::{TrainReport, save};
use numpy::{PyArray1, PyArray2, PyArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ORDERS: &[&str] = &["single", "both"];
const PROMPTS: &[&str] = &["task", "zero-shot"];
const AGGREGATES: &[&str] = &["mean", "median", "trimmed"];

/// The untouched student of a testbed; `Data.student()` opens it. Nothing changes it: training starts from a copy.
#[pyclass(frozen, module = "aar")]
pub struct Student {
    model: Model,
}

enum Model {
    Decoder(Arc<DecoderStudent>),
    Encoder(Box<EncoderStudent>),
}

impl Student {
    pub fn open(
        py: Python<'_>,
        problem: &Problem,
        folder: &Path,
        caches: &[PathBuf],
        threads: usize,
    ) -> PyResult<Self> {
        let model = engine::run(py, || {
            Ok(match problem.student {
                Architecture::Decoder => Model::Decoder(Arc::new(DecoderStudent::open(problem, folder, threads)?)),
                Architecture::Encoder => {
                    Model::Encoder(Box::new(EncoderStudent::open(problem, folder, caches, threads)?))
                }
            })
        });
        Ok(Self { model: model.map_err(method)? })
    }

    fn asked(&self) -> &(dyn Asked + Sync) {
        match &self.model {
            Model::Decoder(student) => student.as_ref(),
            Model::Encoder(student) => student.as_ref(),
        }
    }

    fn decoder(&self) -> PyResult<&Arc<DecoderStudent>> {
        match &self.model {
            Model::Decoder(student) => Ok(student),
            Model::Encoder(_) => Err(Error::new_err(
                "this student is an encoder, which stays frozen: use features(items), then head(weight, bias)",
            )),
        }
    }
}

#[pymethods]
impl Student {
    /// `decoder` (a causal language model) or `encoder` (frozen, read out by a linear head).
    #[getter]
    fn architecture(&self) -> &'static str {
        match self.model {
            Model::Decoder(_) => "decoder",
            Model::Encoder(_) => "encoder",
        }
    }

    /// Layers of a decoder; hidden states have numbers from 0 (the embeddings) to this one (after the final norm).
    #[getter]
    fn layers(&self) -> PyResult<usize> {
        Ok(self.decoder()?.model().config.num_hidden_layers)
    }

    /// Width of a decoder's hidden states.
    #[getter]
    fn hidden_size(&self) -> PyResult<usize> {
        Ok(self.decoder()?.model().config.hidden_size)
    }

    /// Number of words of a decoder.
    #[getter]
    fn vocab_size(&self) -> PyResult<usize> {
        Ok(self.decoder()?.model().config.vocab_size)
    }

    /// Token ids of a text, uint32 `[tokens]`, without special tokens.
    fn encode<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let ids = self.decoder()?.tokenizer().encode(text).map_err(crate::failure::engine)?;
        Ok(line(py, ids))
    }

    /// Items as token rows under the task's prompt, or under the `zero_shot`-th zero-shot prompt; cut so that the prompt's
    /// suffix survives. With `swapped` each pair stands in its other order, which negates a consistent margin.
    #[pyo3(signature = (items, *, zero_shot=None, swapped=false))]
    fn batch(
        &self,
        #[pyo3(from_py_with = items)] items: Vec<aar_domain::item::Item>,
        zero_shot: Option<usize>,
        swapped: bool,
    ) -> PyResult<Batch> {
        let items = if swapped { self::swapped(&items) } else { Some(items) };
        let items = items.ok_or_else(|| PyValueError::new_err("binary items have no other order"))?;
        let (rows, labels) = self.decoder()?.tokenise(zero_shot, &items).map_err(method)?;
        Ok(Batch { rows, labels: Some(labels) })
    }

    /// Logits of the untouched student at each row's last token, float32 `[rows, words]`: of the token ids `words`, by
    /// default the prompt's two label words, positive first. A margin is `logits[:, 0] - logits[:, 1]`.
    #[pyo3(signature = (batch, words=None))]
    fn logits<'py>(
        &self,
        py: Python<'py>,
        batch: &Batch,
        words: Option<Vec<u32>>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let student = self.decoder()?;
        let (rows, words) = readable(student, batch, words)?;
        let logits = engine::run(py, || student.model().last_logits(rows, &words, student.threads()));
        table(py, logits, rows.len(), words.len())
    }

    /// Hidden states of the untouched student, float32 `[rows, layers, hidden]`: after the layers of that number (0 = the
    /// embeddings), at each row's `last` token or as the `mean` over its tokens.
    #[pyo3(signature = (batch, layers=None, *, pool="last"))]
    fn hidden<'py>(
        &self,
        py: Python<'py>,
        batch: &Batch,
        layers: Option<Vec<usize>>,
        pool: &str,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let student = self.decoder()?;
        let (rows, _) = readable(student, batch, None)?;
        let (last, width) = (student.model().config.num_hidden_layers, student.model().config.hidden_size);
        let layers = layers.unwrap_or_else(|| vec![last]);
        if let Some(layer) = layers.iter().find(|&&layer| layer > last) {
            return Err(PyValueError::new_err(format!("there is no layer {layer}: they are 0 to {last}")));
        }
        let pool = match pool {
            "last" => Pooling::Last,
            "mean" => Pooling::Mean,
            other => return Err(PyValueError::new_err(format!("pool is {other:?}; it may be \"last\", \"mean\""))),
        };
        let states = engine::run(py, || student.model().hidden(rows, &layers, pool, student.threads()));
        block(py, states, (rows.len(), layers.len(), width))
    }

    /// Log-probability of every token given those before it, float32 `[tokens]`, natural logarithm; 0 for a row's first.
    fn log_probs<'py>(&self, py: Python<'py>, batch: &Batch) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let student = self.decoder()?;
        let (rows, _) = readable(student, batch, None)?;
        Ok(line(py, engine::run(py, || student.model().log_probs(rows, student.threads()))))
    }

    /// Contrast features of items, float32 `[items, width]`: what a head reads. Swapping a pair negates its row.
    fn features<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = items)] items: Vec<aar_domain::item::Item>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let features = engine::run(py, || self.asked().features(&items)).map_err(method)?;
        table(py, features.values, items.len(), features.width)
    }

    /// Margins of the untouched student asked by the zero-shot prompts, float32 `[items]`, as `lab score` gives them: over both
    /// orders of pairs, less the median for binary items.
    fn zero_shot<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = items)] items: Vec<aar_domain::item::Item>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        Ok(line(py, engine::run(py, || self.asked().zero_shot(&items)).map_err(method)?))
    }

    /// Margins of an artefact (the untouched student without one), float32 `[items]`. `orders`: `single` as written, `both` half the difference
    /// of both orders; `prompt`: `task` or `zero-shot`.
    #[pyo3(signature = (items, artefact=None, *, orders="both", prompt="task"))]
    fn margins<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = items)] items: Vec<aar_domain::item::Item>,
        artefact: Option<&Artefact>,
        orders: &str,
        prompt: &str,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let orders: Orders = choice("orders", orders, ORDERS)?;
        let prompt: PromptChoice = choice("prompt", prompt, PROMPTS)?;
        let artefact = artefact.map_or_else(|| Arc::new(Inner::Base), |artefact| artefact.inner.clone());
        let margins = engine::run(py, || self.asked().margins(&artefact, prompt, &items, orders));
        Ok(line(py, margins.map_err(method)?))
    }

    /// Train a copy. `steps`: of the schedule; `kind`: `full` or `adapter` (of this `rank`); `learning_rate` at its peak and `weight_decay`
    /// as the problem declares them; `schedule`: `linear` or `cosine` (up over `warmup` steps, a tenth by default, then down to 0) or `constant`;
    /// `clip`: largest global norm of the gradient, None for any. AdamW, betas 0.9 and 0.98. `start`: an artefact to go on from
    /// (its kind wins); `seed`: of a fresh adapter.
    #[pyo3(signature = (steps, *, kind="full", rank=8, learning_rate=None, weight_decay=None, schedule="linear", warmup=None, clip=Some(1.0), seed=0, start=None))]
    #[allow(clippy::too_many_arguments)]
    fn trainer(
        &self,
        py: Python<'_>,
        steps: usize,
        kind: &str,
        rank: usize,
        learning_rate: Option<f32>,
        weight_decay: Option<f32>,
        schedule: &str,
        warmup: Option<usize>,
        clip: Option<f32>,
        seed: u64,
        start: Option<&Artefact>,
    ) -> PyResult<Trainer> {
        let student = self.decoder()?;
        let declared = &student.problem().training;
        let settings = Settings {
            steps,
            kind,
            rank,
            learning_rate: learning_rate.unwrap_or(declared.learning_rate),
            weight_decay: weight_decay.unwrap_or(declared.weight_decay),
            schedule,
            warmup,
            clip,
            seed,
        };
        Trainer::new(py, student.clone(), &settings, start.map(|artefact| artefact.inner.clone()))
    }

    /// A linear readout of `features`: margin = features @ weight + bias. `weight`: `[width]`.
    #[pyo3(signature = (weight, bias=0.0))]
    fn head(&self, weight: Numbers<'_>, bias: f32) -> PyResult<Artefact> {
        let width = match &self.model {
            Model::Decoder(student) => student.model().config.hidden_size,
            Model::Encoder(student) => student.width(),
        };
        let weight = read("weight", &weight, &[width])?.into_owned();
        if !bias.is_finite() {
            return Err(PyValueError::new_err(format!("bias is {bias}, a finite number is needed")));
        }
        Ok(Artefact::new(Inner::Head(Head { readout: Readout { weight, bias } })))
    }

    /// The untouched student as an artefact.
    fn base(&self) -> Artefact {
        Artefact::new(Inner::Base)
    }

    /// Read an artefact of a kind (`full`, `adapter`, `head`) from its folder.
    fn load(&self, py: Python<'_>, folder: PathBuf, kind: &str) -> PyResult<Artefact> {
        let kind = choice("kind", kind, &["full", "adapter", "head", "base"])?;
        Ok(Artefact::new(engine::run(py, || self.asked().load(kind, &folder)).map_err(method)?))
    }

    /// Write what predicting reads: `out/student/inference.json` and the artefacts' folders (1 to 8, an ensemble), and `out/report.json` with
    /// the operations so far and the `curve` of (step, loss). `out` is AAR_OUT inside a bundle's `train`. `orders` and `aggregate` (`mean`,
    /// `median`, `trimmed`) say how members answer together. Gives the folder `out/student`.
    #[pyo3(signature = (artefacts, out=None, *, orders="both", aggregate="mean", prompt="task", curve=vec![]))]
    #[allow(clippy::too_many_arguments)]
    fn save(
        &self,
        py: Python<'_>,
        artefacts: Vec<PyRef<'_, Artefact>>,
        out: Option<PathBuf>,
        orders: &str,
        aggregate: &str,
        prompt: &str,
        curve: Vec<(u32, f32)>,
    ) -> PyResult<PathBuf> {
        let out = match (out, environment(py, "AAR_OUT")?) {
            (Some(out), _) => out,
            (None, Some(out)) => out.into(),
            (None, None) => return Err(PyValueError::new_err("out is needed where AAR_OUT is not set")),
        };
        let how: (Orders, Aggregate) = (choice("orders", orders, ORDERS)?, choice("aggregate", aggregate, AGGREGATES)?);
        let prompt: PromptChoice = choice("prompt", prompt, PROMPTS)?;
        let members: Vec<_> = artefacts.iter().map(|artefact| artefact.inner.clone()).collect();
        let members: Vec<_> = members.iter().map(|artefact| (artefact.as_ref(), prompt)).collect();
        save(self.asked(), &members, how, &out.join("student")).map_err(method)?;
        TrainReport::new(engine::operations(), &curve).save(&out).map_err(method)?;
        Ok(out.join("student"))
    }

    /// Margins by what `save` wrote, float32 `[items]`, as `lab predict` gives them. `folder` holds `inference.json`.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        folder: PathBuf,
        #[pyo3(from_py_with = items)] items: Vec<aar_domain::item::Item>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let margins = engine::run(py, || aar_methods::predict::answer(self.asked(), &folder, &items));
        Ok(line(py, margins.map_err(method)?))
    }

    fn __repr__(&self) -> String {
        format!("<aar.Student, {}>", self.architecture())
    }
}

/// The rows, and the words whose logits are asked for, if the student knows both.
pub fn readable<'a>(
    student: &DecoderStudent,
    batch: &'a Batch,
    words: Option<Vec<u32>>,
) -> PyResult<(&'a aar_lm::Rows, Vec<u32>)> {
    let config = &student.model().config;
    let rows = batch.checked(config.vocab_size, config.max_position_embeddings)?;
    let words = match (words, batch.labels) {
        (Some(words), _) => words,
        (None, Some(labels)) => labels.to_vec(),
        (None, None) => student.tokenise(None, &[]).map_err(method)?.1.to_vec(),
    };
    match words.iter().find(|&&word| word as usize >= config.vocab_size) {
        None if words.is_empty() => Err(PyValueError::new_err("words is empty: name at least one")),
        None => Ok((rows, words)),
        Some(word) => {
            let known = config.vocab_size;
            Err(PyValueError::new_err(format!("word {word} is none of the student's {known} words")))
        }
    }
}
