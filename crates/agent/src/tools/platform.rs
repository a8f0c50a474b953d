//! What the platform's tools work with: the server, the bench, the fence.

use super::Wrong;
use crate::fence::Fence;
use crate::process::{Ending, Process};
use crate::settings::{Settings, spoken};
use aar_api::client::{Client, ClientError, with_causes};
use aar_api::study::Me;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Makes the tags of processes: unique in this process, whose id makes them unique on the machine.
static TAGS: AtomicU64 = AtomicU64::new(0);
/// Outputs of commands that are kept.
const KEPT: u64 = 200;

/// Server, bench, fence.
pub struct Platform {
    /// Where things are.
    pub settings: Settings,
    /// The server.
    pub client: Client,
    /// For what others wrote.
    pub fence: Fence,
    outputs: AtomicU64,
    token: String,
}

impl Platform {
    /// `token` is the researcher's own.
    pub fn new(settings: Settings, client: Client, token: &str) -> Self {
        let last = tidy_outputs(&settings.own().join("outputs"));
        Self { settings, client, fence: Fence::new(token), outputs: AtomicU64::new(last), token: token.to_owned() }
    }

    /// What takes more than one call (`aar_api::acts`), with a refusal in words.
    pub fn ask<A>(&self, act: impl FnOnce(&Client) -> Result<A, ClientError>) -> Result<A, Wrong> {
        act(&self.client).map_err(|error| refused(&error))
    }

    /// GET, with a refusal in words.
    pub fn get<A: serde::de::DeserializeOwned>(&self, path: &str) -> Result<A, Wrong> {
        self.ask(|client| client.get(path))
    }

    /// POST, with a refusal in words.
    pub fn post<B: serde::Serialize, A: serde::de::DeserializeOwned>(&self, path: &str, body: &B) -> Result<A, Wrong> {
        self.ask(|client| client.post(path, body))
    }

    /// Without the token, which is nobody's to read: neither the model's provider nor those who read transcripts.
    pub fn hush(&self, text: String) -> String {
        if self.tells_token(&text) { text.replace(&self.token, "[AAR_TOKEN]") } else { text }
    }

    /// Would this give the token away?
    pub fn tells_token(&self, text: &str) -> bool {
        !self.token.is_empty() && text.contains(&self.token)
    }

    /// Is this the researcher's token? Hashes are compared, so that the time it takes tells nothing.
    pub fn is_token(&self, given: &str) -> bool {
        Sha256::digest(given) == Sha256::digest(&self.token)
    }

    /// Who this is.
    pub fn me(&self) -> Result<Me, Wrong> {
        self.get(aar_api::paths::ME)
    }

    /// Nothing of others is read during a cold start.
    pub fn forum_open(&self) -> Result<(), Wrong> {
        match self.settings.forum_shut_for() {
            None => Ok(()),
            Some(left) => Err(Wrong(format!(
                "This study begins with work on one's own: the forum, the board and others' bundles open in {}. You may post \
                 already; it is read then.",
                spoken(left)
            ))),
        }
    }

    /// A path as the model writes it: relative ones begin at the private folder.
    pub fn path(&self, written: &str) -> PathBuf {
        self.settings.work.join(written)
    }

    /// How long something may take that was asked to take `asked` seconds.
    pub fn limit(&self, asked: Option<i64>, otherwise: u64) -> Duration {
        let asked = Duration::from_secs(asked.map_or(otherwise, |seconds| seconds.max(1).unsigned_abs()));
        let most = self.settings.limits.command_time;
        // A command that outlives the clock would be cut without a word.
        asked.min(most).min(self.settings.time_left().unwrap_or(most))
    }

    /// A new output file and a tag for its process.
    pub fn next_output(&self) -> (PathBuf, String) {
        let number = 1 + self.outputs.fetch_add(1, Ordering::Relaxed);
        let path = self.settings.own().join("outputs").join(format!("{number}.txt"));
        (path, format!("{}-{}", std::process::id(), TAGS.fetch_add(1, Ordering::Relaxed)))
    }

    /// Run the bench with `--json` and read what it prints. What it says on failure is the tool's own answer.
    pub fn lab(&self, arguments: &[&OsStr], limit: Duration) -> Result<Value, Wrong> {
        let (output, tag) = self.next_output();
        let errors = output.with_extension("err");
        let mut command = Command::new(&self.settings.lab);
        // Linked to or called as `aar lab`, the program is the bench only under this name.
        command.arg0("lab").args(arguments).arg("--json").current_dir(&self.settings.work);
        let failed = |error: std::io::Error| Wrong(format!("The bench could not be run: {error}."));
        let mut process = Process::start(command, &output, Some(&errors), &tag).map_err(failed)?;
        let ending = process.wait(limit, self.settings.limits.output_bytes).map_err(failed)?;
        process.sweep();
        let said = read(&errors);
        // Its files are of no use to anybody later.
        let text = read(&output);
        let _ = std::fs::remove_file(&errors).and_then(|()| std::fs::remove_file(&output));
        match ending {
            Ending::Code(0) => serde_json::from_str(&text)
                .map_err(|error| Wrong(format!("The bench printed what is not JSON ({error}): {text}"))),
            ending => {
                let said = crate::cap::cap(&crate::fence::plain(said.trim()), 4000, "Run it in a shell to see all.");
                Err(Wrong(format!("{said}\n({ending})").trim_start().to_owned()))
            }
        }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// A client's error in words, causes and hint included.
fn refused(error: &ClientError) -> Wrong {
    let mut text = with_causes(error);
    if let ClientError::Refused(body) = error
        && let Some(hint) = &body.hint
    {
        text = format!("{text} ({hint})");
    }
    Wrong(text)
}

/// Remove old outputs; the highest number so far.
fn tidy_outputs(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let number = |path: &Path| path.file_stem()?.to_str()?.parse::<u64>().ok();
    let files: Vec<(u64, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((number(&entry.path())?, entry.path()))).collect();
    let last = files.iter().map(|(number, _)| *number).max().unwrap_or(0);
    for (_, path) in files.iter().filter(|(number, _)| number + KEPT < last) {
        let _ = std::fs::remove_file(path);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_numbered_over_restarts_and_old_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(tidy_outputs(dir.path()), 0);
        for number in [1, 99, 300] {
            std::fs::write(dir.path().join(format!("{number}.txt")), "").unwrap();
        }
        assert_eq!(tidy_outputs(dir.path()), 300);
        assert!(!dir.path().join("99.txt").exists() && dir.path().join("300.txt").exists());
    }
}
