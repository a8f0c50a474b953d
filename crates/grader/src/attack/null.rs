//! Null studies with researchers who choose what they submit next by what the ledger answered: does any of it survive the close?
//!
//! Every method is as good as plain training, and methods that descend from each other are right on the same items: whoever breeds what was
//! answered well gets methods that fit the graded items better and better, and fresh ones not at all.

use crate::ledger::{Answers, Policy};
use crate::vault::{Parts, Vault};
use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;
use aar_domain::stats::simulate::{Design, Method};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How researchers choose their next submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Something new each time, whatever was answered.
    Blind,
    /// A small change of the best so far.
    Climb,
    /// Half of the submissions explore; then mixtures of all of them, each weighted by how far its answer lay from the mean.
    Weigh,
    /// Half of the submissions explore; then small changes of the best four.
    Narrow,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Strategy; 4] = [Strategy::Blind, Strategy::Climb, Strategy::Weigh, Strategy::Narrow];

    /// The next method, `id` its number. `told`: what was submitted and answered so far.
    fn next(self, design: &Design, told: &[(Method, f64)], id: u64, rng: &mut ChaCha8Rng) -> Method {
        let mut best: Vec<&(Method, f64)> = told.iter().collect();
        // The latest of equals: where nothing is told, one goes on all the same.
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.id().cmp(&a.0.id())));
        let explores = told.len() < design.bundles / 2;
        match self {
            Strategy::Climb if !best.is_empty() => Method::bred(&[(&best[0].0, 1.0)], id, 0.2),
            Strategy::Weigh if !explores => {
                let mean = told.iter().map(|(_, pgr)| pgr).sum::<f64>() / told.len() as f64;
                let weighed: Vec<(&Method, f64)> = told.iter().map(|(method, pgr)| (method, pgr - mean)).collect();
                Method::bred(&weighed, id, 0.05)
            }
            Strategy::Narrow if !explores => {
                let parent = rng.random_range(0..best.len().min(4));
                Method::bred(&[(&best[parent].0, 1.0)], id, 0.2)
            }
            _ => design.method(design.plain, id),
        }
    }
}

/// What came of a number of null studies.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found {
    /// Studies that declared any method better than plain training.
    pub declared: u32,
    /// How far the best graded answer lay above the truth, in PGR, on average.
    pub inflation: f64,
}

/// Run null studies from number `first` on.
pub fn studies(
    design: &Design,
    policy: Policy,
    strategy: Strategy,
    first: u64,
    count: u32,
    replicates: usize,
) -> Found {
    let mut found = Found::default();
    for study in first..first + u64::from(count) {
        let (declared, best) = one(design, policy, strategy, study, replicates);
        found.declared += u32::from(declared);
        found.inflation += (best - design.plain) / f64::from(count.max(1));
    }
    found
}

/// Whether a null study declared anything, and its best graded answer.
fn one(design: &Design, policy: Policy, strategy: Strategy, study: u64, replicates: usize) -> (bool, f64) {
    let seeds: Vec<u64> = (0..design.seeds as u64).collect();
    let items = design.feedback * design.cluster;
    let graded = |method: &Method| design.outcomes(method, items, &seeds, study, 1);
    let vault = vault(design, study);
    let mut answers = Answers::new(policy);
    let plain = answers.baseline(&vault, &graded(&design.method(design.plain, 0))).unwrap_or(design.plain);
    let mut rng = ChaCha8Rng::seed_from_u64(study);
    let mut told: Vec<(Method, f64)> = Vec::new();
    for id in 1..=design.bundles as u64 {
        let method = strategy.next(design, &told, id, &mut rng);
        let answer = answers.answer(&vault, &graded(&method)).unwrap_or(plain);
        told.push((method, answer));
    }
    let mut order: Vec<&(Method, f64)> = told.iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = order.first().map_or(plain, |best| best.1);
    let finalists: Vec<&Method> = order.iter().take(design.finalists).map(|(method, _)| method).collect();
    (design.close(&finalists, study, replicates).contains(&true), best)
}

/// The graded items with their weak and ceiling runs. Which label is right does not matter: answers are given as right or wrong.
fn vault(design: &Design, study: u64) -> Vault {
    let items = design.feedback * design.cluster;
    let runs = |pgr: f64, id: u64| -> Vec<Vec<bool>> {
        let seeds: Vec<u64> = (200..208).collect();
        let Outcomes { correct, .. } = design.outcomes(&design.method(pgr, id), items, &seeds, study, 1);
        correct
    };
    let parts = Parts { labels: vec![true; items], weak: runs(0.0, u64::MAX), ceiling: runs(1.0, u64::MAX - 1) };
    Vault::of([(Split::Feedback, parts)].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small, so that many fit into a test; taste as strong as it gets, so that choosing pays as much as it can.
    const SMALL: Design = Design {
        weak: 0.58,
        ceiling: 0.86,
        plain: 0.25,
        luck: 0.05,
        taste: 0.45,
        cluster: 1,
        bundles: 24,
        seeds: 2,
        feedback: 300,
        finalists: 4,
        final_seeds: 4,
        selection: 600,
    };

    /// Promised is a rate of 5 %. At that rate 50 studies show more than 9 with a chance of 0.00016 (binomial), one of eight such rows with 0.0013 at most.
    #[test]
    fn what_was_chosen_by_answers_is_rarely_declared_better() {
        for strategy in Strategy::ALL {
            for policy in [Policy::Ladder { step: 0.05 }, Policy::Exact] {
                let found = studies(&SMALL, policy, strategy, 1, 50, 200);
                assert!(found.declared <= 9, "{strategy:?} {policy:?}: {found:?} of 50");
            }
        }
    }

    /// The researchers do overfit what they are told: where everything is told, choosing by it gets further than blind luck.
    #[test]
    fn choosing_by_answers_inflates_them() {
        let design = Design { bundles: 60, luck: 0.0, feedback: 100, selection: 20, final_seeds: 2, ..SMALL };
        let inflation = |strategy| studies(&design, Policy::Exact, strategy, 1, 40, 20).inflation;
        let (blind, weighed) = (inflation(Strategy::Blind), inflation(Strategy::Weigh));
        assert!(weighed > blind + 0.1, "{blind} {weighed}");
    }
}
