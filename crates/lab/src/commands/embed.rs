//! `lab embed`

use super::{open_student, print_json};
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
    /// safetensors with one tensor "features" [items, width], f32
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    data: Data,
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let data = &options.data.data;
    let student = open_student(data, options.data.threads)?;
    let items: Vec<Item> = read_jsonl(&options.items.clone().unwrap_or_else(|| data.join("pool.jsonl")))?;
    let features = student.features(&items)?;
    let tensor = ("features".to_owned(), vec![items.len(), features.width], features.values.as_slice());
    aar_lm::weights::save(&options.out, &[tensor]).map_err(aar_methods::MethodError::from)?;
    if json {
        print_json(&serde_json::json!({"items": items.len(), "width": features.width}));
    } else {
        crate::say!("{} items, {} features each, in {}", items.len(), features.width, options.out.display());
    }
    Ok(())
}
