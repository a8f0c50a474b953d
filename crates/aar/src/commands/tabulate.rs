//! `aar tabulate`: tables that studies are replayed against (`aar ablate`).

use crate::failure::{CREATE, Failure, INPUT};
use crate::places;
use crate::show::benching::BenchBar;
use aar_study::testbed::ready_made;
use aar_worlds::bench::results::Results;
use aar_worlds::bench::{Entrant, run as run_bench};
use aar_worlds::tabular::{self, Header, Table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Options {
    /// Worlds that ship, by name, or testbeds' folders; by default all that ship
    #[arg(value_name = "TESTBED")]
    testbeds: Vec<PathBuf>,
    /// Recipes of a table: those that ship, and compositions of the search's grammar
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..))]
    recipes: usize,
    /// Seeds of each
    #[arg(long, default_value_t = 5, value_name = "S")]
    seeds: usize,
    /// Seed by which compositions are drawn
    #[arg(long, default_value_t = 1)]
    draw: u64,
    /// The folder for the tables, a file each
    #[arg(long, default_value = "tables", value_name = "DIR")]
    out: PathBuf,
    /// The folder for what is done so far, from which a table that was stopped goes on
    #[arg(long, default_value = "out", value_name = "DIR")]
    results: PathBuf,
    /// What the tables hold, as JSON on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let entrants =
        testbeds(options)?.iter().map(|path| Ok(Entrant::open(path)?)).collect::<Result<Vec<_>, Failure>>()?;
    let tables = entrants.into_iter().map(|entrant| one(options, entrant)).collect::<Result<Vec<_>, _>>()?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&tables).unwrap_or_default());
    } else if !options.quiet {
        aar_lab::note!("`aar ablate` replays studies against them");
    }
    Ok(())
}

fn one(options: &Options, entrant: Entrant) -> Result<Value, Failure> {
    let name = entrant.record.name.clone();
    let file = options.out.join(format!("{name}.jsonl"));
    let plan = tabular::plan(entrant, options.recipes, options.seeds, options.draw)?;
    if file.exists() {
        let table = Table::read(&file)?;
        if table.header == Header::new(&plan.testbeds[0], &plan.recipes, plan.seeds, options.draw) {
            say(options, &format!("{} is there already", file.display()));
            return Ok(summary(&file, &table));
        }
        let held = format!(
            "{} recipes x {} seeds on {}",
            table.header.recipes.len(),
            table.header.seeds,
            table.header.testbed.name
        );
        let message = format!("{} is another table: {held}, drawn with seed {}", file.display(), table.header.draw);
        return Err(Failure::new(CREATE, message).hint("choose another --out, or move it away"));
    }
    let done = options.results.join(format!("tabulate-{name}.jsonl"));
    let drawn = plan.recipes.len();
    say(
        options,
        &format!("{name}: {drawn} recipes, {} seeds each; what is done stands in {}", plan.seeds, done.display()),
    );
    if drawn < options.recipes {
        say(options, &format!("no more than {drawn} recipes that differ can be used on {name}"));
    }
    let bar = BenchBar::new(options.quiet);
    let results = run_bench(&plan, Results::open(&done)?, places::threads(), &|event| bar.show(&event));
    bar.finish();
    let table = tabular::compose(&plan, options.draw, &results?)?;
    table.write(&file)?;
    say(options, &format!("{} is written", file.display()));
    Ok(summary(&file, &table))
}

fn say(options: &Options, line: &str) {
    if !options.quiet {
        aar_lab::note!("{line}");
    }
}

fn summary(file: &Path, table: &Table) -> Value {
    let failed = table.runs.iter().filter(|run| run.failed.is_some()).count();
    json!({
        "file": file,
        "testbed": table.header.testbed,
        "recipes": table.header.recipes.len(),
        "shipped": table.header.recipes.iter().filter(|entry| entry.shipped).count(),
        "seeds": table.header.seeds,
        "draw": table.header.draw,
        "runs": table.runs.len(),
        "failed": failed,
        "operations": table.runs.iter().map(|run| run.operations).sum::<u64>(),
        "cpu_s": table.runs.iter().map(|run| run.cpu_s).sum::<f64>(),
    })
}

/// Folders, or names of worlds that ship.
fn testbeds(options: &Options) -> Result<Vec<PathBuf>, Failure> {
    let shipped = ready_made(places::worlds().get(..1).unwrap_or_default());
    let find = |asked: &PathBuf| {
        let named = || shipped.iter().find(|path| path.file_name() == Some(asked.as_os_str()));
        let found = if asked.join("testbed.json").exists() { Some(asked) } else { named() };
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = shipped.iter().filter_map(|path| path.file_name()?.to_str()).collect();
            let message = format!("{} is neither a testbed's folder nor a world that ships", asked.display());
            let hint = format!("worlds that ship: {}; `aar mint` makes others", names.join(", "));
            Failure::new(INPUT, message).hint(hint)
        })
    };
    if options.testbeds.is_empty() && shipped.is_empty() {
        return Err(Failure::new(INPUT, "no worlds that ship are to be found").hint("name a testbed's folder"));
    }
    if options.testbeds.is_empty() { Ok(shipped) } else { options.testbeds.iter().map(find).collect() }
}
