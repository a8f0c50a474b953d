//! A study for other tools: tables as CSV and Parquet, evaluations as runs of MLflow and of TensorBoard.
//!
//! `run` is an evaluation with what those tools show of it; `parquet`, `mlflow` and `tensorboard` write files, each in its tool's own form.

use crate::error::StudyError;
use aar_server::Server;
use aar_server::pages::TABLES;
use std::path::Path;

mod mlflow;
mod parquet;
mod run;
mod tensorboard;
mod thrift;
mod varint;

/// A form to export in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// Parquet, a file per table.
    Parquet,
    /// A folder `mlruns` as MLflow's file store keeps it.
    Mlflow,
    /// Event files in a folder `tensorboard`, a run each.
    Tensorboard,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// File or folder, below where everything was written.
    pub place: String,
    /// How many rows or runs it holds.
    pub count: usize,
}

/// Write a study into `out` in one form.
pub fn write(server: &Server, form: Form, out: &Path) -> Result<Vec<Exported>, StudyError> {
    std::fs::create_dir_all(out).map_err(StudyError::file("create", out))?;
    match form {
        Form::Csv | Form::Parquet => TABLES.iter().map(|name| table(server, form, name, out)).collect(),
        Form::Mlflow | Form::Tensorboard => {
            let runs = run::all(server);
            let (place, written) = match form {
                Form::Mlflow => ("mlruns", mlflow::write(&runs, &out.join("mlruns"))),
                _ => ("tensorboard", tensorboard::write(&runs, &out.join("tensorboard"))),
            };
            written?;
            Ok(vec![Exported { place: place.into(), count: runs.len() }])
        }
    }
}

fn table(server: &Server, form: Form, name: &str, out: &Path) -> Result<Exported, StudyError> {
    let table = server.table(name).unwrap_or_default();
    let place = if form == Form::Csv { name.to_owned() } else { name.replace(".csv", ".parquet") };
    let path = out.join(&place);
    match form {
        Form::Csv => crate::directory::write_whole(&path, &table.csv())?,
        _ => parquet::write(&table, &path)?,
    }
    Ok(Exported { place, count: table.rows.len() })
}
