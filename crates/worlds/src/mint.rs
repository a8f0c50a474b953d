//! Minting is a search: draw a world, gate its student, tune its teacher on items that are then thrown away, measure the
//! bounds on fresh items, reject what fails. Every attempt is on the record.

use crate::baselines::{Baselines, SEEDS, Tests, mean, recipe};
use crate::chat::Settings;
use crate::chat::items::draw_test;
use crate::check;
use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::secret::Secret;
use crate::teacher::{Teacher, Tuned};
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
    /// How much its answers waver.
    pub noise: f64,
    /// Its accuracy on tuning items without noise.
    pub sure: f64,
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
            let mut teacher = Teacher::new(&draw, known, variant as u32)?;
            let trial = try_teacher(&draw, &mut teacher, ceiling)?;
            attempt.teachers.push(trial);
            match next_known(&trial) {
                None => {
                    found = Some(teacher);
                    break;
                }
                Some(step) => known = (known + step).clamp(0.2, 0.9),
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
const TRIALS: usize = 8;
/// The share of facts the first one has read about.
const FIRST_KNOWN: f64 = 0.55;
/// Weak accuracy on tuning items that noise brings a teacher down to.
const WEAK_AIM: f64 = 0.59;
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

/// Add noise until weak accuracy is right, then measure; plain and the others only where it came right.
fn try_teacher(draw: &Draw, teacher: &mut Teacher, ceiling: f64) -> Result<TeacherTrial, WorldError> {
    let known = teacher.known;
    let tuned = (0..TRIAL_SEEDS).map(|seed| teacher.tune(draw, seed)).collect::<Result<Vec<_>, _>>()?;
    let (noise, sure) = calibrate(draw, &tuned)?;
    let (mut weak, mut pool, mut soft) = (vec![], vec![], vec![]);
    for tuned in &tuned {
        let margins = |sample: &Sample| -> Result<Vec<f32>, WorldError> {
            Ok(tuned.waver(&sample.items, &tuned.sure(&sample.items)?, noise))
        };
        weak.push(draw.tuning.accuracy(&margins(&draw.tuning)?));
        let margins = margins(&draw.pool)?;
        pool.push(draw.pool.accuracy(&margins));
        soft.push(margins.into_iter().map(sigmoid).collect::<Vec<_>>());
    }
    drop(tuned);
    teacher.noise = noise;
    let (weak, pool) = (mean(weak.into_iter()), mean(pool.into_iter()));
    let mut trial = TeacherTrial { known, noise, sure, weak, pool, plain: None, spread: None };
    if weak < 0.545 || ceiling - weak < 0.23 {
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
    if PLAIN_AIM.contains(&plain) {
        let mut best = f64::NEG_INFINITY;
        for name in ["both-orders", "self-training", "posterior", "confident", "zero-shot"] {
            best = best.max(pgr(name, 2)?);
        }
        trial.spread = Some(best - plain);
    }
    Ok(trial)
}

/// The noise that brings weak accuracy on tuning items to its aim, and the accuracy without any.
fn calibrate(draw: &Draw, tuned: &[Tuned]) -> Result<(f64, f64), WorldError> {
    let items = &draw.tuning.items;
    let sure = tuned.iter().map(|tuned| tuned.sure(items)).collect::<Result<Vec<_>, _>>()?;
    let weak = |noise: f64| {
        let pairs = tuned.iter().zip(&sure);
        mean(pairs.map(|(tuned, sure)| draw.tuning.accuracy(&tuned.waver(items, sure, noise))))
    };
    let (mut low, mut high) = (0.0, 4.0);
    if weak(low) > WEAK_AIM {
        for _ in 0..8 {
            let middle = (low + high) / 2.0;
            *if weak(middle) > WEAK_AIM { &mut low } else { &mut high } = middle;
        }
    }
    Ok((low, weak(0.0)))
}

/// Where plain's PGR must lie on tuning items, to lie inside its bound on others: at three seeds the two differ by some 0.06.
const PLAIN_AIM: std::ops::RangeInclusive<f64> = 0.2..=0.4;

/// By how much to change the known share next; `None` where this teacher will do. Zero draws another teacher alike.
///
/// Noise is what plain training averages out, knowledge that noise hides is what it finds: the more a teacher knows, and
/// the more noise brings it down to the same weak accuracy, the higher plain's PGR.
fn next_known(trial: &TeacherTrial) -> Option<f64> {
    match (trial.plain, trial.spread) {
        (None, _) => Some(0.1),
        (Some(plain), _) if plain < *PLAIN_AIM.start() => Some(((0.3 - plain) * 0.35).clamp(0.03, 0.12)),
        (Some(plain), _) if plain > *PLAIN_AIM.end() => Some(((0.3 - plain) * 0.35).clamp(-0.12, -0.03)),
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
