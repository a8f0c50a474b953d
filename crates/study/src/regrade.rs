//! Does what was published follow from what is stored? Compares a result with one computed afresh, value by value.

use serde::Serialize;
use serde_json::Value;

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where: `leaderboard[3].pgr`.
    pub place: String,
    /// What was published; absent = not there.
    pub published: Option<Value>,
    /// What the stored margins give; absent = not there.
    pub regraded: Option<Value>,
}

/// All places in which two results differ. Numbers must be equal to the last bit: the same margins and the same code leave no room.
pub fn differences(published: &Value, regraded: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(published), Some(regraded), &mut found);
    found
}

fn compare(place: &str, published: Option<&Value>, regraded: Option<&Value>, found: &mut Vec<Difference>) {
    match (published, regraded) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))).collect();
            keys.sort();
            for key in keys {
                let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                compare(&inner, a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                compare(&format!("{place}[{at}]"), a.get(at), b.get(at), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            found.push(Difference { place: place.to_owned(), published: a.cloned(), regraded: b.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_difference_is_named_by_its_place() {
        let published = json!({"rows": [{"pgr": 0.1, "by": "ada"}, {"pgr": null}], "gone": 1});
        assert_eq!(differences(&published, &published), []);
        let regraded = json!({"rows": [{"pgr": 0.10000000000000002, "by": "ada"}, {"pgr": 2}, {}], "new": 1});
        let places: Vec<String> = differences(&published, &regraded).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["gone", "new", "rows[0].pgr", "rows[1].pgr", "rows[2]"]);
    }
}
