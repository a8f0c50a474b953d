//! `lab predict`: the only program of the predict sandbox.

use crate::failure::Failure;
use aar_methods::predict;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// The untouched student's folder
    #[arg(long)]
    student: PathBuf,
    /// What a training left: inference.json and the folders it names
    #[arg(long)]
    artefacts: PathBuf,
    /// problem.json
    #[arg(long)]
    problem: PathBuf,
    /// Items to answer, JSONL
    #[arg(long)]
    items: PathBuf,
    /// Margins are written here: little-endian f32, one per item in order
    #[arg(long)]
    out: PathBuf,
    /// Threads of the engine
    #[arg(long, env = "AAR_THREADS", default_value_t = 1)]
    threads: usize,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let margins =
        predict::run(&options.student, &options.artefacts, &options.problem, &options.items, options.threads)?;
    let bytes: Vec<u8> = margins.iter().flat_map(|margin| margin.to_le_bytes()).collect();
    std::fs::write(&options.out, bytes).map_err(Failure::io("write", &options.out))
}
