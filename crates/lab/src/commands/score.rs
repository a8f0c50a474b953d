//! `lab score`

use super::{open_student, write_lines};
use crate::cli::Data;
use crate::failure::Failure;
use aar_domain::item::Item;
use aar_methods::pool::read_jsonl;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// Items, JSONL; the pool by default
    #[arg(long)]
    items: Option<PathBuf>,
    /// JSONL {"id", "margin"}; stdout by default
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let data = &options.data.data;
    let student = open_student(data, options.data.threads)?;
    let items: Vec<Item> = read_jsonl(&options.items.clone().unwrap_or_else(|| data.join("pool.jsonl")))?;
    let margins = student.zero_shot(&items)?;
    let rows = items.iter().zip(margins).map(|(item, margin)| serde_json::json!({"id": item.id(), "margin": margin}));
    write_lines(rows, options.out.as_deref())
}
