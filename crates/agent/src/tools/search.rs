//! `search_files`

use super::files::is_foreign;
use super::{Bench, Outcome, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::fence::one_line;
use crate::heartbeat::Doing;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Search.
pub const SEARCH_FILES: Tool = Tool {
    name: "search_files",
    about: "Find lines that contain a text (not a pattern; for those use grep in the shell) in the text files under a folder, with \
            file and line number. Hidden folders and binary files are left out.",
    fields: &[
        needed("text", Kind::Text, "What to look for."),
        optional("folder", Kind::Text, "Where; the private folder by default."),
        optional("name", Kind::Text, "Only files whose path contains this."),
        optional("any_case", Kind::Flag, "Do not tell upper from lower case."),
        optional("most", Kind::Integer(1, 500), "How many lines to show; 50 by default."),
    ],
    doing: Doing::Tool,
    run: Run::Local(run),
};

/// Files of a search at most, and bytes of a file: what is larger is data, not text.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: u64 = 16 << 20;

fn run(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let root = bench.platform.path(arguments.text("folder"));
    if !root.exists() {
        return Err(Wrong(format!("There is no folder {}.", root.display())));
    }
    let (mut files, name) = (Vec::new(), arguments.text("name"));
    walk(&root, &mut files);
    files.retain(|path| path.to_string_lossy().contains(name));
    files.sort();
    let most = usize::try_from(arguments.number("most").unwrap_or(50)).unwrap_or(50);
    let (mut own, mut foreign, mut hits) = (Vec::new(), Vec::new(), 0);
    for path in &files {
        let found = lines_with(path, arguments.text("text"), arguments.flag("any_case"));
        if !found.is_empty() {
            bench.heartbeat.alive();
            let into = if is_foreign(&bench.platform, path) { &mut foreign } else { &mut own };
            let shown = found.iter().take(most.saturating_sub(hits));
            into.extend(shown.map(|(line, text)| format!("{}:{line}: {}", path.display(), one_line(text, 300))));
            hits += found.len();
        }
    }
    let mut text = own.join("\n");
    if !foreign.is_empty() {
        let fenced = bench.platform.fence.around("files that others wrote", &foreign.join("\n"), usize::MAX);
        text = format!("{text}\n{fenced}").trim_start().to_owned();
    }
    let shown = own.len() + foreign.len();
    Ok(match hits {
        0 => format!("No line of {} files has it.", files.len()).into(),
        _ if hits > shown => format!("{text}\n[{shown} of {hits} lines; narrow it down, or raise most]").into(),
        _ => text.into(),
    })
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) {
    // Links are left alone: they could lead round in circles.
    let Ok(meta) = path.symlink_metadata() else { return };
    if files.len() >= MOST_FILES {
        return;
    }
    if meta.is_file() && meta.len() <= MOST_BYTES {
        files.push(path.to_owned());
    } else if meta.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with('.') {
                walk(&entry.path(), files);
            }
        }
    }
}

/// Lines of a text file that contain `text`; none where it is no text.
fn lines_with(path: &Path, text: &str, any_case: bool) -> Vec<(usize, String)> {
    let Ok(file) = std::fs::File::open(path) else { return Vec::new() };
    let sought = if any_case { text.to_lowercase() } else { text.to_owned() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let has = |line: &str| if any_case { line.to_lowercase().contains(&sought) } else { line.contains(&sought) };
    lines.enumerate().filter(|(_, line)| has(line)).map(|(at, line)| (at + 1, line)).collect()
}
