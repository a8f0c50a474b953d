//! A *tabular benchmark* of a testbed, as there are for architectures (Ying et al. 2019, NAS-Bench-101): many recipes on the same
//! seeds, the answer to every item kept, so that a study can be replayed in milliseconds.
//!
//! [`plan`] says which recipes: those that ship, and compositions of the search's own grammar. They are run by [`crate::bench`], which
//! goes on where it was stopped; [`compose`] makes the table of its results, `file` reads and writes it. The table holds answers, no scores.

use crate::bench::results::{Key, Outcome, Results};
use crate::bench::{BenchError, Contender, Entrant, Plan};
use aar_domain::rung::Split;
use aar_methods::search::{sample, space};
use aar_methods::{Recipe, shipped};
use std::collections::BTreeSet;
use std::path::Path;

mod file;

pub use file::{Entry, FORMAT, Header, Run, Table, TestbedName};

/// Both splits: what a study is told by, and what its finalists are replicated on.
const SPLITS: [Split; 2] = [Split::Feedback, Split::Selection];

/// `count` recipes on a testbed, no two of which do the same: those that ship, as far as they fill no more than half of it and the
/// testbed can have them, and compositions drawn with the seed `draw`. Fewer where there are no more.
pub fn plan(testbed: Entrant, count: usize, seeds: usize, draw: u64) -> Result<Plan, BenchError> {
    let mut known = BTreeSet::new();
    let mut recipes = Vec::new();
    for (name, _) in shipped::RECIPES {
        let contender = Contender::shipped(name)?;
        let fits = contender.recipe.applicable(&testbed.problem).is_ok();
        if recipes.len() < count.div_ceil(2) && fits && known.insert(identity(&contender.recipe)) {
            recipes.push(contender);
        }
    }
    let mut is_new = |genome: &space::Genome| {
        let recipe = Recipe::parse(&space::recipe(genome, "drawn"), Path::new("drawn"));
        recipe.is_ok_and(|recipe| recipe.applicable(&testbed.problem).is_ok() && known.insert(identity(&recipe)))
    };
    for genome in sample::sample(count - recipes.len(), draw, &mut is_new) {
        let name = space::describe(&genome);
        recipes.push(Contender::of(&name, &space::recipe(&genome, &name))?);
    }
    Ok(Plan { testbeds: vec![testbed], recipes, controls: vec![], seeds, splits: SPLITS.to_vec(), trials: true })
}

/// The same for recipes that do the same.
fn identity(recipe: &Recipe) -> String {
    serde_json::to_string(&recipe.effective()).unwrap_or_default()
}

/// The table of a plan all of whose runs were made.
pub fn compose(plan: &Plan, draw: u64, results: &Results) -> Result<Table, BenchError> {
    let testbed = &plan.testbeds[0];
    let mut runs = Vec::new();
    for (number, contender) in plan.recipes.iter().enumerate() {
        for seed in 0..plan.seeds as u64 {
            runs.push(run(testbed, contender, number, seed, results)?);
        }
    }
    Ok(Table { header: Header::new(testbed, &plan.recipes, plan.seeds, draw), runs })
}

fn run(
    testbed: &Entrant,
    contender: &Contender,
    recipe: usize,
    seed: u64,
    results: &Results,
) -> Result<Run, BenchError> {
    let mut run = Run { recipe, seed, ..Run::default() };
    for split in SPLITS {
        let key = Key { testbed: testbed.digest.clone(), recipe: contender.digest.clone(), seed, split };
        let missing = || BenchError::Missing(contender.file.clone(), seed);
        let ran = results.get(&key).ok_or_else(missing)?;
        match &ran.outcome {
            Outcome::Answers(signs) => run.keep(split, signs),
            Outcome::Failed(why) => run.failed = Some(why.clone()),
        }
        if split == Split::Feedback {
            run.operations = ran.operations;
        }
        run.cpu_s = run.cpu_s.max((ran.cpu_s * 1000.0).round() / 1000.0);
        run.tried = run.tried.or_else(|| ran.tried.clone());
    }
    Ok(run)
}
