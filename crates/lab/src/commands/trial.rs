//! `lab try`

use super::{open_student, print_json, recipe};
use crate::cli::Data;
use crate::failure::Failure;
use aar_methods::pool::Pool;
use aar_methods::trial::{self, TrialSlices};

#[derive(clap::Args)]
pub struct Options {
    /// A recipe file, or the name of one that ships
    recipe: String,
    /// Pool rows to train on
    #[arg(long, default_value_t = 600, value_parser = super::rows)]
    train_rows: usize,
    /// Pool rows to answer
    #[arg(long, default_value_t = 400, value_parser = super::rows)]
    held_out_rows: usize,
    /// Seed of slices and training
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    data: Data,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let recipe = recipe(&options.recipe)?;
    let data = &options.data.data;
    let pool = Pool::load(&data.join("pool.jsonl"), &data.join("weak.jsonl"))?;
    let student = open_student(data, options.data.threads)?;
    let slices = TrialSlices::draw(&pool, options.train_rows, options.held_out_rows, options.seed);
    let (_, plain) = trial::run(&super::recipe("plain")?, &slices, student.as_ref(), options.seed, None)?;
    let (report, _) = trial::run(&recipe, &slices, student.as_ref(), options.seed, Some(&plain))?;
    if json {
        print_json(&report);
        return Ok(());
    }
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    crate::say!(
        "{} on {} rows, answering {} others (no truth here: none of this is a score)",
        recipe.name,
        slices.train.items.len(),
        slices.held_out.items.len()
    );
    crate::say!("  agrees with the teacher      {}", percent(report.agrees_with_teacher));
    crate::say!("  differs from plain training  {}", report.differs.map_or("-".into(), percent));
    crate::say!("  same answer in both orders   {}", percent(report.swap_consistency));
    crate::say!("  positive answers             {}", percent(report.positive));
    crate::say!("next: lab submit {}", options.recipe);
    Ok(())
}
