//! Runs as the files of MLflow's store: a folder per run with `meta.yaml`, a file per setting and per metric.

use super::run::Run;
use crate::error::StudyError;
use aar_server::record::Status;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// The experiment's number; 0 is MLflow's own default experiment.
const EXPERIMENT: &str = "1";
/// MLflow takes no more of a setting.
const SETTING: usize = 6000;

/// Write runs of one study. What an earlier export wrote is written over.
pub fn write(runs: &[Run], root: &Path) -> Result<(), StudyError> {
    let experiment = root.join(EXPERIMENT);
    folder(&experiment)?;
    let study = runs.first().map_or("study", |run| run.study.as_str());
    let begun = runs.iter().map(|run| run.at_ms).min().unwrap_or(0);
    let ended = runs.iter().filter_map(|run| run.ended_ms).max().unwrap_or(begun);
    let meta = [
        ("artifact_location", quoted(&format!("./mlruns/{EXPERIMENT}"))),
        ("creation_time", begun.to_string()),
        ("experiment_id", quoted(EXPERIMENT)),
        ("last_update_time", ended.to_string()),
        ("lifecycle_stage", "active".into()),
        ("name", quoted(study)),
    ];
    file(&experiment.join("meta.yaml"), &yaml(&meta))?;
    runs.iter().try_for_each(|run| one(run, &experiment))
}

fn one(run: &Run, experiment: &Path) -> Result<(), StudyError> {
    let id = id(run);
    let root = experiment.join(&id);
    for name in ["metrics", "params", "tags", "artifacts"] {
        folder(&root.join(name))?;
    }
    file(&root.join("meta.yaml"), &yaml(&meta(run, &id)))?;
    for (name, value) in &run.settings {
        let short: String = value.chars().take(SETTING).collect();
        file(&root.join("params").join(name), &short.replace(['\n', '\r'], " "))?;
    }
    file(&root.join("tags/mlflow.runName"), &run.name.replace(['\n', '\r'], " "))?;
    let at = run.ended_ms.unwrap_or(run.at_ms);
    for (name, value) in &run.values {
        file(&root.join("metrics").join(name), &format!("{at} {value} 0\n"))?;
    }
    for (name, points) in &run.curves {
        let path = root.join("metrics").join(name);
        path.parent().map_or(Ok(()), folder)?;
        let lines = points.iter().fold(String::new(), |mut lines, (step, value)| {
            // Python reads infinities and nan as Rust writes them.
            let _ = writeln!(lines, "{at} {value} {step}");
            lines
        });
        file(&path, &lines)?;
    }
    Ok(())
}

/// The same evaluation of the same study is the same run.
fn id(run: &Run) -> String {
    hex::encode(Sha256::digest(format!("{}\n{}\n{}", run.study, run.id, run.at_ms)))[..32].to_owned()
}

fn meta(run: &Run, id: &str) -> [(&'static str, String); 14] {
    // Numbers of `mlflow.entities.RunStatus`.
    let status = match run.status {
        Status::Running => 1,
        Status::Queued => 2,
        Status::Done => 3,
        Status::Failed => 4,
    };
    [
        ("artifact_uri", quoted(&format!("./mlruns/{EXPERIMENT}/{id}/artifacts"))),
        ("end_time", run.ended_ms.map_or("null".into(), |ended| ended.to_string())),
        ("entry_point_name", quoted("")),
        ("experiment_id", quoted(EXPERIMENT)),
        ("lifecycle_stage", "active".into()),
        ("run_id", quoted(id)),
        ("run_name", quoted(&run.name)),
        ("run_uuid", quoted(id)),
        ("source_name", quoted("aar")),
        ("source_type", "4".into()),
        ("source_version", quoted("")),
        ("start_time", run.at_ms.to_string()),
        ("status", status.to_string()),
        ("user_id", quoted("aar")),
    ]
}

/// A text in YAML's double quotes, which are JSON's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn yaml(fields: &[(&str, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn folder(path: &Path) -> Result<(), StudyError> {
    std::fs::create_dir_all(path).map_err(StudyError::file("create", path))
}

fn file(path: &Path, text: &str) -> Result<(), StudyError> {
    std::fs::write(path, text).map_err(StudyError::file("write", path))
}
