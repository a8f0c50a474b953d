//! `lab submit`

use super::{print_json, recipe_text};
use crate::cli::Server;
use crate::failure::{Failure, INPUT};
use aar_api::acts::Naming;
use aar_api::bundle::Bundle;
use aar_methods::Recipe;
use std::path::Path;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Options {
    /// A bundle's folder, a recipe file, or the name of a recipe that ships
    bundle: String,
    /// Name of the method; the recipe's by default
    #[arg(long)]
    name: Option<String>,
    /// Family of ideas; the recipe's by default
    #[arg(long)]
    family: Option<String>,
    /// The bundle it was built on
    #[arg(long)]
    parent: Option<String>,
    /// Submit again what was submitted before, as a new evaluation with this label
    #[arg(long, default_value = "")]
    again: String,
    /// Wait for the answer
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let bundle = read(&options.bundle)?;
    bundle.check().map_err(|error| Failure::new(INPUT, format!("{}: {error}", options.bundle)))?;
    let recipe = bundle.text("recipe.toml").map(|text| Recipe::parse(&text, Path::new("recipe.toml"))).transpose();
    let own_code = bundle.files.iter().any(|file| file.path == "train");
    // A broken recipe is an error here, before it is charged, unless own code is what runs.
    let recipe = if own_code { recipe.ok().flatten() } else { recipe? };
    let missing = |what: &str| {
        Failure::new(INPUT, format!("the bundle has no recipe that says its {what}")).hint(format!("say --{what}"))
    };
    let name =
        options.name.clone().or(recipe.as_ref().map(|recipe| recipe.name.clone())).ok_or_else(|| missing("name"))?;
    let family = options
        .family
        .clone()
        .or(recipe.as_ref().map(|recipe| recipe.family.name().to_owned()))
        .ok_or_else(|| missing("family"))?;
    let client = options.server.client()?;
    let naming = Naming { name, family, parent: options.parent.clone() };
    let mut view = client.submit(&bundle, naming, &options.again)?;
    while options.wait && !["done", "failed"].contains(&view.status.as_str()) {
        std::thread::sleep(Duration::from_millis(500));
        let now = client.evaluation(view.id)?;
        if now.seeds_done != view.seeds_done {
            crate::note!("  {} of {} seeds", now.seeds_done, now.seeds);
        }
        view = now;
    }
    if json {
        print_json(&view);
    } else {
        crate::say!("{}", super::status::line(&view));
        if !options.wait {
            crate::say!("next: lab status");
        }
    }
    Ok(())
}

/// A bundle from a folder, a recipe file or a shipped recipe's name.
fn read(source: &str) -> Result<Bundle, Failure> {
    let path = Path::new(source);
    if path.is_dir() { Ok(Bundle::of_folder(path)?) } else { Ok(Bundle::of_recipe(&recipe_text(source)?)) }
}
