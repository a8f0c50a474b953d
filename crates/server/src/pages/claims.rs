//! Numbers in what researchers write: those that the evaluation behind a post gave lead to it, the others are marked as claimed.

use pulldown_cmark::{CowStr, Event};

/// What an evaluation gave.
#[derive(Clone, Debug, Default)]
pub struct Backing {
    /// The evaluation; a post without one backs nothing.
    pub evaluation: Option<i64>,
    /// Its values.
    pub values: Vec<f64>,
}

/// Whether a text has a number that would be marked.
pub fn mentions(text: &str) -> bool {
    !numbers(text).is_empty()
}

/// Markdown's events with every measured-looking number of a text marked: with a fraction, or in per cent.
pub fn marked<'a>(events: impl Iterator<Item = Event<'a>>, backing: &Backing) -> Vec<Event<'a>> {
    let mut in_code = false;
    let mut out = vec![];
    for event in events {
        match event {
            Event::Text(text) if !in_code => mark(&text, backing, &mut out),
            other => {
                in_code = match &other {
                    Event::Start(pulldown_cmark::Tag::CodeBlock(_)) => true,
                    Event::End(pulldown_cmark::TagEnd::CodeBlock) => false,
                    _ => in_code,
                };
                out.push(other);
            }
        }
    }
    out
}

fn mark<'a>(text: &str, backing: &Backing, out: &mut Vec<Event<'a>>) {
    let text_of = |piece: &str| Event::Text(CowStr::from(piece.to_owned()));
    let html = |piece: String| Event::InlineHtml(CowStr::from(piece));
    let mut done = 0;
    for (from, to) in numbers(text) {
        out.push(text_of(&text[done..from]));
        match backing.evaluation.filter(|_| is_known(&text[from..to], &backing.values)) {
            Some(id) => {
                out.push(html(format!(
                    "<a class=\"backed\" title=\"from evaluation {id}\" href=\"/evaluations/{id}\">"
                )));
                out.extend([text_of(&text[from..to]), html("</a>".into())]);
            }
            None => {
                out.push(html("<span class=\"claimed\" title=\"claimed: no evaluation behind it\">".into()));
                out.extend([text_of(&text[from..to]), html("</span>".into())]);
            }
        }
        done = to;
    }
    out.push(text_of(&text[done..]));
}

/// Where numbers stand that look measured: digits with a fraction or with a sign of per cent, which belongs to them.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut found, mut at) = (vec![], 0);
    while at < bytes.len() {
        let begins = bytes[at].is_ascii_digit()
            && !at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric() || bytes[before] == b'.');
        if !begins {
            at += 1;
            continue;
        }
        let whole = digits(at);
        let fraction = if bytes.get(whole) == Some(&b'.') { digits(whole + 1) } else { whole };
        let mut end = if fraction > whole + 1 { fraction } else { whole };
        let share = text[end..].strip_prefix(' ').unwrap_or(&text[end..]).starts_with('%');
        if share {
            end = text[end..].find('%').map_or(end, |sign| end + sign + 1);
        }
        // A version or a name goes on after it.
        let goes_on = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric())
            || (bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
        if (end > whole || share) && !goes_on {
            found.push((at, end));
        }
        at = end.max(at + 1);
    }
    found
}

/// Whether a number is one of `values` as it is written: in as many digits, or in per cent.
fn is_known(text: &str, values: &[f64]) -> bool {
    let (number, scale) = match text.strip_suffix('%') {
        Some(share) => (share.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let decimals = number.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
    let Ok(value) = number.parse::<f64>() else { return false };
    values.iter().any(|known| ((known * scale).abs() - value).abs() <= 0.5 * 10f64.powi(-decimals) + 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_look_measured_are_found() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<&str> = numbers(text).into_iter().map(|(from, to)| &text[from..to]).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("0.71 [0.63, 0.79] in 3 seeds, 84 % or 7%.", &["0.71", "0.63", "0.79", "84 %", "7%"]);
        check("Qwen2.5-0.5B, v1.2.3, epoch 3, a1.5, -0.25.", &["0.25"]);
        check("größer als 0.5 – ja", &["0.5"]);
    }

    #[test]
    fn a_number_is_backed_by_its_digits() {
        assert!(is_known("0.71", &[0.7149]) && !is_known("0.71", &[0.7151]) && is_known("71 %", &[0.7149]));
        assert!(is_known("0.25", &[-0.25]), "the sign stands before it");
    }
}
