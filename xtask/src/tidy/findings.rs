//! What a rule is, and what it finds.

use super::tree::Tree;

/// One house rule.
pub struct Rule {
    /// Its name here and in the allowances.
    pub name: &'static str,
    /// What would be right.
    pub right: &'static str,
    /// May `xtask/tidy.toml` grant exceptions?
    pub grantable: bool,
    /// Everything that is not as it should be.
    pub find: fn(&Tree) -> Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, or `file#function`: what an allowance is granted to.
    pub key: String,
    /// Where, from 1; absent when the whole file is meant.
    pub line: Option<usize>,
    /// How much of it: a length for the rules on lengths, otherwise 1.
    pub measure: u64,
    /// What it is.
    pub what: String,
}

impl Finding {
    /// One occurrence on a line (from 0).
    pub fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Finding { key: path.to_owned(), line: Some(line + 1), measure: 1, what }
    }

    /// Something about a whole file, with its size in the rule's measure.
    pub fn whole(key: impl Into<String>, measure: u64, what: impl Into<String>) -> Self {
        Finding { key: key.into(), line: None, measure, what: what.into() }
    }
}

/// What a rule finds in a tree of one file.
#[cfg(test)]
pub fn found(find: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<Finding> {
    let file = super::tree::File::new(path, text.as_bytes().to_vec());
    find(&Tree { files: vec![file], history_bytes: None })
}
