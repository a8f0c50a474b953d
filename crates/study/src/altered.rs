//! Copies of a testbed in which one thing is not what it was, to see what a method rests on.

use crate::error::StudyError;
use aar_domain::item::SoftLabel;
use aar_domain::problem::{Architecture, Problem};
use aar_domain::testbed::TestbedRecord;
use aar_grader::altered;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::path::Path;

/// What is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// A twin problem: the truth of the selection split is shuffled, so nobody can be right about it but who reads it.
    Twin,
    /// The test items: they are the pool, so that answers about what was trained on can be compared with its truth.
    Pool,
    /// The teachers' labels, shuffled among the pool's rows.
    Teacher,
    /// The student: every tensor's numbers shuffled.
    Student,
}

impl Alteration {
    /// All, in the order they are tried.
    pub const ALL: [Alteration; 4] = [Alteration::Twin, Alteration::Pool, Alteration::Teacher, Alteration::Student];

    /// The folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Alteration::Twin => "shuffled-twin",
            Alteration::Pool => "pool-as-test",
            Alteration::Teacher => "shuffled-labels",
            Alteration::Student => "shuffled-student",
        }
    }

    /// Make the altered copy at `place`. Says in words why where it can't be made of this testbed.
    pub fn make(
        self,
        testbed: &Path,
        record: &TestbedRecord,
        place: &Path,
        seed: u64,
    ) -> Result<Option<&'static str>, StudyError> {
        let wrong =
            |error: aar_grader::VaultError| StudyError::Testbed { path: place.to_owned(), detail: error.to_string() };
        if self == Alteration::Student && is_encoder(testbed)? {
            return Ok(Some("its student is a frozen encoder whose features are kept with the items"));
        }
        let pool = match self {
            Alteration::Pool => match aar_worlds::pool::truth(testbed, record)? {
                Some(pool) => pool,
                None => return Ok(Some("the testbed does not keep the truth of its pool")),
            },
            _ => vec![],
        };
        if place.exists() {
            // Half made by a run that was ended.
            fs::remove_dir_all(place).map_err(StudyError::file("remove", place))?;
        }
        copy(testbed, place)?;
        match self {
            Alteration::Twin => altered::shuffle_truth(place, seed).map_err(wrong)?,
            Alteration::Pool => altered::examine_pool(place, &pool).map_err(wrong)?,
            Alteration::Teacher => shuffle_labels(place, seed)?,
            Alteration::Student => shuffle_student(place, seed)?,
        }
        Ok(None)
    }
}

fn is_encoder(testbed: &Path) -> Result<bool, StudyError> {
    let path = testbed.join("public/problem.json");
    let text = fs::read_to_string(&path).map_err(StudyError::file("read", &path))?;
    let problem: Problem =
        serde_json::from_str(&text).map_err(|error| StudyError::Testbed { path, detail: error.to_string() })?;
    Ok(problem.student == Architecture::Encoder)
}

/// Hard links where the file system has them: an altered file is replaced, never written into.
fn copy(from: &Path, to: &Path) -> Result<(), StudyError> {
    fs::create_dir_all(to).map_err(StudyError::file("create", to))?;
    // What only its owner may enter stays so.
    let mode = fs::metadata(from).map_err(StudyError::file("look at", from))?.permissions();
    fs::set_permissions(to, mode).map_err(StudyError::file("set the mode of", to))?;
    for entry in fs::read_dir(from).map_err(StudyError::file("list", from))? {
        let entry = entry.map_err(StudyError::file("list", from))?;
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &place)?;
        } else if fs::hard_link(&source, &place).is_err() {
            fs::copy(&source, &place).map_err(StudyError::file("copy", &source))?;
        }
    }
    Ok(())
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), StudyError> {
    let beside = path.with_extension("altered");
    fs::write(&beside, bytes).map_err(StudyError::file("write", &beside))?;
    fs::rename(&beside, path).map_err(StudyError::file("replace", path))
}

fn shuffle_labels(place: &Path, seed: u64) -> Result<(), StudyError> {
    let folder = place.join("hidden/weak");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(StudyError::file("list", &folder))? {
        paths.push(entry.map_err(StudyError::file("list", &folder))?.path());
    }
    paths.sort();
    for (at, path) in paths.iter().enumerate() {
        let text = fs::read_to_string(path).map_err(StudyError::file("read", path))?;
        let rows: Result<Vec<SoftLabel>, _> = text.lines().map(serde_json::from_str).collect();
        let mut rows = rows.map_err(|error| StudyError::Testbed { path: path.clone(), detail: error.to_string() })?;
        let mut said: Vec<f32> = rows.iter().map(|row| row.p).collect();
        said.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_add(at as u64)));
        rows.iter_mut().zip(said).for_each(|(row, p)| row.p = p);
        let text: String = rows.iter().map(|row| serde_json::to_string(row).unwrap_or_default() + "\n").collect();
        replace(path, text.as_bytes())?;
    }
    Ok(())
}

/// Shuffle numbers within every tensor, so that sizes stay what they were and what was learnt is gone.
fn shuffle_student(place: &Path, seed: u64) -> Result<(), StudyError> {
    let path = place.join("public/student/model.safetensors");
    let mut bytes = fs::read(&path).map_err(StudyError::file("read", &path))?;
    let wrong = || StudyError::Testbed { path: path.clone(), detail: "is no safetensors file".into() };
    let head = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length) as usize).ok_or_else(wrong)?;
    let text = bytes.get(8..8 + head).ok_or_else(wrong)?;
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).map_err(|_| wrong())?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for tensor in header.values().filter(|tensor| tensor["data_offsets"].is_array()) {
        let at = |index: usize| tensor["data_offsets"][index].as_u64().map(|at| 8 + head + at as usize);
        let data = at(0).zip(at(1)).and_then(|(from, to)| bytes.get_mut(from..to)).ok_or_else(wrong)?;
        match tensor["dtype"].as_str() {
            Some("F32") => data.as_chunks_mut::<4>().0.shuffle(&mut rng),
            Some("F16" | "BF16") => data.as_chunks_mut::<2>().0.shuffle(&mut rng),
            _ => {}
        }
    }
    replace(&path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harbour() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour")
    }

    #[test]
    fn one_thing_changes_and_the_original_does_not() {
        let record = crate::testbed::open(&harbour()).unwrap().record;
        let dir = tempfile::tempdir().unwrap();
        for (alteration, changed) in [
            (Alteration::Teacher, "hidden/weak/03.jsonl"),
            (Alteration::Student, "public/student/model.safetensors"),
            (Alteration::Pool, "hidden/inputs/selection.jsonl"),
        ] {
            let (original, place) = (harbour().join(changed), dir.path().join(alteration.name()));
            let before = fs::read(&original).unwrap();
            assert_eq!(alteration.make(&harbour(), &record, &place, 1).unwrap(), None);
            assert_eq!(fs::read(&original).unwrap(), before, "{changed} of the original");
            assert_ne!(fs::read(place.join(changed)).unwrap(), before, "{changed} of the copy");
            let same = "hidden/inputs/feedback.jsonl";
            assert_eq!(fs::read(place.join(same)).unwrap(), fs::read(harbour().join(same)).unwrap());
            aar_grader::Vault::open(&place).unwrap();
        }
    }
}
