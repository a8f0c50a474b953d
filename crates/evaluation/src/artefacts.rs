//! Take over what a stranger's code left: plain files named by a checked inference recipe, nothing else.

use crate::error::EvaluationError;
use aar_domain::inference::{Inference, MemberKind};
use std::fs;
use std::path::Path;

/// The most bytes of artefacts one job may leave.
pub const MAX_BYTES: u64 = 512 << 20;

/// Move `output/student`'s inference recipe and the files it needs to `place`. Links, devices, unknown names and
/// oversized files are refused, so that the predict phase reads only data. Contents (shapes, finiteness) are checked there.
pub fn take_over(output: &Path, place: &Path) -> Result<Inference, EvaluationError> {
    let student = output.join("student");
    if !is_plain_dir(&student) {
        return Err(EvaluationError::bundle("train left no student/ folder in its output"));
    }
    let recipe = student.join("inference.json");
    let text = read_plain(&recipe, 64 << 10)?;
    let inference: Inference = serde_json::from_slice(&text)
        .map_err(|error| EvaluationError::bundle(format!("student/inference.json: {error}")))?;
    inference.check().map_err(|error| EvaluationError::bundle(format!("student/inference.json: {error}")))?;
    fs::create_dir_all(place).map_err(EvaluationError::file("create", place))?;
    fs::write(place.join("inference.json"), &text).map_err(EvaluationError::file("write", place))?;
    let mut left = MAX_BYTES;
    for member in &inference.members {
        let names: &[&str] = match member.kind {
            MemberKind::Full => &["config.json", "model.safetensors"],
            MemberKind::Adapter => &["adapter_config.json", "adapter_model.safetensors"],
            MemberKind::Head => &["head.json", "head.safetensors"],
            MemberKind::Base => continue,
        };
        let folder = student.join(&member.path);
        if !is_plain_dir(&folder) {
            return Err(EvaluationError::bundle(format!(
                "student/{} is named by inference.json but is no folder",
                member.path
            )));
        }
        let to = place.join(&member.path);
        fs::create_dir_all(&to).map_err(EvaluationError::file("create", &to))?;
        for name in names {
            left -= move_plain(&folder.join(name), &to.join(name), left)?;
        }
    }
    Ok(inference)
}

fn is_plain_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn plain_len(path: &Path, limit: u64) -> Result<u64, EvaluationError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let meta = fs::symlink_metadata(path)
        .map_err(|_| EvaluationError::bundle(format!("{name} is missing from the trained student")))?;
    if !meta.is_file() {
        return Err(EvaluationError::bundle(format!("{name} is not a plain file")));
    }
    if meta.len() > limit {
        return Err(EvaluationError::bundle(format!("{name} has {} bytes, only {limit} are allowed", meta.len())));
    }
    Ok(meta.len())
}

fn read_plain(path: &Path, limit: u64) -> Result<Vec<u8>, EvaluationError> {
    plain_len(path, limit)?;
    fs::read(path).map_err(EvaluationError::file("read", path))
}

/// Returns the file's size. A file that is already in place (two members sharing a folder) costs nothing.
fn move_plain(from: &Path, to: &Path, limit: u64) -> Result<u64, EvaluationError> {
    if to.exists() {
        return Ok(0);
    }
    let len = plain_len(from, limit)?;
    fs::copy(from, to).map_err(EvaluationError::file("copy", from))?;
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(lay_out: impl Fn(&Path), expect: &str) {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("out");
        fs::create_dir_all(output.join("student")).unwrap();
        lay_out(&output.join("student"));
        let error = take_over(&output, &root.path().join("taken")).unwrap_err().to_string();
        assert!(error.contains(expect), "{error:?} does not say {expect:?}");
    }

    const ONE_HEAD: &str =
        r#"{"format":1,"orders":"single","aggregate":"mean","members":[{"kind":"head","path":"h"}]}"#;

    #[test]
    fn nothing_but_named_plain_files_is_taken_over() {
        refused(|_| (), "inference.json is missing");
        refused(|at| fs::write(at.join("inference.json"), "{").unwrap(), "inference.json");
        refused(|at| fs::write(at.join("inference.json"), ONE_HEAD).unwrap(), "is no folder");
        refused(
            |at| {
                fs::write(at.join("inference.json"), ONE_HEAD).unwrap();
                std::os::unix::fs::symlink("/etc", at.join("h")).unwrap();
            },
            "is no folder",
        );
        refused(
            |at| {
                fs::write(at.join("inference.json"), ONE_HEAD).unwrap();
                fs::create_dir(at.join("h")).unwrap();
                std::os::unix::fs::symlink("/etc/hostname", at.join("h/head.json")).unwrap();
            },
            "not a plain file",
        );
        refused(
            |at| std::os::unix::fs::symlink("/etc/hostname", at.join("inference.json")).unwrap(),
            "not a plain file",
        );
    }

    #[test]
    fn unnamed_files_stay_behind() {
        let root = tempfile::tempdir().unwrap();
        let (output, place) = (root.path().join("out"), root.path().join("taken"));
        fs::create_dir_all(output.join("student/h")).unwrap();
        fs::write(output.join("student/inference.json"), ONE_HEAD).unwrap();
        for name in ["head.json", "head.safetensors", "notes.txt"] {
            fs::write(output.join("student/h").join(name), "x").unwrap();
        }
        take_over(&output, &place).unwrap();
        assert!(place.join("h/head.json").exists());
        assert!(!place.join("h/notes.txt").exists());
    }
}
