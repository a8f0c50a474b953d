//! `job_status`, `job_stop`

use super::bench::Job;
use super::{Answer, Bench, Outcome, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::cap::cap;
use crate::fence::plain;
use crate::heartbeat::Doing;
use crate::settings::spoken;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How jobs stand.
pub const JOB_STATUS: Tool = Tool {
    name: "job_status",
    about: "How a background job stands, and the output it wrote since you looked last; without a number, one line for every job.",
    fields: &[
        optional("job", Kind::Integer(1, i64::MAX), "Its number."),
        optional("whole", Kind::Flag, "Show its output from the beginning."),
    ],
    doing: Doing::Tool,
    run: Run::Local(status),
};

/// Stop one.
pub const JOB_STOP: Tool = Tool {
    name: "job_stop",
    about: "Stop a background job with everything it started, and show the end of its output.",
    fields: &[needed("job", Kind::Integer(1, i64::MAX), "Its number.")],
    doing: Doing::Tool,
    run: Run::Local(stop),
};

fn status(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let limits = bench.platform.settings.limits.clone();
    let Some(number) = arguments.number("job") else {
        let lines: Vec<String> = bench
            .jobs
            .iter_mut()
            .map(|(number, job)| {
                format!("job {number} ({}): {}", state(job, limits.output_bytes), first_line(&job.command))
            })
            .collect();
        let text = if lines.is_empty() { "There are no jobs.".to_owned() } else { lines.join("\n") };
        return Ok(text.into());
    };
    let job = find(bench, number)?;
    let from = if arguments.flag("whole") { 0 } else { job.shown };
    Ok(report(job, number, from, &limits))
}

fn stop(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let number = arguments.number("job").unwrap_or_default();
    let limits = bench.platform.settings.limits.clone();
    let job = find(bench, number)?;
    job.process.stop();
    let from = job.shown;
    Ok(report(job, number, from, &limits))
}

fn find(bench: &mut Bench, number: i64) -> Result<&mut Job, Wrong> {
    let known: Vec<i64> = bench.jobs.keys().copied().collect();
    let none = || {
        Wrong(if known.is_empty() {
            "There are no jobs; shell with background: true starts one.".to_owned()
        } else {
            format!("There is no job {number}; there are {known:?}.")
        })
    };
    bench.jobs.get_mut(&number).ok_or_else(none)
}

/// A job's state and its output from a byte on; remembers what was shown.
pub fn report(job: &mut Job, number: i64, from: u64, limits: &crate::settings::Limits) -> Answer {
    let state = state(job, limits.output_bytes);
    let (text, end) = tail(job.process.output(), from, limits.result_chars);
    job.shown = end;
    job.told = job.look(limits.output_bytes).is_some();
    let since = if from > 0 { "new output" } else { "output" };
    let text = if text.is_empty() { format!("(no {since})") } else { format!("{since}:\n{text}") };
    format!("job {number}: {state}; {text}").into()
}

fn state(job: &mut Job, most_output: u64) -> String {
    match job.look(most_output) {
        Some(ending) => ending.to_string(),
        None => format!("running for {} of at most {}", spoken(job.process.age()), spoken(job.limit)),
    }
}

fn first_line(command: &str) -> String {
    crate::fence::one_line(command, 100)
}

/// A file's text from a byte on, shortened, and the byte after its end. Of a very long file only both ends are read.
pub fn tail(path: &Path, from: u64, most_chars: usize) -> (String, u64) {
    let Ok(mut file) = std::fs::File::open(path) else {
        return (String::new(), from);
    };
    let end = file.metadata().map_or(0, |meta| meta.len());
    let most_bytes = 8 * most_chars as u64;
    let mut read = |from: u64, length: u64| {
        let mut bytes = Vec::new();
        let sought = file.seek(SeekFrom::Start(from));
        if sought.is_ok() && file.by_ref().take(length).read_to_end(&mut bytes).is_err() {
            bytes.clear();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let rest = format!("The whole is in {}: read_file or search_files shows the rest.", path.display());
    let text = if end.saturating_sub(from) > 2 * most_bytes {
        let left_out = end - from - 2 * most_bytes;
        format!("{}\n[… {left_out} bytes …]\n{}", read(from, most_bytes), read(end - most_bytes, most_bytes))
    } else {
        read(from, end.saturating_sub(from))
    };
    (cap(&plain(&text), most_chars, &rest), end.max(from))
}
