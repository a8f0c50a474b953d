//! `aar worker`: a process of its own that claims jobs and never holds the truth.

use crate::failure::{Failure, INPUT, UNAVAILABLE};
use aar_api::client::{Address, Client};
use aar_evaluation::worker::{WorkerConfig, WorkerEvent, work};
use aar_sandbox::Isolation;
use aar_study::workers::WorkerFile;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(clap::Args)]
pub struct Options {
    /// Written by `aar run`
    #[arg(long)]
    config: PathBuf,
}

#[allow(clippy::disallowed_methods)] // A job may take minutes; see below for what is left behind.
pub fn run(options: &Options) -> Result<(), Failure> {
    let wrong = |detail: String| Failure::new(INPUT, format!("{}: {detail}", options.config.display()));
    let text = std::fs::read_to_string(&options.config).map_err(|error| wrong(error.to_string()))?;
    let file: WorkerFile = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let client = Client::new(&Address::Unix(file.socket), &file.token)
        .map_err(|error| Failure::new(UNAVAILABLE, error.to_string()))?;
    let stop = Arc::new(AtomicBool::new(false));
    // Ctrl-C goes to the whole group of processes; who started this one decides when it ends, by closing the pipe.
    let _ = ctrlc::set_handler(|| ());
    let listener = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        listener.store(true, Ordering::Relaxed);
        // A job under way is not waited for: it stays on the server's list, and its sandbox ends with this process.
        std::thread::sleep(std::time::Duration::from_millis(1200));
        std::process::exit(0);
    });
    let config = WorkerConfig {
        name: file.name,
        client,
        testbed: file.testbed,
        scratch: file.scratch,
        lab: file.lab,
        isolation: Isolation::detect(),
        limits: file.limits,
        threads: file.threads,
    };
    work(&config, &stop, &mut |event| match event {
        WorkerEvent::Failed(job, reason) => {
            aar_lab::note!("job {} of evaluation {}: {reason}", job.id, job.evaluation)
        }
        WorkerEvent::Unreachable(reason) => aar_lab::note!("{reason}"),
        WorkerEvent::Claimed(_) | WorkerEvent::Finished(..) => {}
    })
    .map_err(|error| Failure::new(UNAVAILABLE, error.to_string()))
}
