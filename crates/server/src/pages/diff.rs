//! What was changed between two small texts, line by line.

use maud::{Markup, html};

/// More lines than this are shown without comparing them.
const LINES: usize = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// `after`, with lines that came marked `+`, and those that went `-`.
pub fn render(before: &str, after: &str) -> Markup {
    let changes = lines(before, after);
    html! {
        @for change in changes {
            @match change {
                Change::Same(line) => { "  " (line) "\n" }
                Change::Gone(line) => { del { "- " (line) "\n" } }
                Change::New(line) => { ins { "+ " (line) "\n" } }
            }
        }
    }
}

/// By the longest common subsequence.
fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Change<'a>> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if a.len() > LINES || b.len() > LINES {
        return b.into_iter().map(Change::Same).collect();
    }
    // common[i][j]: lines in common of a[i..] and b[j..].
    let mut common = vec![vec![0u16; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, vec![]);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            out.push(Change::Same(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            out.push(Change::Gone(a[i]));
            i += 1;
        } else {
            out.push(Change::New(b[j]));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Change::*, lines};

    #[test]
    fn what_stays_what_goes_and_what_comes() {
        assert_eq!(lines("a\nb\nc", "a\nx\nc\nd"), [Same("a"), Gone("b"), New("x"), Same("c"), New("d")]);
        assert_eq!(lines("", "a"), [New("a")]);
        assert_eq!(lines("a\nb", "a\nb"), [Same("a"), Same("b")]);
    }
}
