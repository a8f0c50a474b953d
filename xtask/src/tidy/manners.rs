//! Rules on what code may do: libraries are silent and pure, the truth has no name outside, a test
//! runs.

use super::findings::{Finding, Rule};
use super::shape::words;
use super::tree::{File, Rust, Tree};

/// Rooms that are programs: they speak, read the environment and the clock, and end.
const PROGRAMS: &[&str] = &["aar", "lab", "xtask"];

/// Rooms that may say what the truth is called: they make it and keep it.
const TRUTH_ROOMS: &[&str] = &["grader", "worlds", "xtask"];

/// Calls by which a library would depend on more than its arguments, and who may make them.
const SURROUNDINGS: &[(&str, &[&str])] = &[
    ("std::env", &[]),
    ("env::var", &[]),
    ("env::args", &[]),
    ("env::current_dir", &[]),
    ("env::current_exe", &[]),
    ("env::temp_dir", &[]),
    ("home_dir", &[]),
    ("process::exit", &[]),
    ("process::abort", &[]),
    // Time limits, timers shown to people, time stamps in the event log, the ledger, transcripts and an agent's heartbeat.
    ("Instant::now", &["sandbox", "evaluation", "researcher", "study", "server", "worlds", "agent"]),
    ("SystemTime::now", &["study", "server", "gateway", "agent"]),
];

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        name: "silent-library",
        right: "libraries return values and events; aar and lab print",
        grantable: true,
        find: printing,
    },
    Rule {
        name: "surroundings",
        right: "a library takes what it needs as an argument: no environment, home, clock or exit",
        grantable: true,
        find: surroundings,
    },
    Rule {
        name: "baked-path",
        right: "a program finds its files where it runs, not where it was built",
        grantable: true,
        find: baked_paths,
    },
    Rule {
        name: "truth-name",
        right: "only grader and worlds know the truth by name; others hold an opaque vault",
        grantable: false,
        find: truth_names,
    },
    Rule {
        name: "test-that-runs",
        right: "skip at run time and print `skipped: why`; check a Result instead of a panic",
        grantable: true,
        find: sleeping_tests,
    },
];

/// Lines of code that ship with a library: no tests, no programs.
fn library_lines(tree: &Tree) -> impl Iterator<Item = (&File, usize, &str)> {
    let libraries = tree
        .rust()
        .filter(|(file, _)| file.room().is_some_and(|room| !PROGRAMS.contains(&room)) && !is_build(&file.path));
    libraries.flat_map(|(file, rust)| shipped(file, rust, &rust.parts.code))
}

fn shipped<'a>(file: &'a File, rust: &'a Rust, part: &'a str) -> impl Iterator<Item = (&'a File, usize, &'a str)> {
    part.lines().enumerate().filter(|(line, _)| !rust.is_test(*line)).map(move |(line, text)| (file, line, text))
}

fn is_build(path: &str) -> bool {
    path.ends_with("/build.rs") || path.contains("/src/bin/")
}

fn printing(tree: &Tree) -> Vec<Finding> {
    const MACROS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];
    const LINTS: &[&str] = &["print_stdout", "print_stderr", "dbg_macro"];
    let mut found = Vec::new();
    for (file, line, text) in library_lines(tree) {
        for call in MACROS {
            let name = call.trim_end_matches('!');
            if words(text, name).any(|at| text[at..].starts_with(call)) {
                found.push(Finding::at(&file.path, line, *call));
            }
        }
        for lint in LINTS.iter().filter(|lint| words(text, lint).next().is_some()) {
            found.push(Finding::at(&file.path, line, format!("{lint} allowed")));
        }
    }
    found
}

fn surroundings(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, line, text) in library_lines(tree) {
        let hit = SURROUNDINGS.iter().find(|(call, rooms)| {
            let allowed = file.room().is_some_and(|room| rooms.contains(&room));
            // `env::var` also stands for `env::var_os` and `env::vars`.
            !allowed && text.match_indices(call).any(|(at, _)| begins_a_path(&text[..at]))
        });
        if let Some((call, _)) = hit {
            found.push(Finding::at(&file.path, line, *call));
        }
    }
    found
}

/// Is what follows the beginning of a path, not the end of a longer name?
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn baked_paths(tree: &Tree) -> Vec<Finding> {
    let shipping = tree.rust().filter(|(file, _)| !is_build(&file.path));
    let strings = shipping.flat_map(|(file, rust)| shipped(file, rust, &rust.parts.strings));
    strings
        .filter(|(file, _, text)| {
            let included = file.text.as_deref().unwrap_or_default();
            // Only include_str! and include_bytes! may join it: they read while building.
            text.contains("CARGO_MANIFEST_DIR") && !included.contains("include_") && file.room() != Some("xtask")
        })
        .map(|(file, line, _)| Finding::at(&file.path, line, "CARGO_MANIFEST_DIR"))
        .collect()
}

fn truth_names(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let rooms = tree.rust().filter(|(file, _)| file.room().is_some_and(|room| !TRUTH_ROOMS.contains(&room)));
    for (file, rust) in rooms {
        for (file, line, text) in shipped(file, rust, &rust.parts.code) {
            if let Some(name) = identifiers(text).find(|name| name.contains("Truth")) {
                found.push(Finding::at(&file.path, line, format!("the name {name}")));
            }
        }
        for (file, line, text) in shipped(file, rust, &rust.parts.strings) {
            if names_a_truth_file(text) {
                found.push(Finding::at(&file.path, line, "a path to the truth"));
            }
        }
    }
    found
}

fn identifiers(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty())
}

/// `truth.json`, `truth/…`, `…/truth`: a path, unlike the word in a sentence.
fn names_a_truth_file(text: &str) -> bool {
    words(text, "truth").any(|at| {
        let (before, after) = (&text[..at], &text[at + "truth".len()..]);
        let ending = after.strip_prefix('.').is_some_and(|e| e.starts_with(char::is_alphanumeric));
        ending || after.starts_with('/') || before.ends_with('/')
    })
}

fn sleeping_tests(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        for (line, text) in rust.parts.code.lines().enumerate() {
            let text = text.trim_start();
            for attribute in ["ignore", "should_panic"] {
                let written = text.strip_prefix("#[").and_then(|t| t.strip_prefix(attribute));
                if written.is_some_and(|rest| rest.starts_with([']', ' ', '(', '='])) {
                    found.push(Finding::at(&file.path, line, format!("#[{attribute}]")));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings::found;

    fn check(find: fn(&Tree) -> Vec<Finding>, cases: &[(&str, &str, usize)]) {
        for (path, text, expect) in cases {
            assert_eq!(found(find, path, text).len(), *expect, "{path}: {text}");
        }
    }

    const LIBRARY: &str = "crates/lm/src/a.rs";

    #[test]
    fn libraries_do_not_print() {
        check(
            printing,
            &[
                (LIBRARY, "println!(\"x\");", 1),
                (LIBRARY, "eprint!(\"x\"); dbg!(x);", 2),
                (LIBRARY, "#![allow(clippy::print_stdout)]", 1),
                (LIBRARY, "// println!\nwriteln!(out, \"println!\")", 0),
                (LIBRARY, "#[cfg(test)]\nmod tests {\n  fn a() { println!(); }\n}", 0),
                ("crates/lm/examples/a.rs", "println!()", 0),
                ("crates/aar/src/main.rs", "println!()", 0),
            ],
        );
    }

    #[test]
    fn libraries_take_what_they_need_as_arguments() {
        check(
            surroundings,
            &[
                (LIBRARY, "std::env::var(\"HOME\")", 1),
                (LIBRARY, "use std::env;", 1),
                (LIBRARY, "env::var_os(\"X\")", 1),
                (LIBRARY, "std::process::exit(1)", 1),
                (LIBRARY, "std::process::Command::new(x)", 0),
                (LIBRARY, "let t = Instant::now();", 1),
                (LIBRARY, "my_env::variant()", 0),
                ("crates/sandbox/src/a.rs", "Instant::now()", 0),
                ("crates/sandbox/src/a.rs", "SystemTime::now()", 1),
                ("crates/aar/src/a.rs", "std::env::args()", 0),
                ("crates/lm/tests/a.rs", "std::env::temp_dir()", 0),
            ],
        );
    }

    #[test]
    fn no_program_remembers_where_it_was_built() {
        check(
            baked_paths,
            &[
                (LIBRARY, "Path::new(env!(\"CARGO_MANIFEST_DIR\"))", 1),
                (LIBRARY, "include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/a\"))", 0),
                ("crates/lm/tests/a.rs", "env!(\"CARGO_MANIFEST_DIR\")", 0),
            ],
        );
    }

    #[test]
    fn the_truth_has_no_name_outside() {
        check(
            truth_names,
            &[
                ("crates/lab/src/a.rs", "let t: Truth = x;", 1),
                ("crates/study/src/a.rs", "use aar_grader::TruthFile;", 1),
                ("crates/study/src/a.rs", "dir.join(\"truth.json\")", 1),
                ("crates/study/src/a.rs", "dir.join(\"vault/truth\")", 1),
                ("crates/study/src/a.rs", "\"demonstration: truth is public\"", 0),
                ("crates/study/src/a.rs", "// Truth lives in truth.json", 0),
                ("crates/study/src/a.rs", "use aar_grader::Vault; let public_truth = 1;", 0),
                ("crates/study/tests/a.rs", "assert!(!dir.join(\"truth.json\").exists())", 0),
                ("crates/grader/src/a.rs", "struct Truth;", 0),
                ("crates/worlds/src/a.rs", "dir.join(\"truth.json\")", 0),
            ],
        );
    }

    #[test]
    fn tests_run() {
        check(
            sleeping_tests,
            &[
                ("crates/lm/tests/a.rs", "#[ignore]\nfn a() {}", 1),
                ("crates/lm/tests/a.rs", "  #[ignore = \"slow\"]\nfn a() {}", 1),
                (LIBRARY, "#[should_panic(expected = \"x\")]\nfn a() {}", 1),
                (LIBRARY, "#[ignored]\n// #[ignore]\nfn a() {}", 0),
            ],
        );
    }
}
