//! Rules on `unsafe`: where it may be, and that it says why it is right.

use super::findings::{Finding, Rule};
use super::shape::words;
use super::tree::Tree;

/// The rooms that may be unsafe: arithmetic, and system calls.
const UNSAFE_ROOMS: &[&str] = &["kernels", "sandbox"];

/// The rules of this file.
pub const RULES: &[Rule] = &[
    Rule {
        name: "unsafe-place",
        right: "only kernels and sandbox are unsafe",
        grantable: false,
        find: unsafe_elsewhere,
    },
    Rule {
        name: "unsafe-reason",
        right: "write `// SAFETY: why it is right` above it (`# Safety` on an unsafe fn)",
        grantable: true,
        find: unsafe_without_reason,
    },
];

fn unsafe_elsewhere(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        if file.room().is_some_and(|room| UNSAFE_ROOMS.contains(&room)) {
            continue;
        }
        let code = &rust.parts.code;
        for at in words(code, "unsafe").chain(words(code, "unsafe_code")) {
            let line = code[..at].matches('\n').count();
            if !code.lines().nth(line).is_some_and(|l| l.contains("(unsafe_code)") && forbids(l)) {
                found.push(Finding::at(&file.path, line, "unsafe"));
            }
        }
    }
    found
}

fn forbids(line: &str) -> bool {
    line.contains("forbid(") || line.contains("deny(")
}

fn unsafe_without_reason(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        let code: Vec<&str> = rust.parts.code.lines().collect();
        let comments: Vec<&str> = rust.parts.comments.lines().collect();
        for at in words(&rust.parts.code, "unsafe") {
            let line = rust.parts.code[..at].matches('\n').count();
            let rest = rust.parts.code[at..].trim_start_matches("unsafe").trim_start();
            // `unsafe fn(…)` as a type, `unsafe extern` blocks: nothing is claimed to hold there.
            if rest.starts_with("fn(") || rest.starts_with("extern") {
                continue;
            }
            if !has_reason(&code, &comments, line) {
                found.push(Finding::at(&file.path, line, "unsafe without a reason"));
            }
        }
    }
    found
}

/// Is there a reason on the line, or in the comments above the statement it belongs to?
fn has_reason(code: &[&str], comments: &[&str], line: usize) -> bool {
    let says = |i: usize| comments[i].contains("SAFETY:") || comments[i].contains("# Safety");
    if says(line) {
        return true;
    }
    for i in (0..line).rev() {
        let text = code[i].trim();
        if says(i) {
            return true;
        }
        let comment_or_attribute = text.is_empty() || text.starts_with("#[");
        // A line that ends a statement or opens a block ends the search: the reason is not above.
        if !comment_or_attribute && text.ends_with([';', '{', '}', ',']) {
            return false;
        }
        if text.is_empty() && comments[i].trim().is_empty() {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings::found;

    #[test]
    fn only_two_rooms_are_unsafe() {
        for (path, text, expect) in [
            ("crates/kernels/src/a.rs", "unsafe { x() }", 0),
            ("crates/sandbox/src/a.rs", "unsafe { x() }", 0),
            ("crates/lm/src/a.rs", "fn a() {\n    unsafe { x() }\n}", 1),
            ("crates/lm/tests/a.rs", "unsafe fn a() {}", 1),
            ("crates/lm/src/lib.rs", "#![allow(unsafe_code)]", 1),
            ("crates/lm/src/lib.rs", "#![forbid(unsafe_code)]", 0),
            ("crates/lm/src/a.rs", "// unsafe\nlet a = \"unsafe\"; is_unsafe();", 0),
        ] {
            assert_eq!(found(unsafe_elsewhere, path, text).len(), expect, "{path}: {text}");
        }
    }

    #[test]
    fn unsafe_says_why() {
        for (text, expect) in [
            ("// SAFETY: in bounds\nlet a = unsafe { x() };", 0),
            ("let a = unsafe { x() }; // SAFETY: in bounds", 0),
            ("// SAFETY: in bounds,\n// since n is checked\nlet a =\n    unsafe { x() };", 0),
            ("/// # Safety\n/// `n` in bounds\n#[inline]\npub unsafe fn a() {}", 0),
            ("let a = unsafe { x() };", 1),
            ("// fast\nlet a = unsafe { x() };", 1),
            ("// SAFETY: in bounds\nlet a = 1;\nlet b = unsafe { x() };", 1),
            ("// SAFETY: in bounds\n\nunsafe { x() };", 1),
            ("// SAFETY: a\nunsafe { x() };\nunsafe impl Send for A {}", 1),
            ("type F = unsafe fn(u8);", 0),
        ] {
            let count = found(unsafe_without_reason, "crates/kernels/src/a.rs", text).len();
            assert_eq!(count, expect, "{text}");
        }
    }
}
