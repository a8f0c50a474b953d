//! `lab train`

use super::{print_json, recipe};
use crate::failure::Failure;
use aar_methods::train;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// A recipe file, or the name of one that ships
    #[arg(long)]
    recipe: String,
    /// Folder with problem.json, pool.jsonl, weak.jsonl, student/ and seed
    #[arg(long = "in", env = "AAR_IN")]
    input: PathBuf,
    /// Where student/ is written
    #[arg(long, env = "AAR_OUT")]
    out: PathBuf,
    /// Targets to use instead of the teacher's: JSONL {"id", "p", "weight"}; items left out are not trained on
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Threads of the engine
    #[arg(long, env = "AAR_THREADS", default_value_t = 1)]
    threads: usize,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let recipe = recipe(&options.recipe)?;
    std::fs::create_dir_all(&options.out).map_err(Failure::io("create", &options.out))?;
    let report = train::run(&options.input, &recipe, options.labels.as_deref(), &options.out, options.threads)?;
    if json {
        print_json(&report);
    } else {
        let loss = report.curve.last().map_or(String::new(), |(_, loss)| format!(", last loss {loss:.3}"));
        crate::say!("{}: {:.1} billion operations{loss}", recipe.name, report.operations as f64 / 1e9);
    }
    Ok(())
}
