//! `write_file`, `edit_file`

use super::files::text_of;
use super::{Bench, Outcome, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::heartbeat::Doing;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Write.
pub const WRITE_FILE: Tool = Tool {
    name: "write_file",
    about: "Write a file, with its folders where they are missing; what was in it is replaced, or with append continued. Very long \
            files are best written in several pieces.",
    fields: &[
        needed("path", Kind::Text, "Relative paths begin at the private folder."),
        needed("content", Kind::Text, "All of it."),
        optional("append", Kind::Flag, "Add to the end."),
        optional("executable", Kind::Flag, "Make it executable, as a bundle's `train` must be."),
    ],
    doing: Doing::Tool,
    run: Run::Local(write),
};

/// Edit.
pub const EDIT_FILE: Tool = Tool {
    name: "edit_file",
    about: "Replace a passage of a text file. The old passage must be there exactly as given, and once only unless all is set: take \
            enough lines around it.",
    fields: &[
        needed("path", Kind::Text, "Relative paths begin at the private folder."),
        needed("old", Kind::Text, "The passage as it stands, spaces and line breaks included."),
        needed("new", Kind::Text, "What shall stand there."),
        optional("all", Kind::Flag, "Replace every occurrence."),
    ],
    doing: Doing::Tool,
    run: Run::Local(edit),
};

fn write(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let path = bench.platform.path(arguments.text("path"));
    let content = arguments.text("content");
    let wrong = |error: std::io::Error| Wrong(format!("{} can't be written: {error}.", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    let append = arguments.flag("append");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(append).write(true).truncate(!append);
    let mut file = options.open(&path).map_err(wrong)?;
    file.write_all(content.as_bytes()).map_err(wrong)?;
    if arguments.flag("executable") {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).map_err(wrong)?;
    }
    let done = if append { "added to" } else { "written to" };
    Ok(format!("{} lines {done} {}.", content.lines().count(), path.display()).into())
}

fn edit(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let path = bench.platform.path(arguments.text("path"));
    let (old, new) = (arguments.text("old"), arguments.text("new"));
    let text = text_of(&path)?;
    if old.is_empty() || old == new {
        return Err(Wrong(
            "The old passage is empty or the same as the new one; write_file writes whole files.".into(),
        ));
    }
    let found = text.matches(old).count();
    match found {
        0 => Err(Wrong(format!("The old passage is not in {}.{}", path.display(), nearest(&text, old)))),
        1 => replace(&path, &text.replacen(old, new, 1), 1),
        _ if arguments.flag("all") => replace(&path, &text.replace(old, new), found),
        _ => Err(Wrong(format!(
            "The old passage is {found} times in {}; take more lines around it, or set all.",
            path.display()
        ))),
    }
}

fn replace(path: &Path, text: &str, times: usize) -> Outcome {
    // Mode and links stay: the file is overwritten, not replaced.
    std::fs::write(path, text).map_err(|error| Wrong(format!("{} can't be written: {error}.", path.display())))?;
    Ok(format!("Replaced {times} time{} in {}.", if times == 1 { "" } else { "s" }, path.display()).into())
}

/// Where the first line of the passage stands but for its spaces.
fn nearest(text: &str, old: &str) -> String {
    let Some(first) = old.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return String::new();
    };
    let at = text.lines().position(|line| line.trim() == first);
    at.map_or(String::new(), |at| {
        format!(
            " Its first line resembles line {}; spaces, or the lines after it, differ. read_file shows them.",
            at + 1
        )
    })
}
