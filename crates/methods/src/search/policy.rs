//! What to try next: a pure function of history and random numbers, so that it can be replayed against a table of results.

use super::direction::Leaning;
use super::space::{self, GENES, Genome};
use super::surrogate::{self, Surrogate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// What is built on a row of the board differs from it in at most so many genes: the model is additive, and believed no further.
const REACH: usize = 3;
/// What is built on nothing has at most so many ideas.
const IDEAS: usize = 4;
/// Pull of the leaning against the board, in PGR per factor e. Fades as evidence grows.
const PULL: f64 = 0.05;
/// Spread of the draw from the posterior: with a dozen evaluations full Thompson sampling explores too long.
const BOLDNESS: f64 = 0.5;

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

/// The best `count` proposals of a Thompson draw, best first, out of `space`: valid, within reach, and neither evaluated nor advised
/// against.
pub fn propose(
    history: &History,
    leaning: &Leaning,
    space: impl IntoIterator<Item = Genome>,
    valid: &dyn Fn(&Genome) -> bool,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Proposal> {
    let graded: Vec<(Genome, f64)> =
        history.rows.iter().filter_map(|row| Some((row.genome.clone(), row.pgr?))).collect();
    let effects = Surrogate::fit(&graded).sample(BOLDNESS, rng);
    let known: BTreeSet<&Genome> = history.rows.iter().map(|row| &row.genome).chain(&history.avoid).collect();
    let pull = PULL / f64::from(1 + history.turn);
    let mut weighed = Vec::new();
    for genome in space.into_iter().filter(|genome| allowed(genome, leaning) && !known.contains(genome)) {
        let parent = nearest(history, &genome);
        if parent.is_none() && space::ideas(&genome).count() > IDEAS {
            continue;
        }
        let expected = surrogate::value(&effects, &genome);
        let liking: f64 = space::ideas(&genome).map(|family| leaning.weight(Some(family)).ln()).sum();
        weighed.push((expected + pull * liking, expected, genome, parent));
    }
    weighed.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    let best = weighed.into_iter().filter(|(.., genome, _)| valid(genome)).take(count);
    let proposal = |(_, expected, genome, parent): (f64, f64, Genome, Option<&Seen>)| Proposal {
        genome,
        parent: parent.and_then(|row| row.bundle.clone()),
        expected,
    };
    best.map(proposal).collect()
}

/// The row within reach that a composition differs least from, the best such row, if its bundle can be had.
fn nearest<'a>(history: &'a History, genome: &Genome) -> Option<&'a Seen> {
    let changes = |row: &Seen| row.genome.iter().zip(genome).filter(|(a, b)| a != b).count();
    let held = history.rows.iter().filter(|row| row.bundle.is_some() && row.pgr.is_some());
    let within = held.map(|row| (changes(row), row)).filter(|(changes, _)| *changes <= REACH);
    let pgr = |row: &Seen| row.pgr.unwrap_or(f64::NEG_INFINITY);
    within.min_by(|(a, one), (b, other)| a.cmp(b).then(pgr(other).total_cmp(&pgr(one)))).map(|(_, row)| row)
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
                let Some(next) = propose(&history, &Leaning::even(), space::all(), &|_| true, 1, &mut rng).pop() else {
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
        let proposals = propose(&history, &leaning, space::all(), &|_| true, 20, &mut rng);
        assert!(!proposals.is_empty());
        for proposal in proposals {
            assert!(space::ideas(&proposal.genome).all(|family| family != Family::Ensemble));
            assert!(history.rows.iter().all(|row| row.genome != proposal.genome));
        }
    }

    #[test]
    fn is_built_on_what_can_be_had() {
        let row = |genes: &[(usize, u8)], bundle: Option<&str>| {
            let mut genome = space::plain_genome();
            genes.iter().for_each(|&(gene, choice)| genome[gene] = choice);
            Seen { genome, bundle: bundle.map(str::to_owned), pgr: Some(0.3) }
        };
        let far = row(&[(0, 3), (1, 1), (2, 1), (3, 3), (7, 1), (8, 1)], None);
        let history = |bundle: Option<&str>| History {
            rows: vec![row(&[], Some("plain")), Seen { bundle: bundle.map(str::to_owned), ..far.clone() }],
            ..History::default()
        };
        let mut wanted = far.genome.clone();
        wanted[9] = 1;
        let proposed = |history: &History| {
            let mut rng = ChaCha8Rng::seed_from_u64(4);
            propose(history, &Leaning::even(), [wanted.clone()], &|_| true, 1, &mut rng).pop()
        };
        assert_eq!(proposed(&history(Some("far"))).and_then(|found| found.parent).as_deref(), Some("far"));
        assert_eq!(proposed(&history(None)), None, "seven ideas from nothing");
    }

    #[test]
    fn is_a_function_of_history_and_seed() {
        let draw = || {
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            propose(&history(2, 1), &Leaning::of("filter"), space::all(), &|_| true, 5, &mut rng)
        };
        assert_eq!(draw(), draw());
    }
}
