//! A study's directory.
//!
//! ```text
//! study.json    format, plan and its hash            study.db   the event log
//! key           the study's key, its owner's alone   testbed/   a freshly minted or imported testbed
//! lock          held while it runs                   run/       socket, workers' scratch (gone after)
//! researchers/  their workspaces                     result.json, report.html
//! ```

use crate::error::StudyError;
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The newest format of a study's directory.
pub const STUDY_FORMAT: u32 = 1;

/// How often, and after which pause, a lock that somebody holds is tried for again.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// `study.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyFile {
    /// [`STUDY_FORMAT`] when it was made.
    pub format: u32,
    /// SHA-256 of the plan.
    pub hash: String,
    /// The plan.
    pub plan: Plan,
}

/// An opened directory; locked until dropped.
pub struct StudyDirectory {
    root: PathBuf,
    _lock: File,
}

/// Whether the lock could be had. Where a run was killed while it started a process, that one holds the lock until it has become
/// another program: a moment later it is free.
fn held(lock: &File) -> bool {
    let free = || lock.try_lock().is_ok();
    let again = |_| {
        std::thread::sleep(LOCK_PAUSE);
        free()
    };
    free() || (0..LOCK_TRIES).any(again)
}

impl StudyDirectory {
    /// Make the directory, or open it where it is this plan's. Returns whether it was there.
    pub fn open(root: &Path, plan: &Plan) -> Result<(Self, bool), StudyError> {
        let file = root.join("study.json");
        if root.exists() && !file.exists() && root.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(StudyError::OtherStudy {
                path: root.to_owned(),
                detail: "it is not empty and has no study.json".into(),
            });
        }
        fs::create_dir_all(root).map_err(StudyError::file("create", root))?;
        let root = root.canonicalize().map_err(StudyError::file("find", root))?;
        let known = file.exists();
        if known {
            let found = read(&root)?;
            if found.hash != plan.hash() {
                return Err(StudyError::OtherStudy { path: root, detail: difference(&found.plan, plan) });
            }
        }
        let path = root.join("lock");
        let lock = File::create(&path).map_err(StudyError::file("create", &path))?;
        if !held(&lock) {
            return Err(StudyError::Locked(root));
        }
        if !known {
            let file = StudyFile { format: STUDY_FORMAT, hash: plan.hash(), plan: plan.clone() };
            write_whole(&root.join("study.json"), &(serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"))?;
        }
        Ok((Self { root, _lock: lock }, known))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A folder in it, made where it is missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf, StudyError> {
        let path = self.root.join(name);
        fs::create_dir_all(&path).map_err(StudyError::file("create", &path))?;
        Ok(path)
    }
}

/// Read `study.json` of a directory.
pub fn read(root: &Path) -> Result<StudyFile, StudyError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let path = root.join("study.json");
    let text = fs::read_to_string(&path).map_err(StudyError::file("read", &path))?;
    let wrong = |error: serde_json::Error| StudyError::OtherStudy { path: path.clone(), detail: error.to_string() };
    let Format { format } = serde_json::from_str(&text).map_err(wrong)?;
    if format > STUDY_FORMAT {
        return Err(StudyError::Newer { path: root.to_owned(), found: format, known: STUDY_FORMAT });
    }
    serde_json::from_str(&text).map_err(wrong)
}

/// The first setting in which two plans differ.
fn difference(found: &Plan, wanted: &Plan) -> String {
    let flat = |plan: &Plan| {
        let value = serde_json::to_value(plan).unwrap_or_default();
        let mut out = Vec::new();
        flatten("", &value, &mut out);
        out
    };
    let (found, wanted) = (flat(found), flat(wanted));
    let other =
        found.iter().find(|pair| !wanted.contains(pair)).or_else(|| wanted.iter().find(|pair| !found.contains(pair)));
    match other {
        Some((key, _)) => {
            let of = |list: &[(String, String)]| {
                list.iter().find(|(k, _)| k == key).map_or("absent".into(), |(_, v)| v.clone())
            };
            format!("its {key} is {}, this study's is {}", of(&found), of(&wanted))
        }
        None => "it was made by another version's finalist rule or analysis".into(),
    }
}

fn flatten(place: &str, value: &serde_json::Value, out: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                flatten(&if place.is_empty() { key.clone() } else { format!("{place}.{key}") }, value, out);
            }
        }
        other => out.push((place.to_owned(), other.to_string())),
    }
}

/// Write a file whole or not at all.
pub fn write_whole(path: &Path, text: &str) -> Result<(), StudyError> {
    let temporary = path.with_extension("partial");
    fs::write(&temporary, text).map_err(StudyError::file("write", &temporary))?;
    fs::rename(&temporary, path).map_err(StudyError::file("rename to", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::LAPTOP;

    fn plan(sets: &[&str]) -> Plan {
        let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
        Plan::read(LAPTOP, "laptop.toml", false, &sets).unwrap()
    }

    #[test]
    fn the_same_plan_opens_again_and_another_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("study");
        let (open, known) = StudyDirectory::open(&root, &plan(&[])).unwrap();
        assert!(!known);
        assert!(matches!(StudyDirectory::open(&root, &plan(&[])), Err(StudyError::Locked(_))));
        drop(open);
        assert!(StudyDirectory::open(&root, &plan(&[])).unwrap().1);
        let error = StudyDirectory::open(&root, &plan(&["close.seeds=5"])).err().unwrap().to_string();
        assert!(error.contains("its close.seeds is 10, this study's is 5"), "{error}");
    }

    #[test]
    fn foreign_and_newer_directories_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "x").unwrap();
        assert!(matches!(StudyDirectory::open(dir.path(), &plan(&[])), Err(StudyError::OtherStudy { .. })));
        fs::write(dir.path().join("study.json"), r#"{"format": 99}"#).unwrap();
        assert!(matches!(StudyDirectory::open(dir.path(), &plan(&[])), Err(StudyError::Newer { found: 99, .. })));
        assert_eq!(dir.path().read_dir().unwrap().count(), 2, "nothing was written");
    }
}
