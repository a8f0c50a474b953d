//! Every crate we build carries a licence we may ship under.
//!
//! A small reader of SPDX expressions: `OR`, `AND`, `WITH`, brackets, and the old `A/B` for `A OR B`.
//! Anything it does not know is refused, so a new licence is looked at by a person, once.

use std::collections::BTreeMap;
use std::path::Path;

use crate::graph;

/// Permissive licences; a `WITH` exception belongs to the name.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Our own.
const OURS: &str = "MIT OR Apache-2.0";

/// Checks all crates that this machine's build resolves to.
pub fn check(root: &Path) -> Result<(), String> {
    let metadata = graph::metadata(root)?;
    let built: Vec<_> = metadata.resolve.iter().flat_map(|r| &r.nodes).map(|n| &n.id).collect();
    let packages: Vec<_> = metadata.packages.iter().filter(|p| built.contains(&&p.id)).collect();
    let mut found = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &packages {
        let licence = package.license.as_deref();
        let ours = metadata.workspace_members.contains(&package.id);
        if let Err(reason) = judge(licence, ours) {
            found.push(format!("{} {}: {reason}", package.name, package.version));
        }
        *counts.entry(licence.unwrap_or("none")).or_default() += 1;
    }
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        if !root.join(file).is_file() {
            found.push(format!("{file} is missing"));
        }
    }
    if !found.is_empty() {
        return Err(format!("{} licences to look at:\n  {}", found.len(), found.join("\n  ")));
    }
    println!("{} crates under {} licence expressions, all allowed", packages.len(), counts.len());
    Ok(())
}

fn judge(licence: Option<&str>, ours: bool) -> Result<(), String> {
    match licence {
        None => Err("names no licence".to_owned()),
        Some(OURS) => Ok(()),
        Some(other) if ours => Err(format!("{other:?} should be {OURS:?}")),
        Some(text) => match allowed(text) {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{text:?} is not in the list of xtask/src/licences.rs")),
            Err(reason) => Err(format!("{text:?} cannot be read: {reason}")),
        },
    }
}

/// Does the expression leave us at least one allowed choice?
fn allowed(expression: &str) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let value = any_of(&words, &mut at)?;
    match words.get(at) {
        None => Ok(value),
        Some(word) => Err(format!("{word:?} does not belong there")),
    }
}

fn any_of(words: &[&str], at: &mut usize) -> Result<bool, String> {
    let mut value = all_of(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        value |= all_of(words, at)?;
    }
    Ok(value)
}

fn all_of(words: &[&str], at: &mut usize) -> Result<bool, String> {
    let mut value = one(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        value &= one(words, at)?;
    }
    Ok(value)
}

fn one(words: &[&str], at: &mut usize) -> Result<bool, String> {
    let word = *words.get(*at).ok_or("it stops in the middle")?;
    *at += 1;
    match word {
        "(" => {
            let value = any_of(words, at)?;
            if words.get(*at) != Some(&")") {
                return Err("a bracket is not closed".to_owned());
            }
            *at += 1;
            Ok(value)
        }
        ")" | "AND" | "OR" | "WITH" => Err(format!("{word:?} where a licence should be")),
        name if words.get(*at) == Some(&"WITH") => {
            let exception = words.get(*at + 1).ok_or("WITH nothing")?;
            *at += 2;
            Ok(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()))
        }
        name => Ok(ALLOWED.contains(&name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        for (expression, expect) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("GPL-3.0-only AND MIT", false),
            ("MIT OR GPL-3.0-only AND LGPL-2.1-only", true),
            ("(MIT OR GPL-3.0-only) AND LGPL-2.1-only", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("MIT WITH some-exception", false),
        ] {
            assert_eq!(allowed(expression), Ok(expect), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT Apache-2.0", "MIT WITH"] {
            assert!(allowed(expression).is_err(), "{expression:?}");
        }
    }

    #[test]
    fn no_licence_is_not_a_licence() {
        assert!(judge(None, false).is_err());
        assert!(judge(Some("MIT"), true).is_err(), "our own crates bear both");
        assert!(judge(Some(OURS), true).is_ok());
        assert!(judge(Some("Proprietary"), false).unwrap_err().contains("not in the list"));
    }
}
