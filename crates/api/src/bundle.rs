//! Bundles on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most files of a bundle.
pub const MAX_FILES: usize = 256;
/// The most bytes of a bundle, all files together.
pub const MAX_BYTES: usize = 8 << 20;

/// A folder: its files, sorted by path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bundle {
    /// The files.
    pub files: Vec<BundleFile>,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleFile {
    /// Relative, `/`-separated, of plain components.
    pub path: String,
    /// Whether it may be executed.
    #[serde(default)]
    pub executable: bool,
    /// The contents: hex of the bytes. (Bundles are small; hex needs no further library and is easily checked by hand.)
    pub hex: String,
}

/// What came of storing a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleStored {
    /// SHA-256 over the sorted contents, hex.
    pub bundle: String,
}

/// Why a bundle is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// No files.
    #[error("a bundle needs at least a recipe.toml or an executable train")]
    Nothing,
    /// Too many files.
    #[error("{0} files, at most {MAX_FILES} are allowed")]
    Files(usize),
    /// Too many bytes.
    #[error("{0} bytes, at most {MAX_BYTES} are allowed")]
    Bytes(usize),
    /// A path that leaves the folder or is not plain.
    #[error("path {0:?} is not a plain relative path")]
    Path(String),
    /// The same path twice.
    #[error("path {0:?} occurs twice")]
    Twice(String),
    /// A file where another one needs a folder.
    #[error("path {0:?} is a file, but another path goes through it")]
    Through(String),
    /// Contents that are not hexadecimal.
    #[error("the contents of {0:?} are not hexadecimal")]
    Hex(String),
    /// `train` without the right to be executed.
    #[error("train is there but not executable")]
    NotExecutable,
}

impl Bundle {
    /// Check what the types can't say.
    pub fn check(&self) -> Result<(), BundleError> {
        let entry = self.files.iter().find(|file| file.path == "train");
        if entry.is_none() && !self.files.iter().any(|file| file.path == "recipe.toml") {
            return Err(BundleError::Nothing);
        }
        if entry.is_some_and(|file| !file.executable) {
            return Err(BundleError::NotExecutable);
        }
        if self.files.len() > MAX_FILES {
            return Err(BundleError::Files(self.files.len()));
        }
        let bytes = self.files.iter().map(|file| file.hex.len() / 2).sum();
        if bytes > MAX_BYTES {
            return Err(BundleError::Bytes(bytes));
        }
        let mut seen = std::collections::BTreeSet::new();
        for file in &self.files {
            let plain = |part: &str| {
                !part.is_empty()
                    && part != "."
                    && part != ".."
                    && part.chars().all(|c| c.is_ascii_graphic() && c != '\\')
            };
            if file.path.len() > 200 || !file.path.split('/').all(plain) {
                return Err(BundleError::Path(file.path.clone()));
            }
            if !seen.insert(&file.path) {
                return Err(BundleError::Twice(file.path.clone()));
            }
            if file.hex.len() % 2 != 0 || !file.hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(BundleError::Hex(file.path.clone()));
            }
        }
        for file in &self.files {
            let folders = file.path.match_indices('/').map(|(at, _)| &file.path[..at]);
            if let Some(through) = folders.filter_map(|folder| seen.get(&folder.to_owned())).next() {
                return Err(BundleError::Through((*through).clone()));
            }
        }
        Ok(())
    }

    /// SHA-256 over the sorted (path, mode, contents), hex: the same folder is the same bundle whoever submits it.
    pub fn id(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut files: Vec<&BundleFile> = self.files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut hash = Sha256::new();
        for file in files {
            hash.update((file.path.len() as u64).to_le_bytes());
            hash.update(&file.path);
            hash.update([u8::from(file.executable)]);
            hash.update((file.hex.len() as u64 / 2).to_le_bytes());
            hash.update(hex::decode(&file.hex).unwrap_or_default());
        }
        hex::encode(hash.finalize())
    }

    /// A bundle of one recipe.
    pub fn of_recipe(recipe: &str) -> Self {
        Self { files: vec![BundleFile { path: "recipe.toml".into(), executable: false, hex: hex::encode(recipe) }] }
    }

    /// The text of a file, where it is one.
    pub fn text(&self, path: &str) -> Option<String> {
        let file = self.files.iter().find(|file| file.path == path)?;
        String::from_utf8(hex::decode(&file.hex).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_but_contents_and_mode_do() {
        let file = |path: &str, executable, hex: &str| BundleFile { path: path.into(), executable, hex: hex.into() };
        let bundle = |files: &[BundleFile]| Bundle { files: files.to_vec() }.id();
        let (a, b) = (file("recipe.toml", false, "00"), file("b", false, "01"));
        assert_eq!(bundle(&[a.clone(), b.clone()]), bundle(&[b.clone(), a.clone()]));
        assert_ne!(bundle(std::slice::from_ref(&a)), bundle(&[file("recipe.toml", true, "00")]));
        assert_ne!(bundle(&[file("ab", false, "00")]), bundle(&[file("a", false, "6200")]));
    }

    #[test]
    fn bad_bundles_are_refused() {
        let check = |path: &str, executable: bool, hex: &str, expect: &str| {
            let recipe = BundleFile { path: "recipe.toml".into(), executable: false, hex: String::new() };
            let files = vec![recipe, BundleFile { path: path.into(), executable, hex: hex.into() }];
            assert!(Bundle { files }.check().unwrap_err().to_string().contains(expect), "{path}");
        };
        check("../x", false, "", "not a plain relative path");
        check("/x", false, "", "not a plain relative path");
        check("a//b", false, "", "not a plain relative path");
        check("recipe.toml", false, "", "occurs twice");
        check("recipe.toml/x", false, "", "goes through it");
        check("x", false, "0", "not hexadecimal");
        check("train", false, "", "not executable");
    }
}
