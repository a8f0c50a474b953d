//! Token rows.

use crate::arrays::{Ids, line};
use aar_lm::Rows;
use numpy::{PyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

/// Token rows laid end to end, without padding. Of a student's making (`Student.batch`), or of your own: `Batch(rows)` with one
/// sequence of token ids per row. `len(batch)` is the number of rows; `a + b` lays two batches end to end.
#[pyclass(frozen, module = "aar")]
pub struct Batch {
    pub rows: Rows,
    /// The label words' ids, positive first, of the prompt that made it.
    pub labels: Option<[u32; 2]>,
}

#[pymethods]
impl Batch {
    #[new]
    fn new(rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut out = Rows::new();
        for (at, row) in rows.try_iter()?.enumerate() {
            let row: Ids<'_> = row?.extract()?;
            if row.ndim() != 1 || row.is_empty() {
                return Err(PyValueError::new_err(format!("row {at}: one or more token ids in a line are needed")));
            }
            out.push(&row.as_array().iter().copied().collect::<Vec<u32>>());
        }
        Ok(Self { rows: out, labels: None })
    }

    /// All tokens, uint32 `[tokens]`, a copy.
    #[getter]
    fn tokens<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        line(py, self.rows.tokens.clone())
    }

    /// The rows' bounds, int64 `[rows + 1]`, a copy: row `i` is `tokens[offsets[i]:offsets[i + 1]]`.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        line(py, self.rows.offsets.iter().map(|&offset| offset as i64).collect())
    }

    /// Some of the rows, in the order of `indices` (whole numbers from 0; the same may occur twice).
    fn take(&self, indices: Vec<usize>) -> PyResult<Self> {
        let mut rows = Rows::new();
        for at in indices {
            if at >= self.rows.len() {
                return Err(PyIndexError::new_err(format!("row {at} of a batch of {}", self.rows.len())));
            }
            rows.push(self.rows.row(at));
        }
        Ok(Self { rows, labels: self.labels })
    }

    fn __len__(&self) -> usize {
        self.rows.len()
    }

    fn __add__(&self, other: &Batch) -> Self {
        let mut rows = self.rows.clone();
        (0..other.rows.len()).for_each(|at| rows.push(other.rows.row(at)));
        Self { rows, labels: self.labels.or(other.labels) }
    }

    fn __repr__(&self) -> String {
        format!("<aar.Batch of {} rows, {} tokens>", self.rows.len(), self.rows.tokens.len())
    }
}

impl Batch {
    /// The rows, if a model with that many words can read them.
    pub fn checked(&self, vocab: usize, longest: usize) -> PyResult<&Rows> {
        if let Some(token) = self.rows.tokens.iter().find(|&&token| token as usize >= vocab) {
            return Err(PyValueError::new_err(format!("token {token} is none of the student's {vocab} words")));
        }
        if self.rows.longest() > longest {
            let length = self.rows.longest();
            return Err(PyValueError::new_err(format!(
                "a row has {length} tokens, the student reads at most {longest}"
            )));
        }
        if self.rows.is_empty() || self.rows.offsets.windows(2).any(|row| row[0] == row[1]) {
            return Err(PyValueError::new_err("a batch needs at least one row, and each row at least one token"));
        }
        Ok(&self.rows)
    }
}
