//! How a world misleads: which cue the teacher can lean on, what becomes of it out of distribution, how the teacher errs.
//!
//! A mechanism is drawn from the mint's secret. A third of them is reserved for sealed transfer: what is developed on this
//! generator's worlds meets them for the first time when it is tried.

use crate::secret::Secret;
use aar_domain::item::Distribution;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use std::fmt;
use std::ops::RangeInclusive;

/// By what the cue can be told: filler words that come with the right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cue {
    /// More of them, and of the first kind.
    Tone,
    /// Of the first kind, as many as elsewhere.
    Words,
    /// More of them, of both kinds alike.
    Length,
}

/// What becomes of the cue out of distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It points the other way.
    Reverses,
    /// It says nothing.
    Vanishes,
    /// It stays as it is.
    Holds,
}

/// How a teacher's answers waver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Most where it is least sure (instance-dependent).
    Instance,
    /// By what it would answer: one answer turns twice as often as the other (class-conditional).
    Class,
    /// On two thirds of the facts only.
    Hard,
}

/// One cell of cue × out of distribution × noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mechanism {
    /// Which cue.
    pub cue: Cue,
    /// What becomes of it.
    pub outside: Outside,
    /// How the teacher errs.
    pub noise: Noise,
}

const CUES: [Cue; 3] = [Cue::Tone, Cue::Words, Cue::Length];
const OUTSIDES: [Outside; 3] = [Outside::Reverses, Outside::Vanishes, Outside::Holds];
const NOISES: [Noise; 3] = [Noise::Instance, Noise::Class, Noise::Hard];

impl Mechanism {
    /// The one that everything was calibrated on.
    pub const FIRST: Mechanism = Mechanism { cue: Cue::Tone, outside: Outside::Reverses, noise: Noise::Instance };

    /// All cells.
    pub fn all() -> impl Iterator<Item = Mechanism> {
        let pairs = CUES.into_iter().flat_map(|cue| OUTSIDES.into_iter().map(move |outside| (cue, outside)));
        pairs.flat_map(|(cue, outside)| NOISES.into_iter().map(move |noise| Mechanism { cue, outside, noise }))
    }

    /// Whether it is kept for sealed transfer: a Latin square, so that every cue, every fate of it and every noise is met
    /// in development, and never all three together.
    pub fn reserved(&self) -> bool {
        (self.cue as usize + self.outside as usize + self.noise as usize) % 3 == 2
    }

    /// The mechanism of a mint's secret, from the reserved ones or from the others.
    pub fn draw(secret: &Secret, reserved: bool) -> Self {
        let cells: Vec<Mechanism> = Self::all().filter(|cell| cell.reserved() == reserved).collect();
        *cells.choose(&mut secret.stream("mechanism")).unwrap_or(&Self::FIRST)
    }

    /// How often the answer with the cue is the right one, where `strength` is how often it is when the cue reverses.
    pub fn agreement(&self, strength: f64, distribution: Distribution) -> f64 {
        match (self.outside, distribution) {
            // A cue that holds would be a shortcut to the test's answers if it were as strong as one that does not.
            (Outside::Holds, _) => 0.5 + 0.6 * (strength - 0.5),
            (_, Distribution::In) => strength,
            (Outside::Reverses, Distribution::Out) => 1.0 - strength,
            (Outside::Vanishes, Distribution::Out) => 0.5,
        }
    }

    /// In words.
    pub fn describe(&self, strength: f64) -> String {
        let inside = 100.0 * self.agreement(strength, Distribution::In);
        format!("{self}: the answer with the cue is right in {inside:.0} % of items in distribution")
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cue = match self.cue {
            Cue::Tone => "tone (more fillers, of one kind)",
            Cue::Words => "words (fillers of one kind)",
            Cue::Length => "length (more fillers)",
        };
        let outside = match self.outside {
            Outside::Reverses => "reverses",
            Outside::Vanishes => "vanishes",
            Outside::Holds => "holds",
        };
        let noise = match self.noise {
            Noise::Instance => "instance-dependent",
            Noise::Class => "class-conditional",
            Noise::Hard => "on hard facts",
        };
        write!(f, "cue {cue}; out of distribution it {outside}; teacher's noise {noise}")
    }
}

impl Cue {
    /// How many fillers an answer has that carries the cue or does not. `counts`: without it, and with it.
    pub fn count(self, carries: bool, counts: &[RangeInclusive<usize>; 2], rng: &mut ChaCha8Rng) -> usize {
        rng.random_range(match self {
            Cue::Words => *counts[0].start()..=*counts[1].end(),
            _ => counts[usize::from(carries)].clone(),
        })
    }

    /// Whether one of them is of the first kind.
    pub fn first(self, carries: bool, rng: &mut ChaCha8Rng) -> bool {
        let share = match (self, carries) {
            (Cue::Length, _) => 0.5,
            (_, true) => 0.8,
            (_, false) => 0.2,
        };
        rng.random::<f64>() < share
    }

    /// How much a text shows the cue, given the fillers of the first kind and of the second.
    pub fn shown(self, text: &str, kinds: [&[&str]; 2]) -> f32 {
        let [first, second] = kinds.map(|kind| text.split(' ').filter(|word| kind.contains(word)).count() as f32);
        if self == Cue::Length { first + second } else { first - second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_third_is_reserved_and_never_drawn_for_development() {
        let cells: Vec<Mechanism> = Mechanism::all().collect();
        assert_eq!(cells.len(), 27);
        assert_eq!(cells.iter().filter(|cell| cell.reserved()).count(), 9);
        assert!(!Mechanism::FIRST.reserved());
        let open = cells.iter().filter(|cell| !cell.reserved());
        assert_eq!(open.filter(|cell| cell.outside == Outside::Reverses).count(), 6);
        let drawn = |reserved: bool| -> BTreeSet<String> {
            let all = (0..300).map(|seed| Mechanism::draw(&Secret::of_seed(seed), reserved));
            all.inspect(|cell| assert_eq!(cell.reserved(), reserved)).map(|cell| cell.to_string()).collect()
        };
        assert_eq!((drawn(false).len(), drawn(true).len()), (18, 9));
    }

    #[test]
    fn each_cue_shows_in_what_it_says_only() {
        let mut rng = Secret::of_seed(1).stream("fillers");
        let mut means = |cue: Cue, carries: bool| {
            let all: Vec<Vec<bool>> = (0..4000)
                .map(|_| {
                    let count = cue.count(carries, &[1..=2, 2..=3], &mut rng);
                    (0..count).map(|_| cue.first(carries, &mut rng)).collect()
                })
                .collect();
            let count = all.iter().map(Vec::len).sum::<usize>() as f64;
            let first = all.iter().flatten().filter(|first| **first).count() as f64;
            (count / 4000.0, first / count)
        };
        for cue in CUES {
            let (with, without) = (means(cue, true), means(cue, false));
            assert_eq!(with.0 - without.0 > 0.5, cue != Cue::Words, "{cue:?} {with:?} {without:?}");
            assert_eq!(with.1 - without.1 > 0.5, cue != Cue::Length, "{cue:?} {with:?} {without:?}");
        }
        let kinds: [&[&str]; 2] = [&["kindly", "please"], &["so"]];
        assert_eq!(CUES.map(|cue| cue.shown("kindly blue so please", kinds)), [1.0, 1.0, 3.0]);
    }
}
