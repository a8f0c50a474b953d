//! What a researcher keeps from session to session: the notebook, which the model edits itself, and a note for the next session.

use crate::settings::Settings;
use std::path::PathBuf;

/// Notebook and note of one workspace.
#[derive(Clone, Debug)]
pub struct Memory {
    work: PathBuf,
    own: PathBuf,
    notebook_chars: usize,
}

/// A note is at most this long; what is longer belongs into the notebook.
const NOTE_CHARS: usize = 6000;

impl Memory {
    /// In the settings' private folder.
    pub fn new(settings: &Settings) -> Self {
        Self { work: settings.work.clone(), own: settings.own(), notebook_chars: settings.limits.notebook_chars }
    }

    /// Where the notebook is.
    pub fn notebook_path(&self) -> PathBuf {
        self.work.join("notebook.md")
    }

    /// The head of the notebook, or that there is none.
    pub fn notebook(&self) -> String {
        let text = std::fs::read(self.notebook_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        if text.trim().is_empty() {
            return "(It is empty. What you write into notebook.md opens your next sessions.)".to_owned();
        }
        let rest = "Only its head opens a session: keep what matters at the top, and read_file shows the rest.";
        crate::cap::head(text.trim_end(), self.notebook_chars, rest)
    }

    /// The note that the last session left.
    pub fn note(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.own.join("note.md")).ok()?;
        Some(crate::cap::head(text.trim(), NOTE_CHARS, "It was cut for its length.")).filter(|text| !text.is_empty())
    }

    /// Leave a note. Where the disk is full, the next session goes without.
    pub fn leave(&self, note: &str) {
        let _ = std::fs::create_dir_all(&self.own).and_then(|()| std::fs::write(self.own.join("note.md"), note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notebook_and_note_are_read_back_capped() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::inside("m");
        settings.work = dir.path().into();
        settings.limits.notebook_chars = 50;
        let memory = Memory::new(&settings);
        assert!(memory.notebook().starts_with("(It is empty"));
        assert_eq!(memory.note(), None);
        std::fs::write(memory.notebook_path(), "# Top\n".to_owned() + &"later\n".repeat(100)).unwrap();
        memory.leave("look at #3");
        let shown = memory.notebook();
        assert!(shown.starts_with("# Top\n") && shown.contains("555 more characters. Only its head"), "{shown}");
        assert_eq!(memory.note().as_deref(), Some("look at #3"));
    }
}
