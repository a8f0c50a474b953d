//! The public half of a testbed, or the input folder of a bundle's `train`.

use crate::arrays::line;
use crate::failure::{Error, method};
use crate::items::{environment, json};
use crate::student::Student;
use aar_domain::problem::Problem;
use aar_methods::pool::Pool;
use aar_methods::train::read_problem;
use numpy::PyArray1;
use pyo3::prelude::*;
use std::path::PathBuf;

/// What a researcher may hold of a testbed: problem, pool, soft labels, student. `folder` is AAR_IN (inside a bundle's
/// `train`), else AAR_DATA (at the bench), else /data.
#[pyclass(frozen, module = "aar")]
pub struct Data {
    folder: PathBuf,
    problem: Problem,
    pool: Pool,
}

#[pymethods]
impl Data {
    #[new]
    #[pyo3(signature = (folder=None))]
    fn new(py: Python<'_>, folder: Option<PathBuf>) -> PyResult<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None => match (environment(py, "AAR_IN")?, environment(py, "AAR_DATA")?) {
                (Some(folder), _) | (None, Some(folder)) => folder.into(),
                (None, None) => "/data".into(),
            },
        };
        let problem = read_problem(&folder.join("problem.json")).map_err(method)?;
        let pool = Pool::load(&folder.join("pool.jsonl"), &folder.join("weak.jsonl")).map_err(method)?;
        Ok(Self { folder, problem, pool })
    }

    /// The folder.
    #[getter]
    fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// `problem.json`: task, prompts with their label words, the declared training.
    #[getter]
    fn problem<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json(py, &self.problem)
    }

    /// The pool: a list of unlabelled items, made anew each time.
    #[getter]
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json(py, &self.pool.items)
    }

    /// One teacher's soft labels, float32 `[items]`, P(positive) in the order of `items`; made anew each time.
    #[getter]
    fn weak<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        line(py, self.pool.weak.clone())
    }

    /// The evaluation's seed for all random choices, inside a bundle's `train`; None at the bench.
    #[getter]
    fn seed(&self) -> PyResult<Option<u64>> {
        let path = self.folder.join("seed");
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let seed = text.trim().parse();
        seed.map(Some).map_err(|_| Error::new_err(format!("{}: {:?} is no seed", path.display(), text.trim())))
    }

    /// The untouched student. `threads`: of its passes; AAR_THREADS, else 1.
    #[pyo3(signature = (threads=None))]
    fn student(&self, py: Python<'_>, threads: Option<usize>) -> PyResult<Student> {
        let threads = match threads {
            Some(threads) => threads,
            None => environment(py, "AAR_THREADS")?.and_then(|text| text.parse().ok()).unwrap_or(1),
        };
        let cache = self.folder.join("pool.features.safetensors");
        let caches: Vec<_> = cache.exists().then_some(cache).into_iter().collect();
        Student::open(py, &self.problem, &self.folder.join("student"), &caches, threads.max(1))
    }

    fn __repr__(&self) -> String {
        format!("<aar.Data in {}: {} items>", self.folder.display(), self.pool.items.len())
    }
}
