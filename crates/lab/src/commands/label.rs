//! `lab label`

use super::{open_student, recipe, write_lines};
use crate::cli::Data;
use crate::failure::{Failure, INPUT};
use aar_domain::item::SoftLabel;
use aar_methods::pool::Pool;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// The recipe whose label stage is used: a file, or the name of one that ships (`posterior`, `zero-shot`, `probe`, …)
    #[arg(long, default_value = "plain-soft")]
    recipe: String,
    /// Seed of random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// JSONL {"id", "p"}; stdout by default
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let recipe = recipe(&options.recipe)?;
    let data = &options.data.data;
    let pool = Pool::load(&data.join("pool.jsonl"), &data.join("weak.jsonl"))?;
    let student = open_student(data, options.data.threads)?;
    recipe.applicable(student.problem())?;
    if recipe.label.trains() {
        let message = format!("{} makes its labels while it trains", options.recipe);
        return Err(Failure::new(INPUT, message).hint("lab train --recipe, then lab predict on the pool, shows them"));
    }
    let soft = aar_methods::label::soft(&recipe.label, &pool, student.as_ref(), options.seed)?;
    let shaped = aar_methods::label::shape(&recipe.label, &soft);
    let rows = pool.items.iter().zip(shaped).map(|(item, p)| SoftLabel { id: item.id().clone(), p });
    write_lines(rows, options.out.as_deref())
}
