//! The table of bounds a minted world must hold, measured on items that nothing was tuned on.

use crate::baselines::{Baselines, Tests, mean, recipe};
use crate::constructed;
use crate::cpu;
use crate::draw::{Draw, share};
use crate::error::WorldError;
use crate::pretrain;
use crate::shortcuts;
use aar_domain::testbed::Check;
use aar_methods::pool::Pool;
use aar_methods::student::decoder::DecoderStudent;
use aar_methods::{Recipe, shipped, train};
use rayon::prelude::*;

/// Evaluation seeds of every recipe.
pub const SEEDS: usize = 6;

/// Name, lowest, highest allowed.
pub type Bound = (&'static str, Option<f64>, Option<f64>);

/// Weak accuracy, pooled.
pub const WEAK: Bound = ("weak accuracy", Some(0.52), Some(0.68));
/// Ceiling minus weak.
pub const GAP: Bound = ("gap (ceiling - weak)", Some(0.20), None);
/// PGR of plain training.
pub const PLAIN: Bound = ("PGR of plain", Some(0.10), Some(0.50));
/// PGR of asking the untouched student: more of it and one line of code were the whole answer.
pub const ZERO_SHOT: Bound = ("PGR of zero-shot", None, Some(0.70));
/// The best that a student of random weights gets from any of a few recipes: the knowledge is in the student, not in the pool.
pub const UNREAD: Bound = ("PGR of a student that has read nothing, best recipe", None, Some(0.15));
/// Judging skill before fine-tuning.
pub const JUDGING: Bound = ("student's judging skill", Some(0.80), None);

/// A measured bound.
pub(crate) fn check(bound: Bound, value: f64) -> Check {
    Check { name: bound.0.into(), value, bounds: (bound.1, bound.2), report_only: false }
}

fn report(name: String, value: f64) -> Check {
    Check { name, value, bounds: (None, None), report_only: true }
}

/// A recipe's account over the seeds.
struct Scored {
    name: String,
    pgr: f64,
    operations: f64,
    /// Of the fastest seed: what else runs on the machine counts as little as can be.
    cpu_s: f64,
    /// Which check items the first seed had right.
    correct: Vec<bool>,
}

/// One seed of a recipe.
struct Run {
    correct: Vec<bool>,
    operations: u64,
    cpu_s: f64,
}

/// Weak, gap and judging skill: what is known without a method.
pub fn bare(draw: &Draw, baselines: &Baselines, tests: &Tests) -> Vec<Check> {
    let (weak, ceiling) = baselines.on_check();
    vec![
        check(WEAK, weak),
        check(GAP, ceiling - weak),
        check(JUDGING, draw.skill.judging()),
        report("ceiling by fine-tuning".into(), baselines.candidates[0]),
        report("ceiling by linear readout".into(), baselines.candidates[1]),
        report("clusters of the feedback split".into(), tests.feedback.items.len() as f64),
        report("clusters of the selection split".into(), tests.selection.items.len() as f64),
    ]
}

/// Plain training: what most draws fail on.
pub fn plain(
    draw: &Draw,
    baselines: &Baselines,
    tests: &Tests,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Check>, WorldError> {
    let plain = score(draw, baselines, tests, &[recipe("plain")?], done)?;
    Ok(vec![
        check(PLAIN, plain[0].pgr),
        check(("CPU-seconds per seed of plain, test included", None, Some(6.0)), plain[0].cpu_s),
    ])
}

/// The rest of the table: the shipped recipes of the league, shortcuts, constructed attacks.
pub fn rest(
    draw: &Draw,
    baselines: &Baselines,
    tests: &Tests,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Check>, WorldError> {
    let (weak, _) = baselines.on_check();
    let all = shipped::LEAGUE.iter().map(|name| Ok((*name, recipe(name)?))).collect::<Result<Vec<_>, WorldError>>()?;
    let applicable = all.into_iter().filter(|(_, recipe)| recipe.applicable(&draw.problem).is_ok());
    let (names, recipes): (Vec<_>, Vec<_>) = applicable.unzip();
    let scored = score(draw, baselines, tests, &recipes, done)?;
    let plain = &scored[0];
    let mut others: Vec<&Scored> = scored[1..].iter().collect();
    others.sort_by(|a, b| b.pgr.total_cmp(&a.pgr));
    let dearest = others.iter().map(|other| other.operations / plain.operations).fold(1.0, f64::max);
    let best_shortcut = shortcuts::measure(draw, &tests.check);
    let strongest = best_shortcut.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut table = vec![
        check(("spread: best - plain, in PGR", Some(0.15), None), others[0].pgr - plain.pgr),
        report("spread: second best - plain, in PGR".into(), others[1].pgr - plain.pgr),
        check(("best shortcut - weak, in accuracy", None, Some(0.05)), strongest - weak),
        check(("operations of the dearest recipe / plain", None, Some(3.05)), dearest),
    ];
    table.push(check(UNREAD, (unread(draw, baselines, tests)? - weak) / (baselines.on_check().1 - weak)));
    let asked = names.iter().zip(&scored).find(|(name, _)| **name == "zero-shot");
    table.extend(asked.map(|(_, scored)| check(ZERO_SHOT, scored.pgr)));
    let differs = |other: &&Scored| {
        let pairs = other.correct.iter().zip(&plain.correct);
        pairs.filter(|(a, b)| a != b).count() as f64 / plain.correct.len().max(1) as f64
    };
    let alike = others.iter().map(differs).fold(1.0, f64::min);
    table.push(check(("least share of answers in which a recipe differs from plain", Some(0.01), None), alike));
    table.extend(best_shortcut.into_iter().map(|(name, value)| report(format!("shortcut: {name} (accuracy)"), value)));
    table.extend(constructed::measure(draw, baselines, tests)?);
    table.extend(scored.iter().map(|recipe| report(format!("PGR of {}", recipe.name), recipe.pgr)));
    Ok(table)
}

/// Recipes that a student of random weights is trained by, and seeds of each.
const UNREAD_BY: [&str; 4] = ["plain", "confident", "self-training", "residual"];
const UNREAD_SEEDS: usize = 2;

/// The best mean accuracy of a student that has read nothing.
fn unread(draw: &Draw, baselines: &Baselines, tests: &Tests) -> Result<f64, WorldError> {
    let jobs: Vec<(&str, usize)> =
        UNREAD_BY.into_iter().flat_map(|name| (0..UNREAD_SEEDS).map(move |seed| (name, seed))).collect();
    let one = |&(name, seed): &(&str, usize)| {
        let model = pretrain::unread(draw.world.as_ref(), seed as u64);
        let student = DecoderStudent::new(&draw.problem, model, draw.tokenizer.clone(), 1)?;
        let pool = Pool::new(draw.pool.items.clone(), baselines.soft[seed].clone());
        let trained = train::train(&recipe(name)?, &pool, &student, seed as u64)?;
        Ok(tests.check.accuracy(&trained.margins(&student, &tests.check.items)?))
    };
    let found = jobs.par_iter().map(one).collect::<Result<Vec<f64>, WorldError>>()?;
    Ok(found.chunks_exact(UNREAD_SEEDS).map(|runs| mean(runs.iter().copied())).fold(0.0, f64::max))
}

/// Mean PGR over the seeds and operations per seed.
fn score(
    draw: &Draw,
    baselines: &Baselines,
    tests: &Tests,
    recipes: &[Recipe],
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Scored>, WorldError> {
    let (weak, ceiling) = baselines.on_check();
    let jobs: Vec<(usize, usize)> = (0..recipes.len()).flat_map(|r| (0..SEEDS).map(move |seed| (r, seed))).collect();
    let runs: Vec<Run> = jobs
        .into_par_iter()
        .map(|(r, seed)| {
            let pool = Pool::new(draw.pool.items.clone(), baselines.soft[seed].clone());
            aar_lm::ops::take();
            let started = cpu::seconds().map_err(WorldError::Clock)?;
            let trained = train::train(&recipes[r], &pool, &draw.student, seed as u64)?;
            let margins = trained.margins(&draw.student, &tests.check.items)?;
            done();
            let cpu_s = cpu::seconds().map_err(WorldError::Clock)? - started;
            Ok(Run { correct: tests.check.correct(&margins), operations: aar_lm::ops::take(), cpu_s })
        })
        .collect::<Result<_, WorldError>>()?;
    let scored = recipes.iter().zip(runs.chunks_exact(SEEDS)).map(|(recipe, runs)| Scored {
        name: recipe.name.clone(),
        pgr: (mean(runs.iter().map(|run| share(&run.correct))) - weak) / (ceiling - weak),
        operations: mean(runs.iter().map(|run| run.operations as f64)),
        cpu_s: runs.iter().map(|run| run.cpu_s).fold(f64::INFINITY, f64::min),
        correct: runs[0].correct.clone(),
    });
    Ok(scored.collect())
}
