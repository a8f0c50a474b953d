//! `lab recipes`

use super::{print_json, recipe_text, table};
use crate::failure::Failure;
use aar_methods::shipped;

#[derive(clap::Args)]
pub struct Options {
    /// Print this one
    name: Option<String>,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    if let Some(name) = &options.name {
        crate::output::print(format_args!("{}", recipe_text(name)?));
        return Ok(());
    }
    let mut rows = Vec::new();
    for (file, _) in shipped::RECIPES {
        if let Some(recipe) = shipped::get(file) {
            let recipe = recipe?;
            rows.push([(*file).to_owned(), recipe.name.clone(), recipe.family.name().to_owned()]);
        }
    }
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|[file, name, family]| serde_json::json!({"file": file, "name": name, "family": family}))
            .collect();
        print_json(&rows);
    } else {
        crate::say!("{}", table(&["recipe", "method", "family"], rows.into_iter().map(Vec::from).collect()));
        crate::say!("\nprint one: lab recipes NAME      try one: lab try NAME");
    }
    Ok(())
}
