//! Rust text taken apart into code, comments and string literals, so that a word in a comment is
//! not taken for a call. Same bytes and lines in all three; what is not theirs is blank.

/// The three parts of one file, of equal length and with the same line breaks.
#[derive(Debug, Default, Clone)]
pub struct Parts {
    /// Code, literals and comments blanked out.
    pub code: String,
    /// The contents of string literals only.
    pub strings: String,
    /// The contents of comments only, doc comments too.
    pub comments: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Strings,
    Comments,
}

/// Takes a file apart.
pub fn parts(text: &str) -> Parts {
    let bytes = text.as_bytes();
    let mut kinds = vec![Part::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (part, end) = token(bytes, at);
        kinds[at..end].fill(part);
        at = end;
    }
    let only = |wanted: Part| {
        let kept = bytes.iter().zip(&kinds).map(|(byte, kind)| match byte {
            b'\n' => b'\n',
            _ if *kind == wanted => *byte,
            _ => b' ',
        });
        // A token never ends inside a character, so each part is whole characters and blanks.
        String::from_utf8_lossy(&kept.collect::<Vec<u8>>()).into_owned()
    };
    Parts { code: only(Part::Code), strings: only(Part::Strings), comments: only(Part::Comments) }
}

/// What starts at this byte, and where it ends.
fn token(bytes: &[u8], at: usize) -> (Part, usize) {
    let rest = &bytes[at..];
    let before = at.checked_sub(1).map(|i| bytes[i]);
    let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if rest.starts_with(b"//") {
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        return (Part::Comments, at + length);
    }
    if rest.starts_with(b"/*") {
        return (Part::Comments, at + block_comment(rest));
    }
    if !in_word && let Some(length) = raw_string(rest) {
        return (Part::Strings, at + length);
    }
    match rest[0] {
        b'"' => (Part::Strings, at + quoted(rest, b'"')),
        b'\'' => match char_literal(rest) {
            Some(length) => (Part::Strings, at + length),
            None => (Part::Code, at + 1),
        },
        _ => (Part::Code, at + 1),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < rest.len() {
        if rest[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if rest[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    rest.len()
}

/// The length of `r"…"`, `br#"…"#` and the like, if one starts here.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|p| rest.starts_with(p))?.len();
    let hashes = rest[prefix..].iter().take_while(|b| **b == b'#').count();
    let start = prefix + hashes;
    if rest.get(start) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = [b'"'].into_iter().chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &rest[start + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| start + 1 + end + close.len()))
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut i = 1;
    while i < rest.len() {
        match rest[i] {
            b'\\' => i += 2,
            byte if byte == quote => return i + 1,
            _ => i += 1,
        }
    }
    rest.len()
}

/// The length of a character literal, or nothing where the quote begins a lifetime.
fn char_literal(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'\\' => Some(quoted(rest, b'\'')),
        // One character of one to four bytes, then the closing quote.
        _ => (2..=5).find(|i| rest.get(*i) == Some(&b'\'')).and_then(|i| {
            let inside = std::str::from_utf8(&rest[1..i]).ok()?;
            (inside.chars().count() == 1).then_some(i + 1)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code with runs of blanks squeezed, then the strings' and comments' words.
    fn check(text: &str, code: &str, strings: &str, comments: &str) {
        let squeeze = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = parts(text);
        assert_eq!(squeeze(&parts.code), code, "code of {text:?}");
        assert_eq!(squeeze(&parts.strings), strings, "strings of {text:?}");
        assert_eq!(squeeze(&parts.comments), comments, "comments of {text:?}");
        assert_eq!(parts.code.lines().count(), text.lines().count());
    }

    #[test]
    fn code_strings_and_comments_come_apart() {
        check("let a = 1; // unsafe", "let a = 1;", "", "// unsafe");
        check("f(\"a // b\", c)", "f( , c)", "\"a // b\"", "");
        check("f(\"a \\\" b\") /* x /* y */ z */ g", "f( ) g", "\"a \\\" b\"", "/* x /* y */ z */");
        check("r#\"a \" b\"# + br\"c\"", "+", "r#\"a \" b\"# br\"c\"", "");
        check("fn f<'a>(x: &'a str) -> char { '\"' }", "fn f<'a>(x: &'a str) -> char { }", "'\"'", "");
        check("'\\'' + 'é' + b'{'", "+ + b", "'\\'' 'é' '{'", "");
        check("for r in 0..1 { r#type }", "for r in 0..1 { r#type }", "", "");
        check("\"two\nlines\" x", "x", "\"two lines\"", "");
        check("\"never closed", "", "\"never closed", "");
    }
}
