//! The files of the repository as the rules see them.

use std::path::Path;
use std::process::Command;

use super::mask::{self, Parts};

/// Everything git tracks, and what is new and not ignored.
#[derive(Debug, Default)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<File>,
    /// Bytes a clone transfers, as far as git can say.
    pub history_bytes: Option<u64>,
}

/// One file.
#[derive(Debug, Default)]
pub struct File {
    /// From the workspace's root, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its text, if it is text.
    pub text: Option<String>,
    /// Set for Rust files.
    pub rust: Option<Rust>,
}

/// A Rust file taken apart.
#[derive(Debug, Default)]
pub struct Rust {
    /// Code, strings and comments.
    pub parts: Parts,
    /// Per line: is it part of tests?
    pub test_line: Vec<bool>,
}

impl Tree {
    /// Reads the repository around `root`.
    pub fn read(root: &Path) -> Result<Self, String> {
        let listed = git(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let mut files = Vec::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted but is still in the index has nothing to check.
            let Ok(content) = std::fs::read(root.join(path)) else {
                continue;
            };
            files.push(File::new(path, content));
        }
        if files.is_empty() {
            return Err("git lists no files here".to_owned());
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let history = git(root, &["rev-list", "--objects", "--disk-usage", "HEAD"]);
        let history_bytes = history.ok().and_then(|text| text.trim().parse().ok());
        Ok(Tree { files, history_bytes })
    }

    /// All Rust files with their parts.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files.iter().filter_map(|file| file.rust.as_ref().map(|rust| (file, rust)))
    }

    /// Size of all files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// One line on sizes.
    pub fn sizes(&self) -> String {
        let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        let history = self.history_bytes.map_or("unknown".to_owned(), megabytes);
        format!("{} in files, {history} in history", megabytes(self.bytes()))
    }
}

impl File {
    /// Takes a file's content in.
    pub fn new(path: &str, content: Vec<u8>) -> Self {
        let bytes = content.len() as u64;
        let text = String::from_utf8(content).ok().filter(|text| !text.contains('\0'));
        let rust = match &text {
            Some(text) if path.ends_with(".rs") => Some(Rust::new(path, text)),
            _ => None,
        };
        File { path: path.to_owned(), bytes, text, rust }
    }

    /// The room a file belongs to: `lm` for `crates/lm/src/…`, `xtask` for the chores, `python` for the wheel.
    pub fn room(&self) -> Option<&str> {
        let mut parts = self.path.strip_prefix("crates/").unwrap_or(&self.path).split('/');
        let room = parts.next().filter(|_| parts.next().is_some())?;
        (self.path.starts_with("crates/") || ["xtask", "python"].contains(&room)).then_some(room)
    }

    /// Text with one of these endings, the files people write.
    pub fn written(&self) -> Option<&str> {
        const ENDINGS: &[&str] = &["rs", "toml", "md", "py", "sh", "yml", "yaml", "html", "css", "js", "txt", "run"];
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit('.').next().unwrap_or_default();
        self.text.as_deref().filter(|_| ENDINGS.contains(&ending))
    }
}

impl Rust {
    fn new(path: &str, text: &str) -> Self {
        let parts = mask::parts(text);
        let test_line = match is_test_file(path) {
            true => vec![true; text.lines().count() + 1],
            false => test_lines(&parts.code),
        };
        Rust { parts, test_line }
    }

    /// Is this line (from 0) part of tests, examples or benchmarks?
    pub fn is_test(&self, line: usize) -> bool {
        self.test_line.get(line).copied().unwrap_or(false)
    }
}

/// Tests, examples and benchmarks by their place or name.
fn is_test_file(path: &str) -> bool {
    let mut parts: Vec<_> = path.split('/').collect();
    let file = parts.pop().unwrap_or_default();
    let folder = parts.iter().any(|p| ["tests", "examples", "benches"].contains(p));
    folder || file == "tests.rs" || file.ends_with("_tests.rs")
}

/// Lines of items under `#[cfg(test)]`.
fn test_lines(code: &str) -> Vec<bool> {
    let mut marks = vec![false; code.lines().count() + 1];
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let end = item_end(code, start + "#[cfg(test)]".len());
        let line = |at: usize| code[..at].matches('\n').count();
        marks[line(start)..=line(end)].fill(true);
    }
    marks
}

/// The end of the item that begins after `from`: its `;`, or the `}` of its body.
fn item_end(code: &str, from: usize) -> usize {
    let mut brackets = 0_i32;
    for (offset, byte) in code[from..].bytes().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b';' if brackets == 0 => return from + offset,
            b'{' if brackets == 0 => return block_end(code, from + offset),
            _ => {}
        }
    }
    code.len().saturating_sub(1)
}

/// The `}` that belongs to the `{` at `open`.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_i32;
    for (offset, byte) in code[open..].bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return open + offset;
        }
    }
    code.len().saturating_sub(1)
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(arguments).current_dir(root).output();
    let output = output.map_err(|e| format!("cannot run git, which lists the files: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("git {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests_of(path: &str, text: &str) -> Vec<usize> {
        let file = File::new(path, text.as_bytes().to_vec());
        let rust = file.rust.unwrap();
        (0..text.lines().count()).filter(|line| rust.is_test(*line)).collect()
    }

    #[test]
    fn test_code_is_recognised() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(tests_of("crates/lm/src/a.rs", text), [1, 2, 3, 4]);
        assert_eq!(tests_of("crates/lm/src/a.rs", "#[cfg(test)]\nmod tests;\nfn c() {}\n"), [0, 1]);
        assert_eq!(tests_of("crates/lm/tests/a.rs", "fn c() {}\n"), [0]);
        assert_eq!(tests_of("crates/lm/src/a/tests.rs", "fn c() {}\n"), [0]);
        assert_eq!(tests_of("crates/lm/src/attests.rs", "fn c() {}\n"), [0; 0]);
    }

    #[test]
    fn a_file_knows_its_room_and_whether_it_is_text() {
        assert_eq!(File::new("crates/lm/src/lib.rs", vec![]).room(), Some("lm"));
        assert_eq!(File::new("xtask/src/main.rs", vec![]).room(), Some("xtask"));
        assert_eq!(File::new("python/src/lib.rs", vec![]).room(), Some("python"));
        assert_eq!(File::new("README.md", vec![]).room(), None);
        assert_eq!(File::new("docs/gateway.md", vec![]).room(), None);
        assert!(File::new("a.md", b"\0".to_vec()).written().is_none());
        assert!(File::new("tokenizer.json", b"{}".to_vec()).written().is_none());
        assert!(File::new(".ci/run", b"x".to_vec()).written().is_some());
    }
}
