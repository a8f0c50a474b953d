//! Lay out what a phase may see as a folder of its own, so that one read-only mount is all a sandbox needs.

use crate::error::EvaluationError;
use aar_api::bundle::Bundle;
use aar_api::work::Job;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The folders of one job. Removed when dropped.
pub struct Stage {
    root: tempfile::TempDir,
}

impl Stage {
    /// Fresh folders below `scratch`.
    pub fn new(scratch: &Path) -> Result<Self, EvaluationError> {
        let root = tempfile::Builder::new()
            .prefix("job-")
            .tempdir_in(scratch)
            .map_err(EvaluationError::file("create a job folder in", scratch))?;
        let stage = Self { root };
        for folder in [stage.input(), stage.output(), stage.predict_input(), stage.predict_output()] {
            fs::create_dir(&folder).map_err(EvaluationError::file("create", &folder))?;
        }
        Ok(stage)
    }

    /// What `train` reads.
    pub fn input(&self) -> PathBuf {
        self.root.path().join("in")
    }

    /// What `train` has no business with.
    pub fn decoys(&self) -> PathBuf {
        self.root.path().join("labels")
    }

    /// What `train` writes.
    pub fn output(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// What predicting reads.
    pub fn predict_input(&self) -> PathBuf {
        self.root.path().join("predict-in")
    }

    /// What predicting writes.
    pub fn predict_output(&self) -> PathBuf {
        self.root.path().join("predict-out")
    }

    /// Lay out the train phase: public half, the job's soft labels, the bundle, seed and budget. No test input.
    pub fn train(&self, testbed: &Path, job: &Job, bundle: &Bundle, budget: &str) -> Result<(), EvaluationError> {
        let input = self.input();
        let public = testbed.join("public");
        link_tree(&public, &input)?;
        let weak = testbed.join(format!("hidden/weak/{:02}.jsonl", job.teacher));
        let place = input.join("weak.jsonl");
        fs::remove_file(&place).map_err(EvaluationError::file("replace", &place))?;
        link(&weak, &place)?;
        write(&input.join("seed"), job.seed.to_string().as_bytes(), false)?;
        write(&input.join("budget.toml"), budget.as_bytes(), false)?;
        unpack(bundle, &input.join("bundle"))
    }

    /// Lay out the predict phase: student, problem, hidden inputs. The artefacts are moved in by [`crate::artefacts`].
    pub fn predict(&self, testbed: &Path, job: &Job) -> Result<(), EvaluationError> {
        let input = self.predict_input();
        link_tree(&testbed.join("public/student"), &input.join("student"))?;
        link(&testbed.join("public/problem.json"), &input.join("problem.json"))?;
        let inputs = testbed.join("hidden/inputs");
        for suffix in [".jsonl", ".features.safetensors"] {
            let source = inputs.join(format!("{}{suffix}", job.split.name()));
            if source.exists() {
                link(&source, &input.join(format!("items{suffix}")))?;
            }
        }
        Ok(())
    }
}

fn unpack(bundle: &Bundle, folder: &Path) -> Result<(), EvaluationError> {
    bundle.check().map_err(|error| EvaluationError::bundle(error.to_string()))?;
    for file in &bundle.files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(EvaluationError::file("create", parent))?;
        }
        let bytes = hex::decode(&file.hex)
            .map_err(|error| EvaluationError::bundle(format!("{} is not hex: {error}", file.path)))?;
        write(&path, &bytes, file.executable)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], executable: bool) -> Result<(), EvaluationError> {
    fs::write(path, bytes).map_err(EvaluationError::file("write", path))?;
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(EvaluationError::file("set the mode of", path))
}

/// Link every regular file below `from` to the same place below `to`.
fn link_tree(from: &Path, to: &Path) -> Result<(), EvaluationError> {
    fs::create_dir_all(to).map_err(EvaluationError::file("create", to))?;
    for entry in fs::read_dir(from).map_err(EvaluationError::file("list", from))? {
        let entry = entry.map_err(EvaluationError::file("list", from))?;
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() { link_tree(&source, &place)? } else { link(&source, &place)? }
    }
    Ok(())
}

/// A hard link, which costs nothing, or a copy where the folders are on different file systems. Never a
/// symbolic link: its target would not exist inside.
fn link(from: &Path, to: &Path) -> Result<(), EvaluationError> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map(|_| ()).map_err(EvaluationError::file("copy", from))
}
