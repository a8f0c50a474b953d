//! Notices the same call that gives the same result again and again.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};

/// How many calls back it looks: turns of a few calls that repeat are repetition too; a look at the board once an hour is not.
const WINDOW: usize = 40;

/// The last calls, with what they gave.
#[derive(Debug, Default)]
pub struct Repetition {
    calls: VecDeque<Made>,
    rests: usize,
}

#[derive(Debug)]
struct Made {
    call: String,
    result: String,
    rests: usize,
}

impl Repetition {
    /// How often this very call came lately without a new result since.
    pub fn seen(&self, call: &str) -> usize {
        let mut same = self.calls.iter().rev().filter(|made| made.call == call);
        let Some(last) = same.next() else {
            return 0;
        };
        1 + same.take_while(|made| made.result == last.result).count()
    }

    /// Time was let pass: what is asked again after it may have changed.
    pub fn rest(&mut self) {
        self.rests += 1;
    }

    /// Whether time was let pass since this very call was made last.
    pub fn rested(&self, call: &str) -> bool {
        self.calls.iter().rev().find(|made| made.call == call).is_some_and(|made| made.rests < self.rests)
    }

    /// A call was made or refused. A refusal gives what the last call gave: nothing new.
    pub fn note(&mut self, call: &str, result: Option<&str>) {
        let result = match result {
            Some(text) => hex::encode(Sha256::digest(text)),
            None => self.calls.iter().rev().find(|m| m.call == call).map(|m| m.result.clone()).unwrap_or_default(),
        };
        self.calls.push_back(Made { call: call.to_owned(), result, rests: self.rests });
        if self.calls.len() > WINDOW {
            self.calls.pop_front();
        }
    }
}

/// What makes two calls the same: the tool and its arguments, whatever their order.
pub fn key(tool: &str, arguments: &Value) -> String {
    hex::encode(Sha256::digest(format!("{tool}\n{}", sorted(arguments))))
}

/// Objects by their keys: whether `serde_json` keeps their order depends on what else is built.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            format!("{fields:?}")
        }
        Value::Array(items) => format!("{:?}", items.iter().map(sorted).collect::<Vec<_>>()),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_calls_with_the_same_result_count() {
        let mut repetition = Repetition::default();
        for n in 0..4 {
            assert_eq!(repetition.seen("a"), n);
            repetition.note("a", Some("x"));
            repetition.note("b", Some("other"));
        }
        assert_eq!(repetition.seen("b"), 4, "in turns is repetition too");
        repetition.note("a", Some("news"));
        assert_eq!(repetition.seen("a"), 1);
        repetition.note("a", None);
        assert_eq!(repetition.seen("a"), 2, "a refusal is no news");
        for n in 0..WINDOW {
            repetition.note("c", Some(&n.to_string()));
        }
        assert_eq!(repetition.seen("a"), 0, "long ago is forgotten");
    }

    #[test]
    fn looking_again_after_a_rest_is_known_as_such() {
        let mut repetition = Repetition::default();
        repetition.rest();
        assert!(!repetition.rested("board"), "never asked");
        repetition.note("board", Some("x"));
        assert!(!repetition.rested("board"));
        repetition.rest();
        assert!(repetition.rested("board"));
        repetition.note("board", Some("x"));
        assert!(!repetition.rested("board"));
        assert_eq!(repetition.seen("board"), 2, "it is counted all the same");
    }

    #[test]
    fn the_order_of_arguments_does_not_matter() {
        let value = |text| serde_json::from_str(text).unwrap();
        assert_eq!(key("t", &value(r#"{"a":1,"b":2}"#)), key("t", &value(r#"{"b":2,"a":1}"#)));
        assert_ne!(key("t", &value(r#"{"a":1}"#)), key("t", &value(r#"{"a":2}"#)));
    }
}
