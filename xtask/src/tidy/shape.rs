//! Rules on the shape of the code: lengths, names, what a crate's first file holds.

use super::findings::{Finding, Rule};
use super::tree::{Tree, block_end};

/// Lines at which a file must be thought over; 200 is the aim.
const FILE_LINES: usize = 400;
/// Lines at which a function is too long; 30 is the aim.
const FUNCTION_LINES: usize = 60;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "types"];

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule { name: "file-length", right: "aim at 200 lines, split at 400", grantable: true, find: long_files },
    Rule { name: "function-length", right: "aim at 30 lines, split at 60", grantable: true, find: long_functions },
    Rule { name: "empty-name", right: "name a module by what is in it", grantable: false, find: empty_names },
    Rule {
        name: "lib-is-a-map",
        right: "lib.rs holds a header, modules and re-exports; logic goes into a module",
        grantable: true,
        find: logic_in_lib,
    },
];

fn long_files(tree: &Tree) -> Vec<Finding> {
    let lengths = tree.rust().map(|(file, rust)| (file, rust.parts.code.lines().count()));
    lengths
        .filter(|(_, lines)| *lines > FILE_LINES)
        .map(|(file, lines)| Finding::whole(&file.path, lines as u64, format!("{lines} lines")))
        .collect()
}

fn long_functions(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        for (name, line, lines) in functions(&rust.parts.code) {
            if lines > FUNCTION_LINES {
                let key = format!("{}#{name}", file.path);
                let what = format!("{name} (line {}) has {lines} lines", line + 1);
                found.push(Finding::whole(key, lines as u64, what));
            }
        }
    }
    found
}

/// Name, first line (from 0) and number of lines of every function with a body.
fn functions(code: &str) -> Vec<(&str, usize, usize)> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let after = code[at + 2..].trim_start();
        let name = identifier(after);
        if name.is_empty() {
            continue; // a pointer type: fn(…)
        }
        let Some(open) = body(code, at) else { continue };
        let line = |at: usize| code[..at].matches('\n').count();
        let (first, last) = (line(at), line(block_end(code, open)));
        found.push((name, first, last - first + 1));
    }
    found
}

/// Where the body of the function that begins at `at` opens.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut brackets = 0_i32;
    for (offset, byte) in code[at..].bytes().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b';' if brackets == 0 => return None,
            b'{' if brackets == 0 => return Some(at + offset),
            _ => {}
        }
    }
    None
}

fn empty_names(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        let path = file.path.trim_end_matches(".rs");
        if let Some(part) = path.split('/').find(|part| EMPTY_NAMES.contains(part)) {
            found.push(Finding::whole(&file.path, 1, format!("named {part:?}")));
        }
        for at in words(&rust.parts.code, "mod") {
            let name = identifier(rust.parts.code[at + 3..].trim_start());
            if EMPTY_NAMES.contains(&name) {
                let line = rust.parts.code[..at].matches('\n').count();
                found.push(Finding::at(&file.path, line, format!("a module named {name:?}")));
            }
        }
    }
    found
}

fn logic_in_lib(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let libs = tree.rust().filter(|(file, _)| file.path.starts_with("crates/") && file.path.ends_with("/src/lib.rs"));
    for (file, rust) in libs {
        if !file.text.as_deref().unwrap_or_default().trim_start().starts_with("//!") {
            found.push(Finding::at(&file.path, 0, "no header that says what the room is for"));
        }
        for keyword in ["fn", "impl", "struct", "enum", "trait"] {
            for at in words(&rust.parts.code, keyword) {
                let line = rust.parts.code[..at].matches('\n').count();
                if !rust.is_test(line) {
                    found.push(Finding::at(&file.path, line, format!("{keyword} in lib.rs")));
                }
            }
        }
    }
    found
}

/// Where `word` stands as a word of its own.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !code[..*at].ends_with(part_of_word) && !code[at + word.len()..].starts_with(part_of_word))
}

/// The identifier at the beginning of `code`; empty if there is none.
fn identifier(code: &str) -> &str {
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
    &code[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings::found;

    #[test]
    fn a_file_over_400_lines_counts_its_lines() {
        let lines = |n: usize| "// x\n".repeat(n);
        assert!(found(long_files, "crates/lm/src/a.rs", &lines(400)).is_empty());
        assert_eq!(found(long_files, "crates/lm/src/a.rs", &lines(401))[0].measure, 401);
        assert!(found(long_files, "README.md", &lines(900)).is_empty());
    }

    #[test]
    fn a_long_function_is_found_by_name() {
        let body = "    let x = fs(\"{{{\");\n".repeat(58);
        let text = |extra: &str| format!("impl A {{\n  fn ok(f: fn(u8) -> u8, a: [u8; 2]) {{\n{body}{extra}  }}\n}}\n");
        assert!(found(long_functions, "a.rs", &text("")).is_empty());
        let long = found(long_functions, "a.rs", &text("// one more\n"));
        assert_eq!((long[0].key.as_str(), long[0].measure), ("a.rs#ok", 61));
        assert!(found(long_functions, "a.rs", "trait A { fn a(&self); }").is_empty());
    }

    #[test]
    fn names_that_say_nothing() {
        assert_eq!(found(empty_names, "crates/lm/src/utils.rs", "").len(), 1);
        assert_eq!(found(empty_names, "crates/lm/src/common/a.rs", "").len(), 1);
        assert_eq!(found(empty_names, "crates/lm/src/a.rs", "mod a {}\nmod types {}\n").len(), 1);
        assert!(found(empty_names, "crates/lm/src/database.rs", "mod basement;").is_empty());
        assert!(found(empty_names, "crates/lm/src/a.rs", "// mod utils").is_empty());
    }

    #[test]
    fn a_lib_is_a_header_and_modules() {
        let lib = "crates/lm/src/lib.rs";
        let good = "//! What it is for: fn and struct.\npub mod a;\npub use a::B;\n";
        assert!(found(logic_in_lib, lib, good).is_empty());
        assert_eq!(found(logic_in_lib, lib, &format!("{good}fn a() {{}}\n")).len(), 1);
        assert_eq!(found(logic_in_lib, lib, "pub mod a;\n").len(), 1, "no header");
        assert!(found(logic_in_lib, "crates/lm/src/a.rs", "fn a() {}").is_empty());
    }
}
