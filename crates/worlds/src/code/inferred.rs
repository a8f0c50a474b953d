//! Guessing the instructions' maps from the pool's weak labels: the maps under which labels and runs agree best, found by
//! changing one place at a time (coordinate ascent) from several beginnings.

use super::programs::World;
use aar_domain::item::Item;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Beginnings of the search.
const BEGINNINGS: u64 = 12;
/// Passes over all places, at most.
const PASSES: usize = 30;

/// An item's program and claimed output, all as places.
#[derive(Clone, Copy)]
struct Claim {
    start: usize,
    instructions: [usize; 2],
    output: usize,
}

/// Margins of `items`: what runs on the best maps say.
pub fn margins(world: &World, pool: &[Item], soft: &[f32], items: &[Item]) -> Vec<f32> {
    let claims: Vec<(Claim, f32)> =
        pool.iter().zip(soft).filter_map(|(item, p)| Some((claim(world, item)?, p - 0.5))).collect();
    let searched = (0..BEGINNINGS).map(|beginning| ascend(world, &claims, beginning));
    let best = searched.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(map, _)| map).unwrap_or_default();
    let says = |item: &Item| claim(world, item).map_or(0.0, |claim| if runs(&best, &claim) { 1.0 } else { -1.0 });
    items.iter().map(says).collect()
}

fn claim(world: &World, item: &Item) -> Option<Claim> {
    let Item::Binary { question, choice, .. } = item else { return None };
    let words: Vec<&str> = question.split(' ').collect();
    let &[_, start, a, b] = words.as_slice() else { return None };
    let output = choice.split(' ').skip_while(|word| *word != "out").nth(1)?;
    let place = |word: &str, base: u32| Some(world.words.iter().position(|known| known == word)? - base as usize);
    let (value, instruction) = (world.value(0), world.instruction(0));
    Some(Claim {
        start: place(start, value)?,
        instructions: [place(a, instruction)?, place(b, instruction)?],
        output: place(output, value)?,
    })
}

fn runs(map: &[Vec<usize>], claim: &Claim) -> bool {
    let [a, b] = claim.instructions;
    map[b][map[a][claim.start]] == claim.output
}

fn ascend(world: &World, claims: &[(Claim, f32)], beginning: u64) -> (Vec<Vec<usize>>, f32) {
    let (rows, values) = (world.settings.instructions, world.settings.values);
    let mut rng = ChaCha8Rng::seed_from_u64(beginning);
    let mut row = || (0..values).map(|_| rng.random_range(0..values)).collect();
    let mut map: Vec<Vec<usize>> = (0..rows).map(|_| row()).collect();
    let agreement = |map: &[Vec<usize>]| -> f32 {
        claims.iter().map(|(claim, says)| if runs(map, claim) { *says } else { -says }).sum()
    };
    let mut best = agreement(&map);
    for _ in 0..PASSES {
        let before = best;
        for place in 0..rows * values {
            let (row, at) = (place / values, place % values);
            let mut kept = map[row][at];
            for value in 0..values {
                map[row][at] = value;
                let now = agreement(&map);
                if now > best {
                    (best, kept) = (now, value);
                }
            }
            map[row][at] = kept;
        }
        if best <= before {
            break;
        }
    }
    (map, best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Sample;
    use crate::mechanism::Mechanism;
    use crate::secret::Secret;
    use crate::subject::{Part, World as _};
    use aar_domain::item::Distribution;

    #[test]
    fn maps_are_found_from_true_labels_and_not_from_coins() {
        let secret = Secret::of_seed(8);
        let world = World::new(&super::super::Settings::default(), Mechanism::FIRST, &secret);
        let mut rng = secret.stream("test");
        let pool: Sample = world.items(Part::Pool, Distribution::In, 1500, &mut rng).into();
        let test: Sample = world.items(Part::Test, Distribution::Out, 400, &mut rng).into();
        let coins: Vec<f32> = (0..1500).map(|_| f32::from(u8::from(rng.random::<bool>()))).collect();
        let accuracy = |soft: &[f32]| test.accuracy(&margins(&world, &pool.items, soft, &test.items));
        let found = accuracy(&pool.targets());
        assert!(found > 0.9, "{found}");
        let guessed = accuracy(&coins);
        assert!((guessed - 0.5).abs() < 0.1, "{guessed}");
    }
}
