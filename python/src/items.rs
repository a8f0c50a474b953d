//! Items, words and JSON between Python and Rust.

use crate::failure::Error;
use aar_domain::item::Item;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Items from dicts.
pub fn items(given: &Bound<'_, PyAny>) -> PyResult<Vec<Item>> {
    given.try_iter()?.enumerate().map(|(at, dict)| item(at, &dict?)).collect()
}

fn item(at: usize, dict: &Bound<'_, PyAny>) -> PyResult<Item> {
    let has = |key: &str| dict.contains(key);
    let text = |key: &str| -> PyResult<String> {
        let value = dict.get_item(key).map_err(|_| {
            let right = "a pair has id, prompt, first, second; a binary item id, question, choice";
            PyKeyError::new_err(format!("item {at} has no {key:?}: {right}"))
        })?;
        value.extract().map_err(|_| PyTypeError::new_err(format!("item {at}: {key:?} must be a str")))
    };
    let is_dict = dict.hasattr("keys")?;
    if !is_dict {
        let kind = dict.get_type().name()?;
        return Err(PyTypeError::new_err(format!("item {at} is a {kind}: items are dicts, as the rows of pool.jsonl")));
    }
    let id = text("id")?.as_str().into();
    Ok(if has("question")? {
        Item::Binary { id, question: text("question")?, choice: text("choice")? }
    } else {
        Item::Preference { id, prompt: text("prompt")?, first: text("first")?, second: text("second")? }
    })
}

/// A value as `json.loads` gives it.
pub fn json<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| Error::new_err(error.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}

/// One of a few words; an error lists them.
pub fn choice<T: DeserializeOwned>(name: &str, given: &str, known: &[&str]) -> PyResult<T> {
    let value = known.contains(&given).then(|| serde_json::from_value(given.into()).ok()).flatten();
    value.ok_or_else(|| {
        let known = known.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        PyValueError::new_err(format!("{name} is {given:?}; it may be {known}"))
    })
}

/// A variable of Python's own environment, which a program may have changed since it started.
pub fn environment(py: Python<'_>, name: &str) -> PyResult<Option<String>> {
    py.import("os")?.getattr("environ")?.call_method1("get", (name,))?.extract()
}
