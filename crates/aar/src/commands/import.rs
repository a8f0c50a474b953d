//! `aar import`

use crate::failure::Failure;
use crate::places;
use crate::show::importing::ImportBar;
use aar_worlds::import::{ImportSettings, import};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// Folder with train_label.jsonl, train_unlabel.jsonl and test.jsonl
    data: PathBuf,
    /// Folder with the student: a BERT-family encoder (config.json, model.safetensors, tokenizer.json)
    #[arg(long)]
    model: PathBuf,
    /// Write the testbed here
    #[arg(long)]
    out: PathBuf,
    /// `chat`, `math` or `code`
    #[arg(long, default_value = "chat")]
    subject: String,
    /// Name of the testbed; the folder's by default
    #[arg(long)]
    name: Option<String>,
    /// Seed of splits and draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The testbed's record as JSON on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let name = options.name.clone().or_else(|| Some(options.out.file_name()?.to_string_lossy().into_owned()));
    let settings = ImportSettings {
        data: options.data.clone(),
        model: options.model.clone(),
        name: name.unwrap_or_else(|| "imported".into()),
        subject: options.subject.clone(),
        seed: options.seed,
        threads: places::threads(),
    };
    let mut bar = ImportBar::new(options.quiet);
    let record = import(&settings, &options.out, &mut |event| bar.show(&event));
    bar.finish();
    let record = record?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&record).unwrap_or_default());
        return Ok(());
    }
    for (split, record) in &record.splits {
        aar_lab::say!(
            "{:10} {} items in {} clusters: weak {:.3} ± {:.3}, ceiling {:.3} ± {:.3}, gap {:.3}",
            split.name(),
            record.items,
            record.clusters,
            record.weak.mean,
            record.weak.se,
            record.ceiling.mean,
            record.ceiling.se,
            record.ceiling.mean - record.weak.mean
        );
    }
    for check in &record.checks {
        aar_lab::say!("{}: {:.3} (at least {:.2} is needed)", check.name, check.value, check.bounds.0.unwrap_or(0.0));
    }
    aar_lab::say!("next: aar run --set testbed={}", options.out.display());
    Ok(())
}
