//! What a mint that is stopped goes on from: its secret and the draws that were refused, in `OUT.mint/` until the world is there.

use crate::failure::{CREATE, Failure, IO};
use aar_worlds::mint::Attempt;
use aar_worlds::secret::Secret;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The journal of one world.
pub struct Journal {
    folder: PathBuf,
    /// The world's.
    pub secret: Secret,
    /// Draws that ended before.
    pub ended: Vec<Attempt>,
}

/// What has to be the same for a mint to go on.
#[derive(PartialEq, Serialize, Deserialize)]
struct Head {
    generator: String,
    mechanism: String,
    demonstration: bool,
    secret: String,
}

impl Journal {
    /// The journal beside `out`; with `secret` where there is none yet.
    pub fn open(
        out: &Path,
        generator: &str,
        mechanism: &str,
        demonstration: bool,
        secret: Secret,
    ) -> Result<Self, Failure> {
        let mut name = out.as_os_str().to_owned();
        name.push(".mint");
        let folder = PathBuf::from(name);
        let head = folder.join("secret.json");
        let failed =
            |path: &Path, source: &dyn std::fmt::Display| Failure::new(IO, format!("{}: {source}", path.display()));
        let mut wanted =
            Head { generator: generator.into(), mechanism: mechanism.into(), demonstration, secret: secret.reveal() };
        if !head.exists() {
            fs::create_dir_all(&folder).map_err(|source| failed(&folder, &source))?;
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).mode(0o600).open(&head).map_err(|e| failed(&head, &e))?;
            let text = serde_json::to_string(&wanted).unwrap_or_default();
            file.write_all(text.as_bytes()).map_err(|source| failed(&head, &source))?;
            return Ok(Self { folder, secret, ended: vec![] });
        }
        let text = fs::read_to_string(&head).map_err(|source| failed(&head, &source))?;
        let found: Head = serde_json::from_str(&text).map_err(|source| failed(&head, &source))?;
        if !demonstration {
            wanted.secret.clone_from(&found.secret);
        }
        let secret = Secret::from_hex(&found.secret).filter(|_| found == wanted).ok_or_else(|| {
            let detail = format!("{} is of a mint with other settings or of an earlier generator", folder.display());
            Failure::new(CREATE, detail).hint(format!("remove {}, or choose another --out", folder.display()))
        })?;
        let path = folder.join("attempts.jsonl");
        let text =
            if path.exists() { fs::read_to_string(&path).map_err(|e| failed(&path, &e))? } else { String::new() };
        // A last line that was cut off is a draw that is made again; an accepted one ends in the world, or is made again.
        let ended = text.lines().map_while(|line| serde_json::from_str::<Attempt>(line).ok());
        let ended = ended.take_while(|attempt| attempt.outcome != "accepted").collect();
        Ok(Self { folder, secret, ended })
    }

    /// A draw has ended. What can't be written down is made again after a stop, which is all that is lost.
    pub fn note(&self, attempt: &Attempt) {
        let path = self.folder.join("attempts.jsonl");
        let written = fs::OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
            let line = serde_json::to_string(attempt).unwrap_or_default();
            file.write_all(format!("{line}\n").as_bytes())
        });
        if let Err(source) = written {
            aar_lab::note!("{}: {source}; this draw is not on the journal", path.display());
        }
    }

    /// The world is there, so what led to it is in its folder; else the refused draws stay.
    pub fn close(self, accepted: bool) -> Result<(), Failure> {
        if !accepted {
            return Ok(());
        }
        fs::remove_dir_all(&self.folder).map_err(|e| Failure::new(IO, format!("{}: {e}", self.folder.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: u32, outcome: &str) -> Attempt {
        let (judging, wall_s) = (0.95, 1.0);
        Attempt {
            attempt: number,
            judging,
            ceiling: None,
            teachers: vec![],
            checks: vec![],
            outcome: outcome.into(),
            wall_s,
        }
    }

    #[test]
    fn a_mint_goes_on_with_its_secret_after_what_was_refused() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("world");
        let open = |generator: &str, seed: u64| Journal::open(&out, generator, "drawn", false, Secret::of_seed(seed));
        let first = open("g", 1).unwrap();
        first.note(&attempt(1, "student judges only 0.52"));
        first.note(&attempt(2, "accepted"));
        let again = open("g", 2).unwrap();
        assert_eq!(again.secret, Secret::of_seed(1), "not a new one");
        assert_eq!(again.ended.len(), 1, "a world that was not sealed is judged again");
        assert_eq!(open("other", 2).err().unwrap().code, CREATE);
        let path = dir.path().join("world.mint/attempts.jsonl");
        fs::write(&path, fs::read_to_string(&path).unwrap() + "{\"attempt\":3,").unwrap();
        assert_eq!(open("g", 2).unwrap().ended.len(), 1);
        again.close(true).unwrap();
        assert!(!dir.path().join("world.mint").exists());
    }
}
