//! Attacks on the grader: what a team that only wants to win could get out of it, measured over fresh truths.
//!
//! Every attack runs against a `door`: the vault with a ledger under some policy, or the rules of the published study's release. A
//! `world` is a truth drawn anew, with an attacker's knowledge: plain training's answers and how sure each is. Predictions are handed to the
//! grader item by item, as if code could choose its answers to inputs it has never met: more than a bundle can do.

use crate::ledger::Policy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

mod attacks;
mod detecting;
mod door;
mod world;

use attacks::{ATTACKS, Attack};
use door::{Door, Graded, Reference};
pub use world::ITEMS;
use world::World;

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

/// Run every attack over `truths` fresh truths, on `threads` threads.
pub fn run(rules: Rules, truths: u32, seed: u64, threads: usize) -> Vec<Outcome> {
    let threads = threads.clamp(1, truths.max(1) as usize) as u32;
    let share = |thread: u32| {
        let own = (0..truths).filter(move |truth| truth % threads == thread);
        own.map(|truth| one(rules, seed.wrapping_add(u64::from(truth)))).collect::<Vec<_>>()
    };
    let tries: Vec<Vec<Try>> = std::thread::scope(|scope| {
        let share = &share;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    let of = |at: usize| tries.iter().filter_map(move |truth| truth.get(at)).collect::<Vec<&Try>>();
    ATTACKS.iter().enumerate().map(|(at, attack)| summary(attack, &of(at))).collect()
}

/// Every attack on one truth, each from the start.
fn one(rules: Rules, seed: u64) -> Vec<Try> {
    let mut world = World::draw(seed);
    if let Rules::Ledger(policy, submissions) = rules {
        world.known.budget = submissions;
        world.known.ladder = matches!(policy, Policy::Ladder { .. });
    } else {
        world.known.budget = REFERENCE_QUERIES;
    }
    let world = &world;
    ATTACKS
        .iter()
        .enumerate()
        .map(|(at, attack)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ (at as u64 + 1).rotate_left(40));
            match rules {
                Rules::Ledger(policy, submissions) => {
                    try_one(attack, &mut Graded::new(world, policy, submissions), world, true, &mut rng)
                }
                Rules::Reference => try_one(attack, &mut Reference::new(world), world, false, &mut rng),
            }
        })
        .collect()
}

fn try_one(attack: &Attack, door: &mut dyn Door, world: &World, replicated: bool, rng: &mut ChaCha8Rng) -> Try {
    let loot = (attack.run)(door, world, &world.known, rng);
    let (answered, bits) = (f64::from(door.answered()), door.bits());
    if !replicated {
        // Nothing keeps a thief of labels from handing them in.
        let _ = door.ask(0, &[world::margins(&loot.guess)]);
    }
    let (selection, fresh) = world.elsewhere(loot.method, rng);
    let graded = door.board().map(|board| board - fresh);
    Try {
        answered,
        recovered: world.share(&loot.guess) - world.share(loot.blind.as_ref().unwrap_or(&world.known.prior)),
        complete: f64::from(u8::from(world.share(&loot.guess) == 1.0)),
        graded,
        headline: if replicated { Some(selection - fresh) } else { graded },
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

fn bounded(values: &[f64]) -> Bounded {
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
