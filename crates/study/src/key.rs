//! The study's key: 256 bits that draw the evaluation seeds and the tokens. Committed to at the start, opened at the close.

use crate::error::StudyError;
use aar_domain::rung::Split;
use aar_server::event::Seed;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The key. `Debug` shows nothing.
#[derive(Clone)]
pub struct StudyKey([u8; 32]);

impl fmt::Debug for StudyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StudyKey(…)")
    }
}

impl StudyKey {
    /// From the operating system.
    pub fn draw() -> Result<Self, StudyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(StudyError::Entropy)?;
        Ok(Self(bytes))
    }

    /// Of a demonstration: who knows the seed knows the key, and the study says so.
    pub fn of_seed(seed: u64) -> Self {
        Self(Sha256::new().chain_update("aar demonstration study").chain_update(seed.to_le_bytes()).finalize().into())
    }

    /// Read the key file.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = std::fs::read_to_string(path).map_err(StudyError::file("read", path))?;
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| StudyError::OtherStudy {
            path: path.to_owned(),
            detail: "the key file is not 64 hexadecimal digits".into(),
        })
    }

    /// Read the key file, or make one that only its owner may read.
    pub fn load_or(path: &Path, make: impl FnOnce() -> Result<Self, StudyError>) -> Result<Self, StudyError> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        if path.exists() {
            return Self::read(path);
        }
        let key = make()?;
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(StudyError::file("create", path))?;
        file.write_all(key.reveal().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(StudyError::file("write", path))?;
        Ok(key)
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update(purpose).finalize().into()
    }

    /// SHA-256 of the key.
    pub fn commitment(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }

    /// 64 hexadecimal digits.
    pub fn reveal(&self) -> String {
        hex::encode(self.0)
    }

    /// Seeds how something is shuffled.
    pub fn shuffle(&self, what: &str) -> u64 {
        let bytes = self.derive(&format!("shuffle {what}"));
        u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default())
    }

    /// A participant's token.
    pub fn token(&self, name: &str) -> String {
        hex::encode(&self.derive(&format!("token {name}"))[..16])
    }

    /// SHA-256 of a participant's token, hex.
    pub fn token_hash(&self, name: &str) -> String {
        hex::encode(Sha256::digest(self.token(name)))
    }

    /// The evaluation seeds of both splits: every one with a teacher of its own, none twice.
    pub fn seeds(&self, feedback: usize, selection: usize) -> BTreeMap<Split, Vec<Seed>> {
        let mut teachers: Vec<u32> = (0..16).collect();
        teachers.sort_by_key(|teacher| self.derive(&format!("teacher {teacher}")));
        let seed = |(at, teacher): (usize, u32)| {
            let bytes = self.derive(&format!("evaluation seed {at}"));
            let value = u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default());
            // Positive as a signed number too: whatever language `train` is written in can read it.
            Seed { seed: value >> 1, teacher }
        };
        let mut all = teachers.into_iter().enumerate().map(seed);
        let first: Vec<Seed> = all.by_ref().take(feedback).collect();
        [(Split::Feedback, first), (Split::Selection, all.take(selection).collect())].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn splits_share_neither_seed_nor_teacher() {
        let seeds = StudyKey::of_seed(3).seeds(3, 10);
        let all: Vec<Seed> = seeds.values().flatten().copied().collect();
        assert_eq!(all.len(), 13);
        assert_eq!(all.iter().map(|seed| seed.teacher).collect::<BTreeSet<_>>().len(), 13);
        assert_eq!(all.iter().map(|seed| seed.seed).collect::<BTreeSet<_>>().len(), 13);
        assert_ne!(StudyKey::of_seed(3).seeds(3, 10), StudyKey::of_seed(4).seeds(3, 10));
    }

    #[test]
    fn a_key_is_made_once_and_is_its_owners() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let first = StudyKey::load_or(&path, StudyKey::draw).unwrap();
        let second = StudyKey::load_or(&path, StudyKey::draw).unwrap();
        assert_eq!(first.commitment(), second.commitment());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(format!("{first:?}"), "StudyKey(…)");
    }
}
