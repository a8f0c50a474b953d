//! `lab check`

use super::{print_json, recipe};
use crate::cli::Data;
use crate::failure::Failure;
use aar_methods::train::read_problem;

#[derive(clap::Args)]
pub struct Options {
    /// A recipe file, or the name of one that ships
    recipe: String,
    #[command(flatten)]
    data: Data,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let recipe = recipe(&options.recipe)?;
    let path = options.data.data.join("problem.json");
    let mut applies = None;
    if path.exists() {
        recipe.applicable(&read_problem(&path)?)?;
        applies = Some(true);
    }
    if json {
        print_json(
            &serde_json::json!({"name": recipe.name, "family": recipe.family, "cost": recipe.cost(), "applies": applies}),
        );
    } else {
        crate::say!("{}: fine, costs {} trainings of plain", recipe.name, recipe.cost());
        if applies.is_none() {
            crate::say!("(whether it applies here was not checked: {} is missing)", path.display());
        }
    }
    Ok(())
}
