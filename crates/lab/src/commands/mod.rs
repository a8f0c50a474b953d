//! One file per command, and what several of them need.

use crate::failure::{Failure, INPUT};
use aar_methods::{Recipe, Student, shipped, student};
use serde::Serialize;
use std::path::Path;

pub mod agent;
pub mod check;
mod desk;
pub mod drive;
pub mod embed;
pub mod forum;
pub mod label;
pub mod leaderboard;
pub mod mcp;
pub mod predict;
pub mod recipes;
pub mod score;
pub mod search;
pub mod snapshot;
pub mod status;
pub mod submit;
pub mod train;
pub mod trial;

/// The bench itself, to be run again as a child that is called `lab`. Under another name than these this program is another one;
/// then the path leads to `lab`.
pub fn own_program() -> std::path::PathBuf {
    let bench = |path: &std::path::PathBuf| path.file_name().is_some_and(|name| name == "lab" || name == "aar");
    let own = std::env::current_exe().ok().filter(bench);
    own.unwrap_or_else(|| "lab".into())
}

/// The text of a recipe: a file, or the name of one that ships.
pub fn recipe_text(name: &str) -> Result<String, Failure> {
    match std::fs::read_to_string(name) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            shipped::text(name).map(str::to_owned).ok_or_else(|| {
                Failure::new(INPUT, format!("{name} is neither a file nor a recipe that ships"))
                    .hint("`lab recipes` lists those that ship")
            })
        }
        Err(error) => Err(Failure::io("read", Path::new(name))(error)),
    }
}

/// A recipe from a file or by the name of one that ships.
pub fn recipe(name: &str) -> Result<Recipe, Failure> {
    Ok(Recipe::parse(&recipe_text(name)?, Path::new(name))?)
}

/// The student of a testbed's public half, with features made earlier.
pub fn open_student(data: &Path, threads: usize) -> Result<Box<dyn Student>, Failure> {
    let problem = aar_methods::train::read_problem(&data.join("problem.json"))?;
    let cache = data.join("pool.features.safetensors");
    let caches: Vec<_> = cache.exists().then_some(cache).into_iter().collect();
    Ok(student::open(&problem, &data.join("student"), &caches, threads)?)
}

/// For clap: a number of rows, at least one.
pub fn rows(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("nothing can be measured on no rows; say at least 1".into()),
        Ok(rows) => Ok(rows),
        Err(error) => Err(format!("{error}; a number of rows is needed")),
    }
}

/// Print a value as JSON.
pub fn print_json(value: &impl Serialize) {
    crate::say!("{}", serde_json::to_string_pretty(value).unwrap_or_default());
}

/// A table without lines, for terminals and pipes alike.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    table.add_rows(rows);
    table
}

/// Write rows as JSONL to a file, or to stdout.
pub fn write_lines<T: Serialize>(rows: impl Iterator<Item = T>, out: Option<&Path>) -> Result<(), Failure> {
    let text: String = rows.map(|row| serde_json::to_string(&row).unwrap_or_default() + "\n").collect();
    match out {
        Some(path) => std::fs::write(path, text).map_err(Failure::io("write", path)),
        None => {
            crate::output::print(format_args!("{text}"));
            Ok(())
        }
    }
}
