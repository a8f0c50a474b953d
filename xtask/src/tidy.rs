//! House rules a program can check.
//!
//! ```text
//! git ls-files ──► tree.rs ──► rules (shape · safety · manners · text) ──► findings
//!                    │ mask.rs: code without comments and strings         │
//!                                       xtask/tidy.toml ──► ratchet.rs ──► over? slack?
//! ```
//!
//! Most rules are *ratchets*: `xtask/tidy.toml` holds what was there when a rule came in or what was
//! granted since, by hand and in the open; it may shrink and may not grow. Some grant nothing.

mod findings;
mod manners;
mod mask;
mod ratchet;
mod safety;
mod shape;
mod text;
mod tree;

use std::path::Path;

use findings::Rule;
use ratchet::Allowances;
use tree::Tree;

/// All rules, in the order they are reported.
const RULES: &[&[Rule]] = &[shape::RULES, safety::RULES, manners::RULES, text::RULES];

/// Where the allowances are.
const ALLOWANCES: &str = "xtask/tidy.toml";

/// Checks the tree against rules and allowances.
pub fn check(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root)?;
    let allowances = Allowances::read(&root.join(ALLOWANCES))?;
    let (mut over, mut slack) = (Vec::new(), Vec::new());
    for rule in rules() {
        let findings = (rule.find)(&tree);
        over.extend(ratchet::over(rule, &findings, &allowances));
        slack.extend(ratchet::slack(rule, &findings, &allowances));
    }
    over.extend(allowances.unknown_rules(rules()));
    println!("{}", tree.sizes());
    for line in &slack {
        println!("note: {line}: `cargo xtask tidy --update` lowers it");
    }
    if !over.is_empty() {
        return Err(format!("{} findings:\n{}", over.len(), over.join("\n")));
    }
    println!("{} files follow {} rules", tree.files.len(), rules().count());
    Ok(())
}

/// Lowers the allowances to what is there.
pub fn update(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root)?;
    let path = root.join(ALLOWANCES);
    let mut allowances = Allowances::read(&path)?;
    let mut lowered = 0;
    for rule in rules() {
        lowered += allowances.lower(rule.name, &ratchet::totals(&(rule.find)(&tree)));
    }
    allowances.write(&path)?;
    println!("{lowered} allowances lowered");
    Ok(())
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}
