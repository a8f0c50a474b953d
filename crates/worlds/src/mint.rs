//! Minting is a search: draw a world, gate its student, tune its teacher on items that are then thrown away, measure the
//! bounds on fresh items, reject what fails. Every attempt is on the record.

use crate::baselines::{Baselines, SEEDS, Tests};
use crate::check;
use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::secret::Secret;
use crate::subject::{draw_apart, draw_test};
use crate::subjects::Subject;
use crate::teacher::Teacher;
use crate::teacher_search::{TEACHERS, TeacherSearch, TeacherTrial};
use aar_domain::testbed::Check;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a mint may spend.
#[derive(Clone, Debug)]
pub struct MintOptions {
    /// Threads; the result does not depend on them.
    pub threads: usize,
    /// Draws at most.
    pub attempts: u32,
    /// Draws of this secret that have ended already, in their order: they are on the record and not made again.
    pub ended: Vec<Attempt>,
}

/// One draw, on the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub attempt: u32,
    /// Student's judging skill.
    pub judging: f64,
    /// Ceiling on tuning items.
    pub ceiling: Option<f64>,
    /// Teachers in the order they were tried.
    pub teachers: Vec<TeacherTrial>,
    /// Bounds that were measured.
    pub checks: Vec<Check>,
    /// Accepted, or why not.
    pub outcome: String,
    /// Wall-clock seconds.
    pub wall_s: f64,
}

/// What a mint has to say while it runs.
#[derive(Clone, Debug)]
pub enum MintEvent {
    /// A step of a draw was taken: `done` of `total`.
    Progress {
        /// Which draw.
        attempt: u32,
        /// What is being done.
        what: &'static str,
        /// Done so far.
        done: usize,
        /// In all.
        total: usize,
    },
    /// A draw ended.
    Ended(Box<Attempt>),
}

/// An accepted world, ready to be sealed.
pub struct Minted {
    /// The subject as it was set.
    pub subject: Subject,
    /// The draw.
    pub draw: Draw,
    /// Its frozen runs.
    pub baselines: Baselines,
    /// Its test items.
    pub tests: Tests,
    /// Its table.
    pub checks: Vec<Check>,
    /// All attempts, the accepted one last.
    pub attempts: Vec<Attempt>,
}

/// What listens to a mint, from several threads.
pub type Listen<'a> = &'a (dyn Fn(MintEvent) + Sync);

/// Draw until a world holds all bounds.
pub fn mint(subject: &Subject, secret: &Secret, options: MintOptions, listen: Listen) -> Result<Minted, WorldError> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build()?;
    threads.install(|| search(subject, secret, options, listen))
}

fn search(subject: &Subject, secret: &Secret, options: MintOptions, listen: Listen) -> Result<Minted, WorldError> {
    let mut record = options.ended;
    let mut next = record.last().map_or(1, |last| last.attempt + 1);
    while next <= options.attempts {
        // Draws are independent, so a round prepares one per thread; they are judged in their order.
        let round: Vec<u32> = (next..=options.attempts).take(options.threads.max(1)).collect();
        next += round.len() as u32;
        let prepared = round.into_par_iter().map(|attempt| prepare(subject, secret, attempt, listen));
        for prepared in prepared.collect::<Result<Vec<_>, _>>()? {
            let (mut attempt, ready) = prepared;
            if let Some((draw, teacher)) = ready {
                let judged = judge(draw, &teacher, &mut attempt, listen)?;
                record.push(attempt.clone());
                listen(MintEvent::Ended(Box::new(attempt)));
                if let Some((draw, baselines, tests)) = judged {
                    let checks = record.last().map(|last| last.checks.clone()).unwrap_or_default();
                    return Ok(Minted { subject: subject.clone(), draw, baselines, tests, checks, attempts: record });
                }
            } else {
                record.push(attempt.clone());
                listen(MintEvent::Ended(Box::new(attempt)));
            }
        }
    }
    Err(WorldError::Exhausted(options.attempts))
}

type Prepared = (Attempt, Option<(Draw, Teacher)>);

/// Pre-train the student, then look for a teacher whose figures on tuning items lie well inside the bounds.
fn prepare(subject: &Subject, secret: &Secret, number: u32, listen: Listen) -> Result<Prepared, WorldError> {
    let started = std::time::Instant::now();
    let secret = secret.child(&format!("attempt {number}"));
    let world = subject.world(&secret);
    let steps = world.sizes().student_steps;
    let total = steps + TEACHERS * 100;
    let progress = |what, done| listen(MintEvent::Progress { attempt: number, what, done, total });
    let draw = Draw::new(world, secret, &|step| progress("pre-training the student", step))?;
    let mut attempt = Attempt {
        attempt: number,
        judging: draw.skill.judging(),
        ceiling: None,
        teachers: vec![],
        checks: vec![],
        outcome: String::new(),
        wall_s: 0.0,
    };
    let mut found = None;
    if attempt.judging < 0.9 {
        attempt.outcome = format!("student judges only {:.2}", attempt.judging);
    } else {
        let search = TeacherSearch::new(&draw)?;
        attempt.ceiling = Some(search.ceiling);
        if search.hopeless() {
            attempt.outcome = format!("fine-tuning on the truth reaches only {:.2}", search.ceiling);
        } else {
            found = search.run(&mut attempt.teachers, &|tried| {
                progress("looking for a teacher", steps + tried * 100);
            })?;
            if found.is_none() {
                attempt.outcome = "no teacher came inside the bounds on tuning items".into();
            }
        }
    }
    attempt.wall_s = started.elapsed().as_secs_f64();
    Ok((attempt, found.map(|teacher| (draw, teacher))))
}

type Judged = Option<(Draw, Baselines, Tests)>;

/// Run the frozen baselines and measure the table on fresh items.
fn judge(draw: Draw, teacher: &Teacher, attempt: &mut Attempt, listen: Listen) -> Result<Judged, WorldError> {
    let started = std::time::Instant::now();
    let sizes = draw.world.sizes();
    let sample = |name: &str, count| draw_test(draw.world.as_ref(), count, &mut draw.secret.stream(name)).into();
    let feedback: Sample = sample("feedback", sizes.feedback);
    let mut rng = draw.secret.stream("selection");
    let tests = Tests {
        selection: draw_apart(draw.world.as_ref(), sizes.selection, &mut rng, &feedback).into(),
        feedback,
        check: sample("check", sizes.check),
    };
    let recipes = if draw.world.shortcuts().is_some() { aar_methods::shipped::LEAGUE.len() + 1 } else { 0 };
    let total = 3 * SEEDS + 1 + check::SEEDS * recipes;
    let count = AtomicUsize::new(0);
    let done = || {
        let done = count.fetch_add(1, Ordering::Relaxed) + 1;
        listen(MintEvent::Progress { attempt: attempt.attempt, what: "measuring the bounds", done, total });
    };
    let baselines = Baselines::run(&draw, teacher, &tests, &done)?;
    let mut checks = check::bare(&draw, &baselines, &tests);
    if draw.world.shortcuts().is_some() {
        checks.extend(check::plain(&draw, &baselines, &tests, &done)?);
        if checks.iter().all(Check::holds) {
            checks.extend(check::rest(&draw, &baselines, &tests, &done)?);
        }
    }
    let failed: Vec<String> = checks
        .iter()
        .filter(|check| !check.holds())
        .map(|check| format!("{} {:.3}", check.name, check.value))
        .collect();
    attempt.checks = checks;
    attempt.wall_s += started.elapsed().as_secs_f64();
    if failed.is_empty() {
        attempt.outcome = "accepted".into();
        return Ok(Some((draw, baselines, tests)));
    }
    attempt.outcome = format!("out of bounds: {}", failed.join(", "));
    Ok(None)
}
