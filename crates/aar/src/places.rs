//! Where things are: this program, worlds that ship.

use std::path::PathBuf;

/// This program.
pub fn executable() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| "aar".into())
}

/// Folders in which worlds that ship may lie: the working directory's, and those beside any folder above the program.
pub fn worlds() -> Vec<PathBuf> {
    folders("worlds")
}

fn folders(name: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(name)];
    folders.extend(executable().ancestors().skip(1).map(|folder| folder.join(name)));
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Tables that ship: the files of the first folder `tables`, looked for like worlds.
pub fn tables() -> Vec<PathBuf> {
    let folder = folders("tables").into_iter().find_map(|folder| folder.read_dir().ok());
    let files = folder.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    files
}

/// Folders in which this machine's programs are.
pub fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Threads to use: what the machine has.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
