//! A world: who is what, which part of it a model may read, and which part feeds which set.

use super::settings::Settings;
use super::words::{FIXED, PLAIN, POLITE, names};
use crate::mechanism::Mechanism;
use crate::secret::Secret;
use crate::subject::Part;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// A fact: entity and attribute, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fact {
    /// Which entity.
    pub entity: usize,
    /// Which attribute.
    pub attribute: usize,
}

/// A world of facts with its words.
pub struct World {
    /// What it is set to.
    pub settings: Settings,
    /// How it misleads.
    pub mechanism: Mechanism,
    /// All words; a word's id is its place.
    pub words: Vec<String>,
    /// Value of every fact, `[entities][attributes]`, as a place in its attribute's values.
    values: Vec<Vec<usize>>,
    entity_base: u32,
    attribute_base: u32,
    value_base: u32,
    split: [Vec<Fact>; 3],
}

impl World {
    /// Make a world from its secret.
    pub fn new(settings: &Settings, mechanism: Mechanism, secret: &Secret) -> Self {
        let mut rng = secret.stream("chat facts");
        let mut taken = BTreeSet::new();
        let mut words: Vec<String> = [FIXED, POLITE, PLAIN].concat().iter().map(|word| (*word).to_owned()).collect();
        taken.extend(words.iter().cloned());
        let entity_base = words.len() as u32;
        words.extend(names(settings.entities, &mut taken, &mut rng));
        let attribute_base = words.len() as u32;
        words.extend(names(settings.attributes, &mut taken, &mut rng));
        let value_base = words.len() as u32;
        words.extend(names(settings.attributes * settings.values, &mut taken, &mut rng));
        let mut value = || (0..settings.attributes).map(|_| rng.random_range(0..settings.values)).collect();
        let values: Vec<Vec<usize>> = (0..settings.entities).map(|_| value()).collect();
        let mut facts: Vec<Fact> = (0..settings.entities)
            .flat_map(|entity| (0..settings.attributes).map(move |attribute| Fact { entity, attribute }))
            .collect();
        facts.shuffle(&mut rng);
        let cut = |share: f64| (share * facts.len() as f64).round() as usize;
        let (a, b) = (cut(settings.fact_split[0]), cut(settings.fact_split[0] + settings.fact_split[1]));
        let split = [facts[..a].to_vec(), facts[a..b].to_vec(), facts[b..].to_vec()];
        Self { settings: settings.clone(), mechanism, words, values, entity_base, attribute_base, value_base, split }
    }

    /// The facts that feed a set.
    pub fn facts(&self, part: Part) -> &[Fact] {
        &self.split[part as usize]
    }

    /// A share of every set's facts, drawn alike in each, that a model gets to read.
    pub fn known(&self, share: f64, rng: &mut ChaCha8Rng) -> Vec<Fact> {
        let mut out = Vec::new();
        for facts in &self.split {
            let mut facts = facts.clone();
            facts.shuffle(rng);
            let count = (share * facts.len() as f64).round() as usize;
            out.extend(&facts[..count]);
        }
        out.sort();
        out
    }

    /// Id of a fixed word.
    pub fn word(&self, word: &str) -> u32 {
        self.words.iter().position(|known| known == word).unwrap_or(0) as u32
    }

    /// Ids of the fillers of replies.
    pub fn filler_ids(&self) -> Vec<u32> {
        [POLITE, PLAIN].concat().iter().map(|word| self.word(word)).collect()
    }

    /// Id of a fact's entity.
    pub fn entity(&self, fact: Fact) -> u32 {
        self.entity_base + fact.entity as u32
    }

    /// Id of a fact's attribute.
    pub fn attribute(&self, fact: Fact) -> u32 {
        self.attribute_base + fact.attribute as u32
    }

    /// Id of the right value.
    pub fn right(&self, fact: Fact) -> u32 {
        self.value(fact.attribute, self.values[fact.entity][fact.attribute])
    }

    /// Id of a wrong value of the same attribute.
    pub fn wrong(&self, fact: Fact, rng: &mut ChaCha8Rng) -> u32 {
        let right = self.values[fact.entity][fact.attribute];
        let other = rng.random_range(0..self.settings.values - 1);
        self.value(fact.attribute, if other >= right { other + 1 } else { other })
    }

    fn value(&self, attribute: usize, place: usize) -> u32 {
        self.value_base + (attribute * self.settings.values + place) as u32
    }

    /// The text of token ids.
    pub fn text(&self, ids: &[u32]) -> String {
        ids.iter().map(|&id| self.words[id as usize].as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_share_no_fact_and_words_are_distinct() {
        let world = World::new(&Settings::default(), Mechanism::FIRST, &Secret::of_seed(3));
        let all: BTreeSet<Fact> = world.split.iter().flatten().copied().collect();
        assert_eq!(all.len(), 200);
        assert_eq!(world.split.iter().map(Vec::len).sum::<usize>(), 200);
        assert_eq!(world.words.iter().collect::<BTreeSet<_>>().len(), world.words.len());
        let mut rng = Secret::of_seed(3).stream("test");
        let fact = world.facts(Part::Test)[0];
        assert!((0..100).all(|_| world.wrong(fact, &mut rng) != world.right(fact)));
    }
}
