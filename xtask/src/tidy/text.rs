//! Rules on all that people write, and on sizes.

use super::findings::{Finding, Rule};
use super::tree::{File, Tree};

/// A file above this needs a grant.
const FILE_BYTES: u64 = 1_000_000;
/// The whole repository, and its history too, stay below this.
const REPOSITORY_BYTES: u64 = 40_000_000;

/// Folders at the root of a file system that exist on one machine only.
const MACHINE_FOLDERS: &[&str] = &["work", "root", "home"];
/// A researcher's private folder inside its sandbox is called like one of them; who may speak of it.
const SANDBOX_FOLDER: &str = "work";
const KNOW_THE_SANDBOX: &[&str] = &["sandbox", "researcher", "lab", "study", "aar"];
/// Fine in a test, which takes what it is given; elsewhere a guess about the machine.
const SCRATCH: &str = "/tmp/";
/// Where packages come from is the user's affair.
const HOSTS: &[&str] = &[
    "index.crates.io",
    "static.crates.io",
    "pypi.org",
    "files.pythonhosted.org",
    "download.pytorch.org",
    "registry.npmjs.org",
    "proxy.golang.org",
    "deb.debian.org",
];

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        name: "machine-path",
        right: "no path of one machine; say DIR, or use a temporary folder",
        grantable: false,
        find: machine_paths,
    },
    Rule {
        name: "registry-host",
        right: "where packages come from is the user's affair",
        grantable: false,
        find: registry_hosts,
    },
    Rule {
        name: "whitespace",
        right: "no tabs, nothing after the last character, one line break at the end",
        grantable: true,
        find: whitespace,
    },
    Rule { name: "toml", right: "every TOML file parses", grantable: false, find: broken_toml },
    Rule { name: "file-size", right: "at most 1 MB (measured in KB), or a grant", grantable: true, find: large_files },
    Rule {
        name: "repository-size",
        right: "everything together stays below 40 MB, in files and in history",
        grantable: false,
        find: repository_size,
    },
];

/// Files these rules cannot hold for: the lock file names hosts, the rules name what they forbid.
fn exempt(file: &File) -> bool {
    file.path == "Cargo.lock" || file.path.starts_with("xtask/src/tidy")
}

fn lines(tree: &Tree) -> impl Iterator<Item = (&File, usize, &str)> {
    tree.files.iter().filter(|file| !exempt(file)).flat_map(|file| {
        let text = file.text.as_deref().unwrap_or_default();
        text.lines().enumerate().map(move |(line, text)| (file, line, text))
    })
}

fn machine_paths(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, line, text) in lines(tree) {
        let in_sandbox =
            file.path == "ARCHITECTURE.md" || file.room().is_some_and(|room| KNOW_THE_SANDBOX.contains(&room));
        let folders = MACHINE_FOLDERS.iter().filter(|folder| **folder != SANDBOX_FOLDER || !in_sandbox);
        for path in folders.map(|folder| format!("/{folder}/")).filter(|path| starts_somewhere(text, path)) {
            found.push(Finding::at(&file.path, line, path));
        }
        let test = file.rust.as_ref().is_some_and(|rust| rust.is_test(line)) || file.path.contains("/tests/");
        if !test && starts_somewhere(text, SCRATCH) {
            found.push(Finding::at(&file.path, line, SCRATCH));
        }
    }
    found
}

/// Does an absolute path start there? (`target/x/` and `$DIR/x/` are relative.)
fn starts_somewhere(text: &str, path: &str) -> bool {
    text.match_indices(path)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || ".-_}/)>".contains(c)))
}

fn registry_hosts(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, line, text) in lines(tree) {
        for host in HOSTS.iter().filter(|host| text.contains(*host)) {
            found.push(Finding::at(&file.path, line, *host));
        }
    }
    found
}

fn whitespace(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        let Some(text) = file.written() else { continue };
        for (line, text) in text.split('\n').enumerate() {
            if text.ends_with([' ', '\t', '\r']) {
                found.push(Finding::at(&file.path, line, "trailing whitespace"));
            } else if text.contains('\t') {
                found.push(Finding::at(&file.path, line, "a tab"));
            }
        }
        if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            found.push(Finding::at(&file.path, text.lines().count().max(1) - 1, "the file's end"));
        }
    }
    found
}

fn broken_toml(tree: &Tree) -> Vec<Finding> {
    let files = tree.files.iter().filter(|file| file.path.ends_with(".toml"));
    files
        .filter(|file| !file.path.contains("/fixtures/"))
        .filter_map(|file| {
            let text = file.text.as_deref().unwrap_or("\0");
            let error = text.parse::<toml::Table>().err()?;
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count());
            Some(Finding::at(&file.path, line, error.message().to_owned()))
        })
        .collect()
}

fn large_files(tree: &Tree) -> Vec<Finding> {
    let large = tree.files.iter().filter(|file| file.bytes > FILE_BYTES);
    large
        .map(|file| {
            let kb = file.bytes.div_ceil(1000);
            Finding::whole(&file.path, kb, format!("{kb} KB"))
        })
        .collect()
}

fn repository_size(tree: &Tree) -> Vec<Finding> {
    let sizes = [("in files", Some(tree.bytes())), ("in history", tree.history_bytes)];
    let over = sizes.into_iter().filter_map(|(what, bytes)| Some((what, bytes?)));
    over.filter(|(_, bytes)| *bytes >= REPOSITORY_BYTES)
        .map(|(what, bytes)| Finding::whole(".", bytes, format!("{bytes} bytes {what}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings::found;

    fn check(find: fn(&Tree) -> Vec<Finding>, cases: &[(&str, &str, usize)]) {
        for (path, text, expect) in cases {
            assert_eq!(found(find, path, text).len(), *expect, "{path}: {text:?}");
        }
    }

    #[test]
    fn no_path_of_one_machine() {
        // With `|` for `/` in texts: this file names no folder of a machine itself.
        let cases = [
            ("README.md", "see |work|main", 1),
            ("README.md", "`|root|.cargo` and |home|me|x", 2),
            ("README.md", "target|work|x, $OUT|root|x, https:||a.b|home|c", 0),
            ("README.md", "--out |tmp|x", 1),
            ("crates/lm/tests/a.rs", "|| |tmp|x", 0),
            ("crates/lm/tests/a.rs", "\"|work|x\"", 1),
            ("crates/researcher/src/a.rs", "\"|work|notes.txt\"", 0),
            ("crates/researcher/src/a.rs", "\"|root|x\"", 1),
            ("crates/lm/src/a.rs", "bind(\"|tmp\")", 0),
        ];
        for (path, text, expect) in cases {
            check(machine_paths, &[(path, &text.replace('|', "/"), expect)]);
        }
    }

    #[test]
    fn no_registry_host() {
        check(registry_hosts, &[("a.md", "from https://pypi.org/simple", 1), ("a.md", "from crates.io", 0)]);
    }

    #[test]
    fn whitespace_is_clean() {
        check(
            whitespace,
            &[
                ("a.rs", "fn a() {}\n", 0),
                ("a.rs", "fn a() {} \n\tb\n", 2),
                ("a.md", "no end", 1),
                ("a.md", "two ends\n\n", 1),
                ("a.md", "windows\r\n", 1),
                ("a.snap", "free \n\n", 0),
                ("a.md", "", 0),
            ],
        );
    }

    #[test]
    fn toml_parses() {
        check(broken_toml, &[("a.toml", "a = 1\n", 0), ("recipes/a.toml", "a = 1\na = 2\n", 1)]);
        assert_eq!(found(broken_toml, "a.toml", "a = 1\nb = \n")[0].line, Some(2));
        check(broken_toml, &[("crates/lm/tests/fixtures/bad.toml", "a =", 0)]);
    }

    #[test]
    fn sizes_are_bounded() {
        let tree = |bytes, history_bytes| Tree {
            files: vec![File { path: "world.bin".into(), bytes, ..File::default() }],
            history_bytes,
        };
        assert!(large_files(&tree(1_000_000, None)).is_empty());
        assert_eq!(large_files(&tree(1_000_001, None))[0].measure, 1001);
        assert!(repository_size(&tree(39_999_999, Some(39_999_999))).is_empty());
        assert_eq!(repository_size(&tree(40_000_000, Some(40_000_000))).len(), 2);
    }
}
