//! Answer items with what a training left: the only code of the predict sandbox.

use crate::error::MethodError;
use crate::pool::read_jsonl;
use crate::student::{self, Student};
use crate::train::{combine, read_problem};
use aar_domain::inference::Inference;
use aar_domain::item::Item;
use std::path::Path;

/// Margins of `items` (a JSONL file), in order. `artefacts` holds `inference.json` and the members' folders.
pub fn run(
    student_dir: &Path,
    artefacts: &Path,
    problem: &Path,
    items: &Path,
    threads: usize,
) -> Result<Vec<f32>, MethodError> {
    let problem = read_problem(problem)?;
    let rows: Vec<Item> = read_jsonl(items)?;
    let cache = items.with_extension("features.safetensors");
    let caches: Vec<_> = cache.exists().then_some(cache).into_iter().collect();
    let student = student::open(&problem, student_dir, &caches, threads)?;
    answer(student.as_ref(), artefacts, &rows)
}

/// Margins of items, in order, by the inference recipe and the members of a folder.
pub fn answer(student: &dyn Student, artefacts: &Path, rows: &[Item]) -> Result<Vec<f32>, MethodError> {
    let path = artefacts.join("inference.json");
    let text = std::fs::read(&path).map_err(MethodError::file("read", &path))?;
    let inference: Inference =
        serde_json::from_slice(&text).map_err(|error| MethodError::Inference(error.to_string()))?;
    inference.check().map_err(|error| MethodError::Inference(error.to_string()))?;
    let mut members = Vec::new();
    for member in &inference.members {
        let artefact = student.load(member.kind, &artefacts.join(&member.path))?;
        members.push(student.margins(&artefact, member.prompt, rows, inference.orders)?);
    }
    let margins = combine(&members, inference.aggregate);
    if margins.iter().any(|margin| !margin.is_finite()) {
        return Err(MethodError::Inference("the students answer with NaN or infinity".into()));
    }
    Ok(margins)
}
