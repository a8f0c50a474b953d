//! Allowances that may shrink and may not grow.

use std::collections::BTreeMap;
use std::path::Path;

use super::findings::{Finding, Rule};

const HEADER: &str = "\
# What `cargo xtask tidy` tolerates, per rule and file: it may shrink (`cargo xtask tidy --update`)
# and may not grow. A new line here is a decision somebody made by hand; say why in the commit.
";

/// Per rule and key, how much is tolerated.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Allowances(BTreeMap<String, BTreeMap<String, u64>>);

impl Allowances {
    /// Reads the file; none means nothing is tolerated.
    pub fn read(path: &Path) -> Result<Self, String> {
        if !path.exists() {
            return Ok(Allowances::default());
        }
        let text = std::fs::read_to_string(path);
        Self::parse(&text.map_err(|e| format!("cannot read {}: {e}", path.display()))?)
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map(Allowances).map_err(|e| format!("the allowances: {e}"))
    }

    /// Writes the file in its one form.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        std::fs::write(path, self.render()).map_err(|e| format!("cannot write {}: {e}", path.display()))
    }

    fn render(&self) -> String {
        let mut text = HEADER.to_owned();
        for (rule, keys) in &self.0 {
            text += &format!("\n[{rule}]\n");
            for (key, allowed) in keys {
                text += &format!("{key:?} = {allowed}\n");
            }
        }
        text
    }

    fn of(&self, rule: &str, key: &str) -> u64 {
        self.0.get(rule).and_then(|keys| keys.get(key)).copied().unwrap_or(0)
    }

    /// Brings one rule down to what was found; gives the number of allowances that changed.
    pub fn lower(&mut self, rule: &str, found: &BTreeMap<String, u64>) -> usize {
        let Some(keys) = self.0.get_mut(rule) else {
            return 0;
        };
        let mut changed = 0;
        keys.retain(|key, allowed| {
            let now = found.get(key).copied().unwrap_or(0);
            if now < *allowed {
                *allowed = now;
                changed += 1;
            }
            *allowed > 0
        });
        if keys.is_empty() {
            self.0.remove(rule);
        }
        changed
    }

    /// Allowances for rules that do not exist.
    pub fn unknown_rules(&self, rules: impl Iterator<Item = &'static Rule>) -> Vec<String> {
        let names: Vec<_> = rules.map(|rule| rule.name).collect();
        let unknown = self.0.keys().filter(|name| !names.contains(&name.as_str()));
        unknown.map(|name| format!("xtask/tidy.toml: there is no rule {name:?}")).collect()
    }
}

/// How much was found per key.
pub fn totals(findings: &[Finding]) -> BTreeMap<String, u64> {
    let mut totals = BTreeMap::new();
    for finding in findings {
        *totals.entry(finding.key.clone()).or_default() += finding.measure;
    }
    totals
}

/// What goes beyond the allowances, every place on a line of its own.
pub fn over(rule: &Rule, findings: &[Finding], allowances: &Allowances) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, total) in totals(findings) {
        let allowed = if rule.grantable { allowances.of(rule.name, &key) } else { 0 };
        if total <= allowed {
            continue;
        }
        let tolerated = match allowed {
            0 => String::new(),
            n => format!(" (tolerated: {n}, found: {total})"),
        };
        for finding in findings.iter().filter(|finding| finding.key == key) {
            let place = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
            let Finding { what, .. } = finding;
            lines.push(format!("{key}{place}: {}: {what}: {}{tolerated}", rule.name, rule.right));
        }
    }
    lines
}

/// Allowances that are higher than what is there.
pub fn slack(rule: &Rule, findings: &[Finding], allowances: &Allowances) -> Vec<String> {
    let totals = totals(findings);
    let keys = allowances.0.get(rule.name).into_iter().flatten();
    keys.filter_map(|(key, allowed)| {
        let now = totals.get(key).copied().unwrap_or(0);
        (now < *allowed).then(|| format!("{}: {key} is at {now}, {allowed} allowed", rule.name))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATCHET: Rule = Rule { name: "length", right: "shorter", grantable: true, find: |_| Vec::new() };
    const ABSOLUTE: Rule = Rule { name: "length", right: "never", grantable: false, find: |_| Vec::new() };

    fn allowances() -> Allowances {
        Allowances::parse("[length]\n\"a.rs\" = 450\n\"b.rs\" = 2\n").unwrap()
    }

    #[test]
    fn it_may_not_grow() {
        let found = |lines| [Finding::whole("a.rs", lines, "long")];
        assert!(over(&RATCHET, &found(450), &allowances()).is_empty());
        let message = over(&RATCHET, &found(451), &allowances()).remove(0);
        assert!(message.contains("a.rs: length: long: shorter (tolerated: 450"), "{message}");
        assert_eq!(over(&ABSOLUTE, &found(1), &allowances()).len(), 1);
        let elsewhere = [Finding::at("c.rs", 6, "x")];
        assert!(over(&RATCHET, &elsewhere, &allowances())[0].starts_with("c.rs:7: "));
    }

    #[test]
    fn occurrences_add_up() {
        let three = [0, 1, 2].map(|line| Finding::at("b.rs", line, "x"));
        assert!(over(&RATCHET, &three[..2], &allowances()).is_empty());
        assert_eq!(over(&RATCHET, &three, &allowances()).len(), 3);
    }

    #[test]
    fn it_may_shrink_and_update_only_lowers() {
        let found = BTreeMap::from([("a.rs".to_owned(), 500), ("new.rs".to_owned(), 9)]);
        let mut now = allowances();
        assert_eq!(slack(&RATCHET, &[Finding::whole("a.rs", 449, "")], &now).len(), 2);
        assert_eq!(now.lower("length", &found), 1, "only b.rs, which is gone");
        assert_eq!(now, Allowances::parse("[length]\n\"a.rs\" = 450\n").unwrap());
        assert_eq!(now.lower("length", &BTreeMap::new()), 1);
        assert_eq!(now, Allowances::default());
    }

    #[test]
    fn the_file_reads_as_it_was_written() {
        assert_eq!(Allowances::parse(&allowances().render()).unwrap(), allowances());
        assert!(Allowances::parse("[length]\n\"a.rs\" = -1\n").is_err());
    }

    #[test]
    fn an_allowance_for_no_rule_is_an_error() {
        static KNOWN: &[Rule] = &[ABSOLUTE];
        assert!(allowances().unknown_rules(KNOWN.iter()).is_empty());
        let other = Allowances::parse("[lenght]\n\"a.rs\" = 1\n").unwrap();
        assert_eq!(other.unknown_rules(KNOWN.iter()).len(), 1);
    }
}
