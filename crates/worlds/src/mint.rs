//! Minting is a search: draw a world, gate its student, tune its teacher on items that are then thrown away, measure the
//! bounds on fresh items, reject what fails. Every attempt is on the record.

use crate::baselines::{Baselines, SEEDS, Tests, mean, recipe};
use crate::chat::Settings;
use crate::chat::items::draw_test;
use crate::check;
use crate::draw::Draw;
use crate::error::WorldError;
use crate::secret::Secret;
use crate::teacher::Teacher;
use aar_domain::testbed::Check;
use aar_methods::pool::{Pool, sigmoid};
use aar_methods::train;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a mint may spend.
#[derive(Clone, Copy, Debug)]
pub struct MintOptions {
    /// Threads; the result does not depend on them.
    pub threads: usize,
    /// Draws at most.
    pub attempts: u32,
}

/// One teacher that was tried on a draw; figures on tuning items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeacherTrial {
    /// Share of facts it had read about.
    pub known: f64,
    /// Its accuracy on tuning items.
    pub weak: f64,
    /// Its accuracy on the pool.
    pub pool: f64,
    /// PGR of plain training; absent where weak accuracy was out of range.
    pub plain: Option<f64>,
    /// The best of a few recipes, minus plain, in PGR; absent where plain was out of range.
    pub spread: Option<f64>,
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
pub fn mint(settings: &Settings, secret: &Secret, options: MintOptions, listen: Listen) -> Result<Minted, WorldError> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build()?;
    threads.install(|| search(settings, secret, options, listen))
}

fn search(settings: &Settings, secret: &Secret, options: MintOptions, listen: Listen) -> Result<Minted, WorldError> {
    let mut record = Vec::new();
    let mut next = 1;
    while next <= options.attempts {
        // Draws are independent, so a round prepares one per thread; they are judged in their order.
        let round: Vec<u32> = (next..=options.attempts).take(options.threads.max(1)).collect();
        next += round.len() as u32;
        let prepared = round.into_par_iter().map(|attempt| prepare(settings, secret, attempt, listen));
        for prepared in prepared.collect::<Result<Vec<_>, _>>()? {
            let (mut attempt, ready) = prepared;
            if let Some((draw, teacher)) = ready {
                let judged = judge(draw, &teacher, &mut attempt, listen)?;
                record.push(attempt.clone());
                listen(MintEvent::Ended(Box::new(attempt)));
                if let Some((draw, baselines, tests)) = judged {
                    let checks = record.last().map(|last| last.checks.clone()).unwrap_or_default();
                    return Ok(Minted { draw, baselines, tests, checks, attempts: record });
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
fn prepare(settings: &Settings, secret: &Secret, number: u32, listen: Listen) -> Result<Prepared, WorldError> {
    let started = std::time::Instant::now();
    let total = settings.student_steps + TRIALS * 100;
    let progress = |what, done| listen(MintEvent::Progress { attempt: number, what, done, total });
    let draw = Draw::new(settings, secret.child(&format!("attempt {number}")), &|step| {
        progress("pre-training the student", step)
    })?;
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
        let ceiling = quick_ceiling(&draw)?;
        attempt.ceiling = Some(ceiling);
        let mut known = FIRST_KNOWN;
        for variant in 0..TRIALS {
            progress("looking for a teacher", settings.student_steps + variant * 100);
            let teacher = Teacher::new(&draw, known, variant as u32)?;
            let trial = try_teacher(&draw, &teacher, ceiling)?;
            attempt.teachers.push(trial);
            match next_known(&trial, ceiling) {
                None => {
                    found = Some(teacher);
                    break;
                }
                Some(step) => known = (known + step).clamp(0.15, 0.6),
            }
        }
        if found.is_none() {
            attempt.outcome = "no teacher came inside the bounds on tuning items".into();
        }
    }
    attempt.wall_s = started.elapsed().as_secs_f64();
    Ok((attempt, found.map(|teacher| (draw, teacher))))
}

/// Teachers tried per draw.
const TRIALS: usize = 6;
/// The share of facts the first one has read about.
const FIRST_KNOWN: f64 = 0.32;
/// Fine-tuning seeds of a trial.
const TRIAL_SEEDS: usize = 3;

fn quick_ceiling(draw: &Draw) -> Result<f64, WorldError> {
    let pool = Pool::new(draw.pool.items.clone(), draw.pool.targets());
    let plain = recipe("plain")?;
    let run = |seed: u64| -> Result<f64, WorldError> {
        let trained = train::train(&plain, &pool, &draw.student, seed)?;
        Ok(draw.tuning.accuracy(&trained.margins(&draw.student, &draw.tuning.items)?))
    };
    let runs = (0..2).map(run).collect::<Result<Vec<_>, _>>()?;
    Ok(mean(runs.into_iter()))
}

/// Figures on tuning items; plain and the others only where weak accuracy and gap are right.
fn try_teacher(draw: &Draw, teacher: &Teacher, ceiling: f64) -> Result<TeacherTrial, WorldError> {
    let (mut weak, mut pool, mut soft) = (vec![], vec![], vec![]);
    for seed in 0..TRIAL_SEEDS {
        let tuned = teacher.tune(draw, seed)?;
        weak.push(draw.tuning.accuracy(&tuned.margins(&draw.tuning.items)?));
        let margins = tuned.margins(&draw.pool.items)?;
        pool.push(draw.pool.accuracy(&margins));
        soft.push(margins.into_iter().map(sigmoid).collect::<Vec<_>>());
    }
    let mut trial = TeacherTrial {
        known: teacher.known,
        weak: mean(weak.into_iter()),
        pool: mean(pool.into_iter()),
        plain: None,
        spread: None,
    };
    if weak_step(&trial, ceiling).is_some() {
        return Ok(trial);
    }
    let pgr = |name: &str, seeds: usize| -> Result<f64, WorldError> {
        let recipe = recipe(name)?;
        let mut sum = 0.0;
        for (seed, soft) in soft.iter().enumerate().take(seeds) {
            let pool = Pool::new(draw.pool.items.clone(), soft.clone());
            let trained = train::train(&recipe, &pool, &draw.student, seed as u64)?;
            sum += draw.tuning.accuracy(&trained.margins(&draw.student, &draw.tuning.items)?);
        }
        Ok((sum / seeds as f64 - trial.weak) / (ceiling - trial.weak))
    };
    let plain = pgr("plain", TRIAL_SEEDS)?;
    trial.plain = Some(plain);
    if (0.13..=0.45).contains(&plain) {
        let mut best = f64::NEG_INFINITY;
        for name in ["both-orders", "self-training", "posterior", "confident", "zero-shot"] {
            best = best.max(pgr(name, 2)?);
        }
        trial.spread = Some(best - plain);
    }
    Ok(trial)
}

/// By how much to change the known share so that weak accuracy and gap come right; `None` where they are.
fn weak_step(trial: &TeacherTrial, ceiling: f64) -> Option<f64> {
    let high = 0.63f64.min(ceiling - 0.23);
    if trial.weak < 0.545 {
        Some(((0.57 - trial.weak) * 0.8).clamp(0.02, 0.06))
    } else if trial.weak > high {
        Some((-(trial.weak - high + 0.02) * 0.8).clamp(-0.06, -0.02))
    } else {
        None
    }
}

/// By how much to change the known share next; `None` where this teacher will do. Zero draws another teacher alike.
fn next_known(trial: &TeacherTrial, ceiling: f64) -> Option<f64> {
    if let Some(step) = weak_step(trial, ceiling) {
        return Some(step);
    }
    match (trial.plain, trial.spread) {
        (Some(plain), _) if plain < 0.15 => Some(0.015),
        (Some(plain), _) if plain > 0.43 => Some(-0.02),
        (_, Some(spread)) if spread >= 0.22 => None,
        _ => Some(0.0),
    }
}

type Judged = Option<(Draw, Baselines, Tests)>;

/// Run the frozen baselines and measure the table on fresh items.
fn judge(draw: Draw, teacher: &Teacher, attempt: &mut Attempt, listen: Listen) -> Result<Judged, WorldError> {
    let started = std::time::Instant::now();
    let settings = &draw.world.settings;
    let sample = |name: &str, count| draw_test(&draw.world, count, &mut draw.secret.stream(name)).into();
    let tests = Tests {
        feedback: sample("feedback", settings.feedback),
        selection: sample("selection", settings.selection),
        check: sample("check", settings.check),
    };
    let total = 3 * SEEDS + 1 + check::SEEDS * (aar_methods::shipped::RECIPES.len() + 1);
    let count = AtomicUsize::new(0);
    let done = || {
        let done = count.fetch_add(1, Ordering::Relaxed) + 1;
        listen(MintEvent::Progress { attempt: attempt.attempt, what: "measuring the bounds", done, total });
    };
    let baselines = Baselines::run(&draw, teacher, &tests, &done)?;
    let mut checks = check::first(&draw, &baselines, &tests, &done)?;
    if checks.iter().all(Check::holds) {
        checks.extend(check::rest(&draw, &baselines, &tests, &done)?);
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
