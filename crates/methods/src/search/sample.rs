//! Compositions for a table of results: near enough to each other that a search finds neighbours, and wide enough that blind
//! draws mean something.

use super::space::{GENES, Genome, plain_genome};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws that are refused in a row before the space counts as used up.
const PATIENCE: usize = 20_000;

/// At most `count` compositions that `accept` takes, the same for the same seed, fewer where there are no more: first every single change of
/// plain training, then by turns a few changes of it at once, a change to an earlier one, and a blind draw as the control's.
pub fn sample(count: usize, seed: u64, accept: &mut dyn FnMut(&Genome) -> bool) -> Vec<Genome> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut taken: Vec<Genome> = Vec::new();
    for genome in single() {
        if taken.len() < count && accept(&genome) {
            taken.push(genome);
        }
    }
    let (mut refused, mut way) = (0, 0);
    while taken.len() < count && refused < PATIENCE {
        let genome = match way % 3 {
            0 => fresh(&mut rng),
            1 if !taken.is_empty() => mutate(&taken[rng.random_range(0..taken.len())], &mut rng),
            _ => GENES.iter().map(|gene| rng.random_range(0..gene.choices.len()) as u8).collect(),
        };
        if accept(&genome) {
            taken.push(genome);
            (refused, way) = (0, way + 1);
        } else {
            refused += 1;
            // A way that leads nowhere new must not hold up the others.
            way += usize::from(refused % 100 == 0);
        }
    }
    taken
}

/// Plain training with one choice changed.
fn single() -> impl Iterator<Item = Genome> {
    (0..GENES.len()).flat_map(|gene| {
        (1..GENES[gene].choices.len()).map(move |choice| {
            let mut genome = plain_genome();
            genome[gene] = choice as u8;
            genome
        })
    })
}

/// One to three genes drawn anew.
fn mutate(parent: &Genome, rng: &mut ChaCha8Rng) -> Genome {
    let mut genome = parent.clone();
    for _ in 0..rng.random_range(1..=3) {
        let at = rng.random_range(0..GENES.len());
        genome[at] = draw(at, rng);
    }
    genome
}

/// Plain training with one to four genes drawn anew.
fn fresh(rng: &mut ChaCha8Rng) -> Genome {
    let mut genome = plain_genome();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..GENES.len());
        genome[at] = draw(at, rng);
    }
    genome
}

/// A gene's choice, uniformly. The table that ships was drawn this way, so the arithmetic stays.
fn draw(gene: usize, rng: &mut ChaCha8Rng) -> u8 {
    let point = rng.random::<f64>() * GENES[gene].choices.len() as f64;
    (point.ceil() as u8).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn distinct(count: usize, seed: u64, small: bool) -> Vec<Genome> {
        let mut seen = BTreeSet::new();
        sample(count, seed, &mut |genome| {
            (!small || genome[1..].iter().all(|&gene| gene == 0)) && seen.insert(genome.clone())
        })
    }

    #[test]
    fn a_longer_sample_begins_with_the_shorter_one() {
        let (short, long) = (distinct(60, 1, false), distinct(150, 1, false));
        assert_eq!((short.len(), long.len()), (60, 150));
        assert_eq!(short[..], long[..60]);
        assert_ne!(distinct(60, 2, false), short);
        let changes = |genome: &Genome| genome.iter().filter(|&&choice| choice > 0).count();
        assert!(long.iter().any(|genome| changes(genome) == 1) && long.iter().any(|genome| changes(genome) > 5));
    }

    #[test]
    fn ends_where_the_space_does() {
        // Sources of labels, and nothing else: plain's own comes by a blind or opening draw.
        assert_eq!(distinct(50, 1, true).len(), GENES[0].choices.len());
    }
}
