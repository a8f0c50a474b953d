//! Bundles on disk: a folder becomes a bundle, a bundle becomes a folder.

use crate::bundle::{Bundle, BundleError, BundleFile, MAX_BYTES, MAX_FILES};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Why a folder can't be a bundle, or a bundle no folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder could not be read.
    #[error("{step} {path}: {source}")]
    Read {
        /// What was being done.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file or folder could not be made.
    #[error("{step} {path}: {source}")]
    Write {
        /// What was being done.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A link, a device, or too large.
    #[error("{path}: only plain files of at most {MAX_BYTES} bytes go into a bundle")]
    NotPlain {
        /// The file.
        path: PathBuf,
    },
    /// Too many files.
    #[error("{path}: more than {MAX_FILES} files")]
    Files {
        /// The folder.
        path: PathBuf,
    },
    /// The target is there already.
    #[error("{path} exists already")]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// What the server sent is no bundle.
    #[error("bundle: {0}")]
    Bundle(#[from] BundleError),
}

fn read_error(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Read { step, path, source }
}

fn write_error(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Write { step, path, source }
}

impl Bundle {
    /// All files below a folder, sorted, with their right to be executed. Not checked ([`Bundle::check`]).
    pub fn of_folder(folder: &Path) -> Result<Self, FolderError> {
        let mut files = Vec::new();
        collect(folder, folder, &mut files)?;
        files.sort_by(|a: &BundleFile, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// Write the files into a new folder. What came over a wire is checked again before paths are made of it.
    pub fn unpack(&self, folder: &Path) -> Result<(), FolderError> {
        if folder.exists() {
            return Err(FolderError::Exists { path: folder.to_owned() });
        }
        self.check()?;
        for file in &self.files {
            let path = folder.join(&file.path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(write_error("create", parent))?;
            }
            fs::write(&path, hex::decode(&file.hex).unwrap_or_default()).map_err(write_error("write", &path))?;
            let mode = fs::Permissions::from_mode(if file.executable { 0o755 } else { 0o644 });
            fs::set_permissions(&path, mode).map_err(write_error("set the mode of", &path))?;
        }
        Ok(())
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<BundleFile>) -> Result<(), FolderError> {
    for entry in fs::read_dir(folder).map_err(read_error("list", folder))? {
        let path = entry.map_err(read_error("list", folder))?.path();
        let meta = path.symlink_metadata().map_err(read_error("read", &path))?;
        if meta.is_dir() {
            collect(root, &path, files)?;
        } else if meta.is_file() && meta.len() <= MAX_BYTES as u64 {
            let bytes = fs::read(&path).map_err(read_error("read", &path))?;
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            let executable = meta.permissions().mode() & 0o111 != 0;
            files.push(BundleFile { path: relative, executable, hex: hex::encode(bytes) });
        } else {
            return Err(FolderError::NotPlain { path });
        }
        if files.len() > MAX_FILES {
            return Err(FolderError::Files { path: root.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_bundle_with_modes_and_back_and_without_links() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("bundle");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(folder.join("train"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.join("train"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("sub/notes.txt"), "x").unwrap();
        let bundle = Bundle::of_folder(&folder).unwrap();
        let seen: Vec<_> = bundle.files.iter().map(|file| (file.path.as_str(), file.executable)).collect();
        assert_eq!(seen, [("sub/notes.txt", false), ("train", true)]);
        let copy = dir.path().join("copy");
        bundle.unpack(&copy).unwrap();
        assert_eq!(Bundle::of_folder(&copy).unwrap(), bundle);
        assert!(bundle.unpack(&copy).unwrap_err().to_string().contains("exists already"));
        std::os::unix::fs::symlink("/etc/hostname", folder.join("link")).unwrap();
        assert!(Bundle::of_folder(&folder).unwrap_err().to_string().contains("only plain files"));
    }

    #[test]
    fn a_bundle_that_leaves_its_folder_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut bundle = Bundle::of_recipe("");
        bundle.files.push(BundleFile { path: "../out".into(), executable: false, hex: String::new() });
        assert!(bundle.unpack(&dir.path().join("in")).unwrap_err().to_string().contains("not a plain relative path"));
        assert!(!dir.path().join("out").exists() && !dir.path().join("in").exists());
    }
}
