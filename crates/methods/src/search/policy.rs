//! What to try next: a pure function of history and random numbers, so that it can be replayed against a table of results.

use super::direction::Leaning;
use super::space::{self, GENES, Genome};
use super::surrogate::{self, Surrogate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Compositions that are weighed against each other before any is tried.
const CANDIDATES: usize = 300;
/// Temperature, in PGR, of choosing what to build on.
const TEMPERATURE: f64 = 0.08;
/// Pull of the leaning against the board, in PGR per factor e. Fades as evidence grows.
const PULL: f64 = 0.05;
/// Spread of the draw from the posterior: with a dozen evaluations full Thompson sampling explores too long.
const BOLDNESS: f64 = 0.5;
/// How often a candidate is a fresh composition instead of a change to a row of the board.
const FRESH: f64 = 0.15;

/// One row of the board as the policy sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was evaluated.
    pub genome: Genome,
    /// Its bundle; `None` where it can't be had to build on.
    pub bundle: Option<String>,
    /// The ledger's answer; `None` where it failed or is undefined.
    pub pgr: Option<f64>,
}

/// Everything a researcher may know when a turn begins.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// All evaluations of earlier turns, baselines included, by anybody.
    pub rows: Vec<Seen>,
    /// Genomes that somebody reported as not worth a try.
    pub avoid: BTreeSet<Genome>,
    /// The turn.
    pub turn: u32,
}

/// Something to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The composition.
    pub genome: Genome,
    /// The bundle it was built on.
    pub parent: Option<String>,
    /// What the model expects, in PGR, as drawn: an opinion, not a measurement.
    pub expected: f64,
}

/// The best `count` proposals of a Thompson draw, best first, none of which was evaluated or advised against.
pub fn propose(
    history: &History,
    leaning: &Leaning,
    valid: &dyn Fn(&Genome) -> bool,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Proposal> {
    let rows: Vec<(Genome, f64)> = history.rows.iter().filter_map(|row| Some((row.genome.clone(), row.pgr?))).collect();
    let effects = Surrogate::fit(&rows).sample(BOLDNESS, rng);
    let mut known: BTreeSet<Genome> = history.rows.iter().map(|row| row.genome.clone()).collect();
    known.extend(history.avoid.iter().cloned());
    let mut proposals: Vec<(f64, Proposal)> = Vec::new();
    for _ in 0..CANDIDATES {
        let (genome, parent) = match choose_parent(history, rng) {
            Some(parent) if rng.random::<f64>() > FRESH => {
                (mutate(&parent.genome, leaning, rng), parent.bundle.clone())
            }
            _ => (fresh(leaning, rng), None),
        };
        if !allowed(&genome, leaning) || !valid(&genome) || !known.insert(genome.clone()) {
            continue;
        }
        let expected = surrogate::value(&effects, &genome);
        let pull = PULL / f64::from(1 + history.turn);
        let liking: f64 = space::ideas(&genome).map(|family| leaning.weight(Some(family)).ln()).sum();
        proposals.push((expected + pull * liking, Proposal { genome, parent, expected }));
    }
    proposals.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    proposals.into_iter().take(count).map(|(_, proposal)| proposal).collect()
}

/// The control: uniform over the space, blind to the board.
pub fn random(without: &Leaning, valid: &dyn Fn(&Genome) -> bool, rng: &mut ChaCha8Rng) -> Proposal {
    loop {
        let genome: Genome = GENES.iter().map(|gene| rng.random_range(0..gene.choices.len()) as u8).collect();
        if allowed(&genome, without) && valid(&genome) {
            return Proposal { genome, parent: None, expected: 0.0 };
        }
    }
}

/// No choice of an excluded family.
pub fn allowed(genome: &Genome, leaning: &Leaning) -> bool {
    space::ideas(genome).all(|family| leaning.weight(Some(family)) > 0.0)
}

/// A row in proportion to exp(PGR / temperature), whoever made it, if its bundle can be had.
fn choose_parent<'a>(history: &'a History, rng: &mut ChaCha8Rng) -> Option<&'a Seen> {
    let held = history.rows.iter().filter(|row| row.bundle.is_some());
    let graded: Vec<(&Seen, f64)> = held.filter_map(|row| Some((row, row.pgr?))).collect();
    let best = graded.iter().map(|&(_, pgr)| pgr).max_by(f64::total_cmp)?;
    let weights: Vec<f64> = graded.iter().map(|&(_, pgr)| ((pgr - best) / TEMPERATURE).exp()).collect();
    let mut point = rng.random::<f64>() * weights.iter().sum::<f64>();
    for ((row, _), weight) in graded.iter().zip(&weights) {
        point -= weight;
        if point <= 0.0 {
            return Some(row);
        }
    }
    graded.last().map(|&(row, _)| row)
}

/// One to three genes drawn anew.
pub(super) fn mutate(parent: &Genome, leaning: &Leaning, rng: &mut ChaCha8Rng) -> Genome {
    let mut genome = parent.clone();
    for _ in 0..rng.random_range(1..=3) {
        let at = rng.random_range(0..GENES.len());
        genome[at] = draw(at, leaning, rng);
    }
    genome
}

/// Plain training with one to four genes drawn by leaning.
pub(super) fn fresh(leaning: &Leaning, rng: &mut ChaCha8Rng) -> Genome {
    let mut genome = space::plain_genome();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..GENES.len());
        genome[at] = draw(at, leaning, rng);
    }
    genome
}

fn draw(gene: usize, leaning: &Leaning, rng: &mut ChaCha8Rng) -> u8 {
    let weights: Vec<f64> = GENES[gene].choices.iter().map(|choice| leaning.weight(choice.family)).collect();
    let mut point = rng.random::<f64>() * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        point -= weight;
        if point <= 0.0 {
            return index as u8;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use aar_domain::family::Family;
    use rand::SeedableRng;

    /// Most compositions hurt, few help, one pair helps more together: the shape of the problem this is for.
    fn truth(genome: &Genome) -> f64 {
        let has = |gene: usize, choice: u8| f64::from(genome[gene] == choice);
        let harm =
            0.4 * has(0, 2) + 0.3 * has(0, 4) + 0.15 * has(2, 2) + 0.1 * has(3, 2) + 0.3 * has(4, 1) + 0.1 * has(5, 1);
        let harm = harm + 0.6 * has(4, 2);
        0.25 - harm + 0.1 * has(0, 1) + 0.15 * has(8, 1) + 0.2 * has(3, 3) + 0.1 * has(8, 1) * has(9, 2)
    }

    /// Graded as at three seeds.
    fn pgr(genome: &Genome, rng: &mut ChaCha8Rng) -> f64 {
        truth(genome) + (rng.random::<f64>() - 0.5) * 0.3
    }

    /// The true value of the row with the best grade.
    fn chosen(rows: &[Seen]) -> f64 {
        let best = rows.iter().max_by(|a, b| a.pgr.unwrap_or(-9.0).total_cmp(&b.pgr.unwrap_or(-9.0)));
        truth(&best.expect("rows").genome)
    }

    fn history(turns: u32, seed: u64) -> History {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut history = History::default();
        let plain = space::plain_genome();
        history.rows.push(Seen { pgr: Some(pgr(&plain, &mut rng)), genome: plain, bundle: Some("plain".into()) });
        for turn in 0..turns {
            history.turn = turn;
            for name in ["a", "b", "c"] {
                let Some(next) = propose(&history, &Leaning::even(), &|_| true, 1, &mut rng).pop() else {
                    continue;
                };
                let seen = Seen {
                    pgr: Some(pgr(&next.genome, &mut rng)),
                    genome: next.genome,
                    bundle: Some(format!("{name}{turn}")),
                };
                history.rows.push(seen);
            }
        }
        history
    }

    #[test]
    fn gets_better_than_blind_draws() {
        let mut gain = 0.0;
        for seed in 0..40 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
            let blind: Vec<Seen> = (0..15)
                .map(|_| random(&Leaning::even(), &|_| true, &mut rng).genome)
                .map(|genome| Seen { pgr: None, genome, bundle: None })
                .collect();
            let blind: Vec<Seen> =
                blind.into_iter().map(|row| Seen { pgr: Some(pgr(&row.genome, &mut rng)), ..row }).collect();
            gain += (chosen(&history(5, seed).rows) - chosen(&blind)) / 40.0;
        }
        assert!(gain > 0.08, "mean gain over blind draws {gain:.3}");
    }

    #[test]
    fn never_proposes_what_was_evaluated_or_excluded() {
        let mut history = history(3, 5);
        history.turn = 3;
        let leaning = Leaning::even().without(&[Family::Ensemble]);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let proposals = propose(&history, &leaning, &|_| true, 20, &mut rng);
        assert!(!proposals.is_empty());
        for proposal in proposals {
            assert!(space::ideas(&proposal.genome).all(|family| family != Family::Ensemble));
            assert!(history.rows.iter().all(|row| row.genome != proposal.genome));
        }
    }

    #[test]
    fn is_a_function_of_history_and_seed() {
        let draw = || {
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            propose(&history(2, 1), &Leaning::of("filter"), &|_| true, 5, &mut rng)
        };
        assert_eq!(draw(), draw());
    }
}
