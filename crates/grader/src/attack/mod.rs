//! Attacks on the grader: what a team that only wants to win could get out of it, measured over fresh truths.
//!
//! Every attack runs against a `door`: the vault with a ledger under some policy, the rules of the published study's release, or whatever
//! else answers (`through`; `aar_study::attack` has a running server). A `world` is a truth drawn anew, with an attacker's knowledge: plain training's answers and how sure each is. Predictions are handed to the
//! grader item by item, as if code could choose its answers to inputs it has never met: more than a bundle can do.

use crate::ledger::Policy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::convert::Infallible;

mod attacks;
mod detecting;
mod door;
pub mod null;
mod world;

use attacks::ATTACKS;
pub use attacks::{Attack, CHOICE, Loot};
pub use door::{Closed, Door};
use door::{Graded, Reference};
pub use world::{Elsewhere, ITEMS, Known, World, margins};

/// Queries that an attacker of the reference allows itself.
pub const REFERENCE_QUERIES: u32 = 399;
/// The most that may be recovered beyond guessing: the upper 95 % bound of the share of labels.
pub const MOST_RECOVERED: f64 = 0.01;
/// The most that the headline may lie above the value on fresh truth: the upper 95 % bound, in PGR.
pub const MOST_INFLATED: f64 = 0.02;

/// The rules under which attacks are run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    /// The vault with a ledger: a policy and the team's submissions.
    Ledger(Policy, u32),
    /// The published release's.
    Reference,
}

/// A mean over truths with its 95 % bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounded {
    /// The mean.
    pub mean: f64,
    /// Its upper 95 % bound (1.96 standard errors over truths).
    pub upper: f64,
}

/// What one attack came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The attack.
    pub attack: &'static str,
    /// Queries answered, on average.
    pub answered: f64,
    /// Share of labels right beyond what guessing with the same knowledge gives.
    pub recovered: Bounded,
    /// Share of truths given up to the last label.
    pub complete: f64,
    /// What the board shows minus PGR on fresh truth; `None` where it shows nothing.
    pub graded: Option<Bounded>,
    /// What counts in the end minus PGR on fresh truth: the replicated value; for the reference, its board.
    pub headline: Option<Bounded>,
    /// Bits released, at most; `None` where nobody counts.
    pub bits: Option<f64>,
}

impl Outcome {
    /// Whether the promise holds.
    pub fn holds(&self) -> bool {
        self.recovered.upper <= MOST_RECOVERED && self.headline.is_none_or(|headline| headline.upper <= MOST_INFLATED)
    }
}

/// One attack on one truth.
struct Try {
    answered: f64,
    recovered: f64,
    complete: f64,
    graded: Option<f64>,
    headline: Option<f64>,
    bits: Option<f64>,
}

/// How doors are made: one for every attack on every truth.
pub type Open<'a, E> = &'a (dyn for<'w> Fn(&'w World) -> Result<Box<dyn Door + 'w>, E> + Sync);

/// Run every attack over `truths` fresh truths, on `threads` threads.
pub fn run(rules: Rules, truths: u32, seed: u64, threads: usize) -> Vec<Outcome> {
    let (budget, ladder) = match rules {
        Rules::Ledger(policy, submissions) => (submissions, matches!(policy, Policy::Ladder { .. })),
        Rules::Reference => (REFERENCE_QUERIES, false),
    };
    let open: Open<Infallible> = &|world| {
        Ok(match rules {
            Rules::Ledger(policy, submissions) => Box::new(Graded::new(world, policy, submissions)),
            Rules::Reference => Box::new(Reference::new(world)),
        })
    };
    match through(open, (budget, ladder), truths, seed, threads) {
        Ok(outcomes) => outcomes,
        Err(never) => match never {},
    }
}

/// Run every attack over `truths` fresh truths through doors of one's own. `known`: the queries an attacker may hope for, and whether a ladder answers.
pub fn through<E: Send>(
    open: Open<E>,
    known: (u32, bool),
    truths: u32,
    seed: u64,
    threads: usize,
) -> Result<Vec<Outcome>, E> {
    let threads = threads.clamp(1, truths.max(1) as usize) as u32;
    let share = |thread: u32| {
        let own = (0..truths).filter(move |truth| truth % threads == thread);
        own.map(|truth| one(open, known, seed.wrapping_add(u64::from(truth)))).collect::<Result<Vec<_>, E>>()
    };
    let shares: Vec<Result<Vec<Vec<Try>>, E>> = std::thread::scope(|scope| {
        let share = &share;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap_or_else(|_| Ok(vec![]))).collect()
    });
    let tries: Vec<Vec<Try>> = shares.into_iter().collect::<Result<Vec<_>, E>>()?.into_iter().flatten().collect();
    let of = |at: usize| tries.iter().filter_map(move |truth| truth.get(at)).collect::<Vec<&Try>>();
    Ok(ATTACKS.iter().enumerate().map(|(at, attack)| summary(attack, &of(at))).collect())
}

/// Every attack on one truth, each from the start.
fn one<E>(open: Open<E>, known: (u32, bool), seed: u64) -> Result<Vec<Try>, E> {
    let mut world = World::draw(seed);
    (world.known.budget, world.known.ladder) = known;
    let world = &world;
    let attempt = |(at, attack): (usize, &Attack)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ (at as u64 + 1).rotate_left(40));
        Ok(try_one(attack, open(world)?.as_mut(), world, &mut rng))
    };
    ATTACKS.iter().enumerate().map(attempt).collect()
}

fn try_one(attack: &Attack, door: &mut dyn Door, world: &World, rng: &mut ChaCha8Rng) -> Try {
    let loot = (attack.run)(door, world, &world.known, rng);
    let (answered, bits) = (f64::from(door.answered()), door.bits());
    let closed = door.close(world, &loot, rng);
    Try {
        answered,
        recovered: world.share(&loot.guess) - world.share(loot.blind.as_ref().unwrap_or(&world.known.prior)),
        complete: f64::from(u8::from(world.share(&loot.guess) == 1.0)),
        graded: closed.graded,
        headline: closed.headline,
        bits,
    }
}

fn summary(attack: &Attack, tries: &[&Try]) -> Outcome {
    let mean = |values: Vec<f64>| bounded(&values).mean;
    let some = |get: fn(&Try) -> Option<f64>| {
        let values: Vec<f64> = tries.iter().filter_map(|one| get(one)).collect();
        (!values.is_empty()).then(|| bounded(&values))
    };
    Outcome {
        attack: attack.name,
        answered: mean(tries.iter().map(|one| one.answered).collect()),
        recovered: bounded(&tries.iter().map(|one| one.recovered).collect::<Vec<_>>()),
        complete: mean(tries.iter().map(|one| one.complete).collect()),
        graded: some(|one| one.graded),
        headline: some(|one| one.headline),
        bits: some(|one| one.bits).map(|bits| bits.mean),
    }
}

/// A mean with its bound.
pub fn bounded(values: &[f64]) -> Bounded {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    Bounded { mean, upper: mean + 1.96 * (squares / (count - 1.0).max(1.0) / count).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(outcomes: &'a [Outcome], name: &str) -> &'a Outcome {
        outcomes.iter().find(|outcome| outcome.attack == name).unwrap()
    }

    #[test]
    fn the_reference_gives_up_all_labels_in_under_400_queries() {
        let outcomes = run(Rules::Reference, 3, 1, 1);
        let matrix = find(&outcomes, "detecting matrix");
        assert_eq!(matrix.complete, 1.0, "{matrix:?}");
        assert!(matrix.answered < 400.0, "{matrix:?}");
        assert!(find(&outcomes, "forged metrics").headline.unwrap().mean > 40.0);
        assert!(find(&outcomes, "boosting of random flips").recovered.mean > 0.1);
    }

    #[test]
    fn the_ladder_keeps_its_promise_where_a_grid_alone_does_not() {
        let ladder = run(Rules::Ledger(Policy::Ladder { step: 0.05 }, 24), 60, 1, 1);
        for outcome in &ladder {
            assert!(outcome.recovered.mean <= MOST_RECOVERED && outcome.answered <= 24.0, "{outcome:?}");
        }
        // The attack itself is sound: it gets something wherever every answer is told.
        let grid = run(Rules::Ledger(Policy::Naive { step: 0.05 }, 24), 20, 1, 1);
        let boosted = find(&grid, "boosting without any knowledge").recovered.mean;
        assert!(boosted > 2.0 * MOST_RECOVERED, "{boosted}");
        // Many names have one account.
        assert_eq!(find(&grid, "identities by the dozen").answered, 24.0);
    }

    #[test]
    fn what_is_no_prediction_gets_no_answer_and_is_charged() {
        for outcome in run(Rules::Ledger(Policy::Ladder { step: 0.05 }, 24), 2, 1, 1) {
            if ["wrong lengths and huge bodies", "infinity and NaN"].contains(&outcome.attack) {
                assert_eq!((outcome.answered, outcome.recovered.mean), (0.0, 0.0), "{outcome:?}");
                assert!(outcome.bits.unwrap() > 5.0 * 5.0, "{outcome:?}");
            }
        }
    }
}
