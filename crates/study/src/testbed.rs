//! Where a study's testbed comes from: one that ships, a folder, freshly minted, or imported.

use crate::directory::StudyDirectory;
use crate::error::StudyError;
use crate::key::StudyKey;
use crate::plan::Plan;
use aar_domain::testbed::{TESTBED_FORMAT, TestbedRecord};
use aar_worlds::mint::{self, MintEvent, MintOptions};
use aar_worlds::seal;
use aar_worlds::secret::Secret;
use aar_worlds::subjects::Subject;
use std::path::{Path, PathBuf};

/// A testbed that can be used.
pub struct Testbed {
    /// Its folder.
    pub path: PathBuf,
    /// Its record.
    pub record: TestbedRecord,
}

/// Read a testbed's record.
pub fn open(path: &Path) -> Result<Testbed, StudyError> {
    let wrong = |detail: String| StudyError::Testbed { path: path.to_owned(), detail };
    let file = path.join("testbed.json");
    let text = std::fs::read_to_string(&file).map_err(|error| wrong(format!("read testbed.json: {error}")))?;
    let format = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|value| value["format"].as_u64());
    if format.is_some_and(|format| format > u64::from(TESTBED_FORMAT)) {
        return Err(wrong(format!(
            "format {} is newer than this version knows ({TESTBED_FORMAT})",
            format.unwrap_or(0)
        )));
    }
    let record = serde_json::from_str(&text).map_err(|error| wrong(format!("testbed.json: {error}")))?;
    let path = path.canonicalize().map_err(StudyError::file("find", path))?;
    Ok(Testbed { path, record })
}

/// Find, mint or import what the plan asks for. `worlds`: folders in which worlds that ship may lie.
pub fn prepare(
    plan: &Plan,
    directory: &StudyDirectory,
    worlds: &[PathBuf],
    threads: usize,
    listen: &(dyn Fn(MintEvent) + Sync),
    imported: &mut dyn FnMut(aar_worlds::import::ImportEvent),
) -> Result<Testbed, StudyError> {
    let own = directory.path("testbed");
    match plan.testbed.as_str() {
        "fresh" => {
            if !own.exists() {
                // The secret is kept from the first moment on, so that an interrupted mint goes on with the same one.
                let key = StudyKey::load_or(&directory.path("world-secret"), StudyKey::draw)?;
                let secret = Secret::from_hex(&key.reveal()).ok_or_else(|| StudyError::Testbed {
                    path: own.clone(),
                    detail: "the world's secret is damaged".into(),
                })?;
                let options = MintOptions { threads, attempts: 24, ended: vec![] };
                let name = plan.subject.as_deref().unwrap_or("chat");
                let subject = Subject::named(name).ok_or_else(|| StudyError::Plan {
                    place: "subject".into(),
                    detail: format!("{name:?} can't be minted; there are: {}", Subject::NAMES.join(", ")),
                })?;
                let minted = mint::mint(&subject, &secret, options, listen)?;
                seal::seal(&minted, &secret, "fresh", false, &own)?;
            }
            open(&own)
        }
        "import" => {
            if !own.exists() {
                let missing = |what: &str| StudyError::Plan {
                    place: what.into(),
                    detail: format!("say where it is: --set {what}=DIR"),
                };
                let settings = aar_worlds::import::ImportSettings {
                    data: plan.data.clone().ok_or_else(|| missing("data"))?,
                    model: plan.model.clone().ok_or_else(|| missing("model"))?,
                    name: plan.name.clone(),
                    subject: plan.subject.clone().unwrap_or_else(|| "chat".into()),
                    seed: plan.seed,
                    threads,
                };
                aar_worlds::import::import(&settings, &own, imported)
                    .map_err(|error| StudyError::Testbed { path: settings.data.clone(), detail: error.to_string() })?;
            }
            open(&own)
        }
        name => open(&find(name, worlds)?),
    }
}

/// A testbed's folder, or the world of this name that ships, or the first that ships of this subject.
pub fn find(name: &str, worlds: &[PathBuf]) -> Result<PathBuf, StudyError> {
    let candidates = std::iter::once(PathBuf::from(name)).chain(worlds.iter().map(|folder| folder.join(name)));
    let found = candidates.into_iter().find(|path| path.join("testbed.json").exists());
    found.or_else(|| of_subject(name, worlds)).ok_or_else(|| StudyError::Testbed {
        path: name.into(),
        detail: format!("no testbed's folder, and no world that ships in {}", listed(worlds)),
    })
}

/// Folders of testbeds in these folders, by name.
pub fn ready_made(worlds: &[PathBuf]) -> Vec<PathBuf> {
    let inside = worlds.iter().filter_map(|folder| folder.read_dir().ok());
    let found = inside.flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found.filter(|path| path.join("testbed.json").exists()).collect();
    found.sort();
    found
}

fn of_subject(subject: &str, worlds: &[PathBuf]) -> Option<PathBuf> {
    let is = |path: &PathBuf| open(path).is_ok_and(|testbed| testbed.record.subject == subject);
    ready_made(worlds).into_iter().find(is)
}

fn listed(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return "a folder `worlds` here or above the program (there is none)".into();
    }
    folders.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
