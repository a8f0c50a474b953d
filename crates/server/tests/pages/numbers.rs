//! Every number on a page names the entry of the log behind it (`aar_server::pages::origin`). This reads a page, and finds in
//! the store what each number says of itself.
#![allow(dead_code)]

use super::markup::{Element, texts};
use super::store::Store;
use std::collections::BTreeSet;

/// Our own constants, which are explained where they stand.
const SAID: &[&str] = &["95 %", "95 of 100", "127.0.0.1", "power of 80 %", "at 5 %", "× 10¹²"];
/// Elements whose text is no measurement: code, times, column heads, choices.
const EXEMPT: &[&str] = &["code", "pre", "time", "th", "option", "title", "caption", "summary"];

/// What does not hold on a page; empty = every number was found. With how many were.
pub fn check(store: &Store, page: &str) -> (usize, Vec<String>) {
    let (mut held, mut faults) = (0, Vec::new());
    let mut resolved = BTreeSet::new();
    for (open, text) in texts(page) {
        let from = open.iter().rev().find_map(|element| element.attributes.get("data-from"));
        if let Some(from) = from
            && resolved.insert(from.clone())
            && store.behind(from).is_none()
        {
            faults.push(format!("{from}: there is no such entry (“{}”)", text.trim()));
            continue;
        }
        let link = open.iter().rev().find(|element| element.has("evidence"));
        let numbers = numbers(&text);
        if numbers.is_empty() || (from.is_none() && link.is_none() && exempt(&open)) {
            continue;
        }
        if let Some(link) = link {
            let target = link.attributes["href"].trim_start_matches("/evaluations/").trim_start_matches("#e");
            match target.parse() {
                Ok(id) if store.has(id) && text.trim() == format!("#{id}") => held += 1,
                _ => faults.push(format!("“{text}” leads to {target}")),
            }
            continue;
        }
        let Some(from) = from else {
            let place: Vec<&str> = open.iter().skip(2).map(|element| element.name.as_str()).collect();
            faults.push(format!("“{}” in {} names nothing behind it", text.trim(), place.join(" ")));
            continue;
        };
        let known = store.behind(from).unwrap_or_default();
        for number in numbers {
            match known.iter().any(|value| number.is(*value, &text)) {
                true => held += 1,
                false => {
                    faults.push(format!("{from}: {} is shown (“{}”), known are {known:?}", number.text, text.trim()))
                }
            }
        }
    }
    (held, faults)
}

fn exempt(open: &[Element]) -> bool {
    open.iter().any(|element| {
        EXEMPT.contains(&element.name.as_str())
            || element.attributes.contains_key("data-told")
            || element.has("pager")
            || (element.name == "text" && element.has("faint"))
    })
}

pub struct Number {
    text: String,
    pub value: f64,
    decimals: i32,
}

impl Number {
    /// Whether a value looks like this when it is written.
    fn is(&self, value: f64, text: &str) -> bool {
        if text.contains("< 0.001") && self.text == "0.001" {
            return value < 0.001;
        }
        (value - self.value).abs() <= 0.5 * 10f64.powi(-self.decimals) + 1e-9
    }
}

/// The numbers in a text, constants of ours and the digits of names left out.
pub fn numbers(text: &str) -> Vec<Number> {
    let mut text = text.to_owned();
    for said in SAID {
        text = text.replace(said, "");
    }
    // A method's own name stands in these.
    while let (Some(from), Some(to)) = (text.find('“'), text.find('”')) {
        text.replace_range(from.min(to)..to.max(from) + '”'.len_utf8(), "");
    }
    let pieces = text.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-' || c == '−'));
    let number = |piece: &str| {
        let piece = piece.trim_end_matches('.').replace('−', "-");
        let value: f64 = piece.parse().ok()?;
        let decimals = piece.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
        Some(Number { text: piece, value, decimals })
    };
    pieces.filter(|piece| piece.contains(|c: char| c.is_ascii_digit())).filter_map(number).collect()
}

#[test]
fn numbers_are_found_where_they_stand() {
    let found = |text: &str| numbers(text).into_iter().map(|number| number.text).collect::<Vec<_>>();
    assert_eq!(found("0.71 [-0.63, 0.79] of 95 % “plain 7”."), ["0.71", "-0.63", "0.79"]);
    assert_eq!(found("#12, worker-3 took 4.0 s."), ["12", "4.0"]);
    let one = |text: &str| numbers(text).remove(0);
    assert!(one("0.71").is(0.7149, "") && !one("0.71").is(0.7151, ""));
    assert!(one("< 0.001").is(0.0004, "< 0.001") && !one("< 0.001").is(0.002, "< 0.001"));
}
