//! `wait`

use super::evaluations::{ended, fetch, line};
use super::job::report;
use super::{Answer, Bench, Outcome, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, optional};
use crate::heartbeat::Doing;
use aar_api::evaluation::EvaluationView;
use aar_api::paths;
use std::time::{Duration, Instant};

/// Wait.
pub const WAIT: Tool = Tool {
    name: "wait",
    about: "Wait until an evaluation or a background job ends, or until time has passed, and tell what happened. Without a number it \
            waits for whichever of yours ends first. Waiting costs nothing, asking again and again does.",
    fields: &[
        optional("evaluation", Kind::Integer(1, i64::MAX), "Wait for this evaluation."),
        optional("job", Kind::Integer(1, i64::MAX), "Wait for this job."),
        optional("seconds", Kind::Integer(1, 14_400), "At most this long; 1800 by default."),
    ],
    doing: Doing::Waiting,
    run: Run::Local(run),
};

/// Pauses between looks: short at first, so that what is quick is not kept waiting.
const FIRST: Duration = Duration::from_millis(50);
const LAST: Duration = Duration::from_secs(3);

fn run(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    let asked = Duration::from_secs(arguments.number("seconds").unwrap_or(1800).unsigned_abs());
    let most = bench.platform.settings.time_left().map_or(asked, |left| left.min(asked));
    let (evaluations, jobs) = waited_for(bench, arguments)?;
    let (began, mut pause) = (Instant::now(), FIRST);
    loop {
        if let Some(answer) = over(bench, &evaluations, &jobs)? {
            return Ok(answer);
        }
        let left = most.saturating_sub(began.elapsed());
        if left.is_zero() {
            let what =
                if evaluations.is_empty() && jobs.is_empty() { "." } else { "; nothing you waited for has ended." };
            return Ok(format!("{} s have passed{what}", most.as_secs()).into());
        }
        bench.heartbeat.alive();
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(LAST);
    }
}

/// The evaluations and jobs that are meant: those named, or all of whose end nothing was told.
fn waited_for(bench: &mut Bench, arguments: &Arguments) -> Result<(Vec<i64>, Vec<i64>), Wrong> {
    let (evaluation, job) = (arguments.number("evaluation"), arguments.number("job"));
    if let Some(job) = job.filter(|job| !bench.jobs.contains_key(job)) {
        return Err(Wrong(format!("There is no job {job}; there are {:?}.", bench.jobs.keys().collect::<Vec<_>>())));
    }
    if evaluation.is_some() || job.is_some() {
        return Ok((evaluation.into_iter().collect(), job.into_iter().collect()));
    }
    // What ended unnoticed since the model looked last is news as well: it is not waited past.
    let own: Vec<EvaluationView> = bench.platform.get(paths::EVALUATIONS)?;
    let evaluations = own.iter().map(|view| view.id).filter(|id| !bench.told.contains(id)).collect();
    let jobs = bench.jobs.iter().filter(|(_, job)| !job.told).map(|(number, _)| *number).collect();
    Ok((evaluations, jobs))
}

fn over(bench: &mut Bench, evaluations: &[i64], jobs: &[i64]) -> Result<Option<Answer>, Wrong> {
    for id in evaluations {
        let view = fetch(&bench.platform, *id)?;
        if ended(&view) {
            bench.told.insert(*id);
            return Ok(Some(line(&bench.platform.fence, &view).into()));
        }
    }
    let limits = bench.platform.settings.limits.clone();
    // All jobs are looked at, so that their limits hold while one waits for one of them.
    let running = bench.running_jobs();
    let over = jobs.iter().find(|number| !running.contains(number));
    let Some((number, job)) = over.and_then(|number| Some((*number, bench.jobs.get_mut(number)?))) else {
        return Ok(None);
    };
    let from = job.shown;
    Ok(Some(report(job, number, from, &limits)))
}
