//! `lab submit`

use super::{print_json, recipe_text};
use crate::cli::Server;
use crate::failure::{Failure, INPUT};
use aar_api::bundle::{Bundle, BundleFile, BundleStored, MAX_BYTES, MAX_FILES};
use aar_api::evaluation::{EvaluationView, Submission};
use aar_api::paths;
use aar_api::study::Me;
use aar_methods::Recipe;
use std::os::unix::fs::PermissionsExt;
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
    let me: Me = client.get(paths::ME)?;
    let stored: BundleStored = client.post(paths::BUNDLES, &bundle)?;
    let submission = Submission {
        key: format!("{} {}", stored.bundle, options.again),
        bundle: stored.bundle,
        name,
        family,
        parent: options.parent.clone(),
        turn: me.turns.then_some(me.evaluations_used),
    };
    let mut view: EvaluationView = client.post(paths::EVALUATIONS, &submission)?;
    while options.wait && !["done", "failed"].contains(&view.status.as_str()) {
        std::thread::sleep(Duration::from_millis(500));
        let now: EvaluationView = client.get(&paths::EVALUATION.replace("{id}", &view.id.to_string()))?;
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
    if !path.is_dir() {
        return Ok(Bundle::of_recipe(&recipe_text(source)?));
    }
    let mut files = Vec::new();
    collect(path, path, &mut files)?;
    files.sort_by(|a: &BundleFile, b| a.path.cmp(&b.path));
    Ok(Bundle { files })
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<BundleFile>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder).map_err(Failure::io("list", folder))? {
        let path = entry.map_err(Failure::io("list", folder))?.path();
        let meta = path.symlink_metadata().map_err(Failure::io("read", &path))?;
        if meta.is_dir() {
            collect(root, &path, files)?;
        } else if meta.is_file() && meta.len() <= MAX_BYTES as u64 {
            let bytes = std::fs::read(&path).map_err(Failure::io("read", &path))?;
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            let executable = meta.permissions().mode() & 0o111 != 0;
            files.push(BundleFile { path: relative, executable, hex: hex::encode(bytes) });
        } else {
            return Err(Failure::new(
                INPUT,
                format!("{}: only plain files of at most {MAX_BYTES} bytes go into a bundle", path.display()),
            ));
        }
        if files.len() > MAX_FILES {
            return Err(Failure::new(INPUT, format!("{}: more than {MAX_FILES} files", root.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_a_bundle_with_modes_and_without_links() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("train"), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(dir.path().join("train"), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(dir.path().join("sub/notes.txt"), "x").unwrap();
        let bundle = read(dir.path().to_str().unwrap()).unwrap();
        let seen: Vec<_> = bundle.files.iter().map(|file| (file.path.as_str(), file.executable)).collect();
        assert_eq!(seen, [("sub/notes.txt", false), ("train", true)]);
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join("link")).unwrap();
        assert!(read(dir.path().to_str().unwrap()).unwrap_err().message.contains("only plain files"));
    }
}
