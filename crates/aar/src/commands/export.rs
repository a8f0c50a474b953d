//! `aar export`: a study for other tools.

use crate::commands::report::{Reopened, reopen};
use crate::failure::{Failure, USAGE};
use aar_study::export::{self, Form};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// A study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// Tables of comma-separated values
    #[arg(long)]
    csv: bool,
    /// The same tables as Parquet
    #[arg(long)]
    parquet: bool,
    /// Evaluations as runs of MLflow, in a folder mlruns
    #[arg(long)]
    mlflow: bool,
    /// Evaluations as runs of TensorBoard, in a folder tensorboard
    #[arg(long)]
    tensorboard: bool,
    /// Where to; DIR/export by default
    #[arg(long)]
    out: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let forms = [
        (options.csv, Form::Csv),
        (options.parquet, Form::Parquet),
        (options.mlflow, Form::Mlflow),
        (options.tensorboard, Form::Tensorboard),
    ];
    let forms: Vec<Form> = forms.into_iter().filter(|(wanted, _)| *wanted).map(|(_, form)| form).collect();
    if forms.is_empty() {
        return Err(Failure::new(USAGE, "no form to export in was named")
            .hint("aar export DIR --csv --parquet --mlflow --tensorboard, one or more of them"));
    }
    let Reopened { locked, server, .. } = reopen(&options.directory)?;
    let out = options.out.clone().unwrap_or_else(|| locked.path("export"));
    for form in forms {
        for written in export::write(&server, form, &out)? {
            let what = if matches!(form, Form::Csv | Form::Parquet) { "rows" } else { "runs" };
            aar_lab::say!("{:18} {:6} {what}", out.join(&written.place).display(), written.count);
        }
        match form {
            // MLflow keeps reading its files, but wants to be told that one knows of its databases.
            Form::Mlflow => aar_lab::say!(
                "look at it: cd {} && MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri ./mlruns",
                out.display()
            ),
            Form::Tensorboard => {
                aar_lab::say!("look at it: tensorboard --logdir {}", out.join("tensorboard").display())
            }
            Form::Csv | Form::Parquet => {}
        }
    }
    Ok(())
}
