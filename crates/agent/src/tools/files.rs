//! `read_file`, and whose file it is.

use super::{Bench, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::fence::plain;
use crate::heartbeat::Doing;
use std::path::{Path, PathBuf};

/// Read.
pub const READ_FILE: Tool = Tool {
    name: "read_file",
    about: "Read a text file, or a range of its lines. Long lines and long ranges are shortened, with a word on how to see the rest. \
            Files that others wrote (the forum, snapshots) come marked as theirs.",
    fields: &[
        needed("path", Kind::Text, "Relative paths begin at the private folder."),
        optional("from_line", Kind::Integer(1, i64::MAX), "The first line, counted from 1."),
        optional("lines", Kind::Integer(1, 5000), "How many lines; 400 by default."),
    ],
    doing: Doing::Tool,
    run: Run::Local(read),
};

/// Longer lines are shortened.
const LINE_CHARS: usize = 2000;
/// Larger files are not read whole into memory.
const MOST_BYTES: u64 = 64 << 20;

fn read(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let path = bench.platform.path(arguments.text("path"));
    let text = text_of(&path)?;
    let foreign = is_foreign(&bench.platform, &path);
    // Another's file may hide text; one's own is shown as it is, or an edit would not find what was shown.
    let text = if foreign { plain(&text) } else { text };
    let lines: Vec<&str> = text.lines().collect();
    let from = usize::try_from(arguments.number("from_line").unwrap_or(1)).unwrap_or(1) - 1;
    let many = usize::try_from(arguments.number("lines").unwrap_or(400)).unwrap_or(400);
    if from >= lines.len().max(1) {
        return Err(Wrong(format!("{} has {} lines.", path.display(), lines.len())));
    }
    let (shown, to) = range(&lines, from, many, bench.platform.settings.limits.result_chars);
    let shown = if foreign {
        bench.platform.fence.around(&format!("{}, which others wrote", path.display()), &shown, usize::MAX)
    } else {
        shown
    };
    if to < lines.len() || from > 0 {
        let rest = if to < lines.len() { format!("; go on with from_line {}", to + 1) } else { String::new() };
        return Ok(format!("{shown}\n[lines {} to {to} of {}{rest}]", from + 1, lines.len()).into());
    }
    Ok(if shown.is_empty() { "(the file is empty)".to_owned() } else { shown }.into())
}

/// Lines from `from` on until there are `many` or `most_chars` characters of them; the line after the last.
fn range(lines: &[&str], from: usize, many: usize, most_chars: usize) -> (String, usize) {
    let mut out = String::new();
    let mut to = from;
    for line in lines.iter().skip(from).take(many) {
        let line = crate::cap::head(line, LINE_CHARS, "The line is longer.");
        if !out.is_empty() && out.chars().count() + line.chars().count() > most_chars {
            break;
        }
        if to > from {
            out.push('\n');
        }
        out.push_str(&line);
        to += 1;
    }
    (out, to)
}

/// A text file's contents, or a sentence why not.
pub fn text_of(path: &Path) -> Result<String, Wrong> {
    let wrong = |why: String| Wrong(format!("{} can't be read: {why}.", path.display()));
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong(format!("there is no such file{}", beside(path))),
        _ => wrong(error.to_string()),
    })?;
    if meta.is_dir() {
        return Err(wrong(format!("it is a folder with {}", names(path))));
    }
    if !meta.is_file() || meta.len() > MOST_BYTES {
        return Err(wrong("it is too large, or no plain file; use the shell".into()));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| wrong(format!("it is no text ({} bytes)", meta.len())))
}

/// What lies beside a file that is not there.
fn beside(path: &Path) -> String {
    match path.parent() {
        Some(folder) if folder.is_dir() => format!("; the folder {} has {}", folder.display(), names(folder)),
        _ => String::new(),
    }
}

/// Names in a folder, a few of them.
fn names(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let more = names.len().saturating_sub(30);
    names.truncate(30);
    let names = crate::fence::one_line(&names.join(", "), 1500);
    match (names.is_empty(), more) {
        (true, _) => "nothing in it".to_owned(),
        (_, 0) => names,
        _ => format!("{names} and {more} more"),
    }
}

/// Did others write it: a post, or a file of a downloaded bundle? Links are followed first.
pub fn is_foreign(platform: &Platform, path: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let noted = std::fs::read_to_string(platform.settings.own().join("foreign.txt")).unwrap_or_default();
    let folders = noted.lines().map(PathBuf::from).chain([platform.settings.work.join("forum")]);
    let path = real(path);
    folders.into_iter().any(|folder| path.starts_with(real(&folder)))
}
