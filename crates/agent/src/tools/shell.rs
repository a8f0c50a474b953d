//! `shell`

use super::bench::Job;
use super::job::tail;
use super::{Answer, Bench, Outcome, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::heartbeat::Doing;
use crate::process::{Ending, Process};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Run a command.
pub const SHELL: Tool = Tool {
    name: "shell",
    about: "Run a command with `sh -c` in the private folder. In the foreground it is ended with everything it started when its time \
            is up, and what it leaves running is ended too. With background it goes on, also into later sessions, and you get a job's \
            number at once: use it for whatever takes more than a few minutes, and `wait` for it. Standard output and error come \
            together; long output is shown shortened and kept whole in a file. There is no network.",
    fields: &[
        needed("command", Kind::Text, "For the shell; may have several lines."),
        optional("seconds", Kind::Integer(1, 604_800), "Time limit: 120 by default, in the background 6 hours."),
        optional("background", Kind::Flag, "Go on at once and let it run."),
        optional("folder", Kind::Text, "Where to run it, instead of the private folder."),
    ],
    doing: Doing::Training,
    run: Run::Local(run),
};

fn run(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let command = arguments.text("command");
    if command.trim().is_empty() {
        return Err(Wrong("The command is empty.".into()));
    }
    let folder = bench.platform.path(arguments.text("folder"));
    let (output, tag) = bench.platform.next_output();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(&folder);
    if arguments.flag("background") {
        let most = bench.platform.settings.limits.jobs;
        let running = bench.running_jobs();
        if running.len() >= most {
            return Err(Wrong(format!("{most} jobs run already ({running:?}); wait for one or stop one first.")));
        }
        let process = start(shell, &output, &tag, &folder)?;
        return Ok(keep(bench, command, process, arguments.number("seconds")));
    }
    let mut process = start(shell, &output, &tag, &folder)?;
    let limit = bench.platform.limit(arguments.number("seconds"), 120);
    foreground(bench, &mut process, limit)
}

fn start(shell: Command, output: &Path, tag: &str, folder: &Path) -> Result<Process, Wrong> {
    Process::start(shell, output, None, tag)
        .map_err(|error| Wrong(format!("The command could not be started in {}: {error}.", folder.display())))
}

fn keep(bench: &mut Bench, command: &str, process: Process, seconds: Option<i64>) -> Answer {
    let number = bench.jobs.keys().max().copied().unwrap_or(0) + 1;
    let limit = Duration::from_secs(seconds.unwrap_or(6 * 3600).max(1).unsigned_abs());
    let text = format!(
        "Job {number} runs, for at most {}; its output goes to {}. `wait` with job {number} returns when it ends; job_status shows how \
         it stands.",
        crate::settings::spoken(limit),
        process.output().display()
    );
    bench.jobs.insert(number, Job { command: command.to_owned(), process, limit, shown: 0, told: false });
    Answer::from(text).with(json!({"job": number}))
}

fn foreground(bench: &mut Bench, process: &mut Process, limit: Duration) -> Outcome {
    let most = bench.platform.settings.limits.output_bytes;
    let ending = loop {
        match process.look(limit, most) {
            Ok(Some(ending)) => break ending,
            Ok(None) => bench.heartbeat.alive(),
            Err(error) => return Err(Wrong(format!("The command was lost: {error}."))),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let left = if matches!(ending, Ending::Code(_) | Ending::Signal(_)) { process.sweep() } else { 0 };
    let mut text = tail(process.output(), 0, bench.platform.settings.limits.result_chars).0;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!("[{ending}]"));
    if left > 0 {
        text.push_str(&format!(
            " [it left {left} processes running, which were ended; for what shall go on use background: true]"
        ));
    }
    if matches!(ending, Ending::TimeUp(_)) {
        text.push_str(" [for what takes long use background: true and wait]");
    }
    if ending == Ending::Code(0) { Ok(text.into()) } else { Err(text.into()) }
}
