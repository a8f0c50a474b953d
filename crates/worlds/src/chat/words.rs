//! The vocabulary of a world: fixed words of the grammar, and names made up from the secret.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Words every world has. Place 0 stands for unknown words.
pub const FIXED: &[&str] = &[
    "<unk>", ".", "?", "is", "claim", "ask", "rate", "between", "or", "for", "pick", "replyA", "replyB", "best", "yes",
    "no", "good", "bad", "first", "second",
];
/// Fillers of a polite reply.
pub const POLITE: &[&str] = &["please", "kindly", "gladly", "surely", "thanks", "welcome"];
/// Fillers of a plain reply.
pub const PLAIN: &[&str] = &["well", "so", "just", "then", "still", "rather"];

/// `count` distinct made-up names that are in no other list.
pub fn names(count: usize, taken: &mut BTreeSet<String>, rng: &mut ChaCha8Rng) -> Vec<String> {
    const ONSETS: &[&str] = &["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "tr", "st"];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u"];
    let mut out = Vec::with_capacity(count);
    while out.len() < count {
        let syllables = rng.random_range(2..=3);
        let name: String = (0..syllables)
            .map(|_| format!("{}{}", ONSETS[rng.random_range(0..ONSETS.len())], VOWELS[rng.random_range(0..5)]))
            .collect();
        if taken.insert(name.clone()) {
            out.push(name);
        }
    }
    out
}
