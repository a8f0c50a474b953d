//! All that is asked, answered.

use super::answers::{self, Answer, Ideas, over_studies};
use super::bench::{Bench, Seeds};
use super::many::{self, Point};
use super::questions::{self, Question};
use aar_domain::stats::Estimate;
use aar_grader::ledger::Policy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// What is asked, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Study seeds, from 1.
    pub studies: u64,
    /// A study's budget, in plain training's evaluations.
    pub budget: f64,
    /// What researchers are told of scores.
    pub policy: Policy,
    /// Names out of [`names`].
    pub questions: Vec<String>,
}

/// Everything that came out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// As it was asked.
    pub settings: Settings,
    /// The tables it rests on.
    pub tables: Vec<Measured>,
    /// Comparisons of teams.
    pub answers: Vec<Answer>,
    /// Ideas over time.
    pub ideas: Vec<Ideas>,
    /// The best of many.
    pub many: Vec<Point>,
}

/// A table in short.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The testbed.
    pub testbed: String,
    /// Its subject.
    pub subject: String,
    /// Recipes.
    pub recipes: usize,
    /// Those that a search can propose.
    pub compositions: usize,
    /// Those that failed at a seed.
    pub failed: usize,
    /// Seeds of each.
    pub seeds: usize,
    /// Plain training's replicated PGR, over study seeds.
    pub plain: Option<Estimate>,
    /// That of the row that is best on the selection split at the told seeds.
    pub best: Option<Estimate>,
}

/// Everything that can be asked, in order.
pub fn names() -> Vec<&'static str> {
    let comparisons = questions::all(1.0, Policy::Exact);
    comparisons.iter().map(|question| question.name).chain(["entropy", "many"]).collect()
}

/// Studies that the questions take.
pub fn studies(settings: &Settings, tables: usize) -> u64 {
    let (questions, entropy, many) = asked(settings);
    let arms: usize = questions.iter().chain(&entropy).map(|question| question.arms.len()).sum();
    (arms + usize::from(many)) as u64 * tables as u64 * settings.studies
}

fn asked(settings: &Settings) -> (Vec<Question>, Option<Question>, bool) {
    let wanted = |name: &str| settings.questions.iter().any(|asked| asked == name);
    let mut questions = questions::all(settings.budget, settings.policy);
    questions.retain(|question| wanted(question.name));
    let entropy = wanted("entropy").then(|| questions::entropy(settings.budget, settings.policy));
    (questions, entropy, wanted("many"))
}

/// Answer everything. `ended` hears of every study.
pub fn run(benches: &[Bench], settings: Settings, ended: &dyn Fn()) -> Report {
    let (questions, entropy, many) = asked(&settings);
    let answers =
        questions.into_iter().map(|question| answers::answer(question, benches, settings.studies, ended)).collect();
    let ideas = entropy.map(|question| answers::entropy(question, benches, settings.studies, ended));
    let curves = benches.iter().filter(|_| many).flat_map(|bench| many::curve(bench, settings.studies, ended));
    Report {
        answers,
        ideas: ideas.unwrap_or_default(),
        many: curves.collect(),
        tables: benches.iter().map(|bench| measured(bench, settings.studies)).collect(),
        settings,
    }
}

fn measured(bench: &Bench, studies: u64) -> Measured {
    let over = |row: &dyn Fn(&Seeds) -> usize| {
        let values = (1..=studies).filter_map(|study| {
            let seeds = Seeds::drawn(bench.seeds, &mut ChaCha8Rng::seed_from_u64(study));
            bench.selection(row(&seeds), &seeds.fresh)
        });
        over_studies(&values.collect::<Vec<_>>())
    };
    Measured {
        testbed: bench.name.clone(),
        subject: bench.subject.clone(),
        recipes: bench.rows.len(),
        compositions: bench.genomes().count(),
        failed: bench.rows.iter().filter(|row| row.failed()).count(),
        seeds: bench.seeds,
        plain: over(&|_| bench.plain()),
        best: over(&|seeds| bench.best(seeds)),
    }
}
