//! The two sandboxed phases of a job.

use crate::decoys::Decoys;
use crate::error::EvaluationError;
use crate::stage::Stage;
use aar_sandbox::{Access, Exit, Isolation, Jail, Limits, Mount, Outcome};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where `lab` lies inside.
pub const LAB_INSIDE: &str = "/opt/aar/bin/lab";

/// What both phases need to know.
pub struct Phases<'a> {
    /// The executable that is mounted as `lab`.
    pub lab: &'a Path,
    /// How strangers are confined here.
    pub isolation: &'a Isolation,
    /// Limits of the train phase.
    pub limits: &'a Limits,
    /// Threads of the engine.
    pub threads: usize,
}

impl Phases<'_> {
    /// Run the bundle's `train`, or `lab train` on its recipe.
    pub fn train(&self, stage: &Stage, decoys: &Decoys) -> Result<Outcome, EvaluationError> {
        let own = stage.input().join("bundle/train").exists();
        let (program, args) = if own {
            ("/in/bundle/train", vec![])
        } else {
            (LAB_INSIDE, vec!["train", "--recipe", "/in/bundle/recipe.toml", "--in", "/in", "--out", "/out"])
        };
        let mut jail = self.jail(program, &args, stage.input(), stage.output(), self.limits.clone());
        jail.mounts.push(decoys.mount());
        let jail = jail.with_python(self.lab, self.threads);
        let outcome = jail.spawn(self.isolation)?.wait()?;
        match outcome.status {
            Exit::Code(0) => Ok(outcome),
            ref status => Err(EvaluationError::Bundle {
                reason: format!("train {}", describe(status, self.limits.wall)),
                log_tail: tail(&outcome),
            }),
        }
    }

    /// Run `lab predict`; one margin per item comes back. No researcher's code is in this sandbox.
    pub fn predict(&self, stage: &Stage, items: usize) -> Result<(Vec<f32>, Outcome), EvaluationError> {
        let args = [
            "predict",
            "--student",
            "/in/student",
            "--artefacts",
            "/in/artefacts",
            "--problem",
            "/in/problem.json",
            "--items",
            "/in/items.jsonl",
            "--out",
            "/out/margins.f32",
        ];
        let limits = Limits { wall: Duration::from_secs(600), cpu: Duration::from_secs(600), ..self.limits.clone() };
        let jail = self.jail(LAB_INSIDE, &args, stage.predict_input(), stage.predict_output(), limits);
        let outcome = jail.spawn(self.isolation)?.wait()?;
        match outcome.status {
            Exit::Code(0) => {}
            // `lab predict` says "bad input" where the artefacts are at fault.
            Exit::Code(65) => {
                return Err(EvaluationError::Bundle {
                    reason: "the trained student was refused".into(),
                    log_tail: tail(&outcome),
                });
            }
            ref status => {
                let how = describe(status, Duration::from_secs(600));
                return Err(EvaluationError::Predict(format!("{how}: {}", tail(&outcome))));
            }
        }
        let path = stage.predict_output().join("margins.f32");
        let bytes = fs::read(&path).map_err(EvaluationError::file("read", &path))?;
        if bytes.len() != items * 4 {
            return Err(EvaluationError::Predict(format!("{} bytes of margins for {items} items", bytes.len())));
        }
        let margins: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
        if margins.iter().any(|margin| !margin.is_finite()) {
            return Err(EvaluationError::bundle("the trained student answers with NaN or infinity"));
        }
        Ok((margins, outcome))
    }

    fn jail(&self, program: &str, args: &[&str], input: PathBuf, output: PathBuf, limits: Limits) -> Jail {
        Jail {
            program: program.into(),
            args: args.iter().map(Into::into).collect(),
            env: vec![
                ("PATH".into(), "/opt/aar/bin:/usr/local/bin:/usr/bin:/bin".into()),
                ("HOME".into(), "/tmp".into()),
                ("LANG".into(), "C.UTF-8".into()),
                ("AAR_IN".into(), "/in".into()),
                ("AAR_OUT".into(), "/out".into()),
                ("AAR_THREADS".into(), self.threads.to_string()),
            ],
            mounts: vec![
                Mount { host: self.lab.to_owned(), inside: LAB_INSIDE.into(), access: Access::ReadOnly },
                Mount { host: input, inside: "/in".into(), access: Access::ReadOnly },
                Mount { host: output, inside: "/out".into(), access: Access::ReadWrite },
            ],
            workdir: "/out".into(),
            limits,
            ..Jail::default()
        }
    }
}

fn describe(status: &Exit, wall: Duration) -> String {
    match status {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("was ended by signal {signal}"),
        Exit::TimedOut => format!("did not finish within {} s", wall.as_secs()),
        Exit::CpuExceeded => "used more CPU time than allowed".into(),
        Exit::Killed => "was stopped".into(),
    }
}

/// The last 2,000 characters of what was printed, errors last.
fn tail(outcome: &Outcome) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr));
    let start = text.char_indices().rev().nth(1999).map_or(0, |(at, _)| at);
    text[start..].trim().to_owned()
}
