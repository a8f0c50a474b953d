//! Long texts made short, with a sentence that says what is missing.

/// Keep the beginning and the end of `text` within about `most` characters. `rest` says how to see what was cut.
pub fn cap(text: &str, most: usize, rest: &str) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let (head, tail) = (most * 6 / 10, most * 4 / 10);
    let (head_end, tail_start) = whole_lines(text, boundary(text, head), boundary(text, count - tail));
    let cut = &text[head_end..tail_start];
    let first = 1 + text[..head_end].matches('\n').count();
    format!(
        "{}\n[… {} of {count} characters cut here (lines {} to {}). {rest}]\n{}",
        text[..head_end].trim_end_matches('\n'),
        cut.chars().count(),
        first,
        first + cut.trim_end_matches('\n').matches('\n').count(),
        text[tail_start..].trim_start_matches('\n'),
    )
}

/// Cut between lines where one ends nearby: half a line or half a number misleads.
fn whole_lines(text: &str, head_end: usize, tail_start: usize) -> (usize, usize) {
    const NEAR: usize = 300;
    let before = text[..head_end].rfind('\n').map(|at| at + 1).filter(|at| head_end - at < NEAR.min(head_end / 2));
    let after = text[tail_start..].find('\n').filter(|at| *at < NEAR.min((text.len() - tail_start) / 2));
    (before.unwrap_or(head_end), after.map_or(tail_start, |at| tail_start + at + 1))
}

/// Keep only the beginning.
pub fn head(text: &str, most: usize, rest: &str) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let end = boundary(text, most);
    format!("{}\n[… {} more characters. {rest}]", text[..end].trim_end_matches('\n'), count - most)
}

/// The byte at which the `n`-th character begins.
fn boundary(text: &str, n: usize) -> usize {
    text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stay() {
        assert_eq!(cap("grün", 4, "x"), "grün");
        assert_eq!(head("grün", 4, "x"), "grün");
    }

    #[test]
    fn what_is_cut_is_said() {
        let text: String = (1..=1000).map(|n| format!("line {n}\n")).collect();
        let seen = cap(&text, 500, "The whole is in a file.");
        assert!(seen.starts_with("line 1\n") && seen.ends_with("line 1000\n"), "{seen}");
        assert!(seen.contains("of 8893 characters cut here (lines 39 to 978)"), "{seen}");
        assert!(seen.contains("line 38\n[…") && seen.contains("file.]\nline 979\n"), "{seen}");
        assert!(seen.contains("The whole is in a file."));
        assert!(seen.chars().count() < 620);
        assert!(head(&text, 100, "Ask for more.").ends_with("[… 8793 more characters. Ask for more.]"));
    }

    #[test]
    fn characters_are_never_split() {
        let text = "ä".repeat(1000);
        assert!(cap(&text, 101, "").starts_with(&"ä".repeat(60)));
    }
}
