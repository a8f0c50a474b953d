//! Does the time that an answer takes tell how many answers were right?

use super::served::{Fault, Served};
use crate::error::StudyError;
use aar_domain::stats::{correlation, ranked};
use aar_grader::attack::{Door, World};
use aar_grader::ledger::Policy;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Shuffles behind a p value.
const SHUFFLES: usize = 2000;

/// How the time of an answer goes with the number of answers that were right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Submissions, each with another share of right answers, between none and all.
    pub submissions: u32,
    /// Spearman's rank correlation.
    pub correlation: f64,
    /// Share of random orders that give at least as much.
    pub p: f64,
    /// The median wait, in microseconds.
    pub median_us: u128,
}

/// Hand in `submissions` under a ledger that does not run out and measure each.
pub fn measure(policy: Policy, submissions: u32, seed: u64, fault: &Fault) -> Result<Latency, StudyError> {
    let world = World::draw(seed);
    let mut door = Served::start(&world, policy, submissions + 1, fault.clone())?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Perfect first: afterwards no answer moves the ladder, so that all of them are the same work.
    door.run(&[world.trained(9.0, &mut rng)], 9.0);
    let mut pairs: Vec<(f64, u128)> = (0..submissions)
        .map(|_| {
            let pgr = rng.random_range(-2.5..2.3);
            door.run(&[world.trained(pgr, &mut rng)], pgr);
            (pgr, door.waited.as_nanos())
        })
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let waits: Vec<u128> = pairs.iter().map(|pair| pair.1).collect();
    let places: Vec<f64> = (1..=waits.len()).map(|place| place as f64).collect();
    let mut ranks = ranked(&waits.iter().map(|&wait| wait as f64).collect::<Vec<_>>());
    let agree = |ranks: &[f64]| correlation(&places, ranks).unwrap_or(0.0);
    let found = agree(&ranks);
    let beyond = (0..SHUFFLES)
        .filter(|_| {
            ranks.shuffle(&mut rng);
            agree(&ranks).abs() >= found.abs()
        })
        .count();
    let mut sorted = waits;
    sorted.sort_unstable();
    let median_us = sorted.get(sorted.len() / 2).copied().unwrap_or(0) / 1000;
    Ok(Latency { submissions, correlation: found, p: (beyond + 1) as f64 / (SHUFFLES + 1) as f64, median_us })
}
