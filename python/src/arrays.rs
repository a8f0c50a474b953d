//! Arrays in and out.

use numpy::ndarray::{Array1, Array2, Array3};
use numpy::{AllowTypeChange, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayLikeDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::borrow::Cow;

/// Numbers of any shape: an array, which is read where it lies if it is contiguous float32, or what NumPy makes one of.
pub type Numbers<'py> = PyArrayLikeDyn<'py, f32, AllowTypeChange>;
/// Whole numbers, likewise (uint32).
pub type Ids<'py> = PyArrayLikeDyn<'py, u32, AllowTypeChange>;

/// Move a vector into an array `[n]`.
pub fn line<T: numpy::Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyArray1<T>> {
    Array1::from_vec(values).into_pyarray(py)
}

/// Move a vector into an array `[rows, width]`.
pub fn table(py: Python<'_>, values: Vec<f32>, rows: usize, width: usize) -> PyResult<Bound<'_, PyArray2<f32>>> {
    let array =
        Array2::from_shape_vec((rows, width), values).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(array.into_pyarray(py))
}

/// Move a vector into an array `[rows, depth, width]`.
pub fn block(
    py: Python<'_>,
    values: Vec<f32>,
    (rows, depth, width): (usize, usize, usize),
) -> PyResult<Bound<'_, PyArray3<f32>>> {
    let array = Array3::from_shape_vec((rows, depth, width), values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(array.into_pyarray(py))
}

/// An argument's values if it has this shape and all are finite; copied only where they do not lie in order.
pub fn read<'a>(name: &str, array: &'a Numbers<'_>, shape: &[usize]) -> PyResult<Cow<'a, [f32]>> {
    if array.shape() != shape {
        return Err(PyValueError::new_err(format!(
            "{name} has shape {}, {} is needed",
            tuple(array.shape()),
            tuple(shape)
        )));
    }
    // A slice of an array in column order would be its memory, not its rows.
    let in_place = if array.is_c_contiguous() { array.as_slice().ok() } else { None };
    let values = in_place.map_or_else(|| Cow::Owned(array.as_array().iter().copied().collect()), Cow::Borrowed);
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => {
            Err(PyValueError::new_err(format!("{name}: value {at} is {}, finite numbers are needed", values[at])))
        }
    }
}

/// Values in a range, `[n]`; `None` gives `default` for all.
pub fn read_within(
    name: &str,
    array: Option<&Numbers<'_>>,
    n: usize,
    (low, high): (f32, f32),
    default: f32,
) -> PyResult<Vec<f32>> {
    let Some(array) = array else { return Ok(vec![default; n]) };
    let values = read(name, array, &[n])?;
    match values.iter().position(|value| !(low..=high).contains(value)) {
        None => Ok(values.into_owned()),
        Some(at) => {
            let value = values[at];
            Err(PyValueError::new_err(format!("{name}: value {at} is {value}, it must lie in [{low}, {high}]")))
        }
    }
}

/// A shape as Python writes it.
pub fn tuple(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        several => format!("({})", several.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}
