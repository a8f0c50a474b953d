//! Text that reads like a forum from far away: common words common, rare ones rare.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

const WORDS: &[&str] = &[
    "the",
    "teacher",
    "student",
    "labels",
    "of",
    "and",
    "soft",
    "is",
    "confidence",
    "when",
    "weak",
    "ensemble",
    "a",
    "margin",
    "noise",
    "seed",
    "agreement",
    "filter",
    "loss",
    "temperature",
    "posterior",
    "threshold",
    "pool",
    "both",
    "orders",
    "length",
    "bias",
    "calibrated",
    "reweighting",
    "epochs",
    "overfits",
    "holds",
    "only",
    "with",
    "without",
    "probe",
    "layers",
    "contrast",
    "vector",
    "elicited",
    "curriculum",
    "distillation",
    "self-training",
    "rounds",
    "plain",
    "beats",
    "ties",
    "interval",
    "wide",
    "narrow",
    "wrong",
    "right",
    "cluster",
    "tone",
    "hard",
    "easy",
    "items",
    "subset",
    "schedule",
    "warmup",
    "adapter",
    "head",
    "median",
    "trimmed",
    "bootstrap",
    "variance",
    "quarantine",
    "zeitgeist",
    "palimpsest",
    "obsidian",
    "kaleidoscope",
];

/// A word; the first of the list are the most frequent.
pub fn word(rng: &mut ChaCha8Rng) -> &'static str {
    let share: f64 = rng.random();
    WORDS[((share * share * WORDS.len() as f64) as usize).min(WORDS.len() - 1)]
}

/// A method's name.
pub fn method(rng: &mut ChaCha8Rng) -> String {
    const STEPS: &[&str] = &["EM posterior", "agreement filter", "swap ensemble", "layer probe", "tempered labels"];
    let mut step = || *STEPS.choose(rng).unwrap();
    format!("{} + {}", step(), step())
}

/// One.
pub fn sentence(rng: &mut ChaCha8Rng) -> String {
    let count = rng.random_range(5..12);
    (0..count).map(|_| word(rng)).collect::<Vec<_>>().join(" ")
}

/// Markdown, some of it with a table or code.
pub fn body(rng: &mut ChaCha8Rng) -> String {
    let paragraphs = rng.random_range(1..5);
    let mut text: String = (0..paragraphs).map(|_| format!("{}. {}.\n\n", sentence(rng), sentence(rng))).collect();
    match rng.random_range(0..8) {
        0 => text.push_str("| variant | PGR |\n|---|---|\n| tempered | 0.41 |\n| plain | 0.33 |\n"),
        1 => text.push_str("```\nobjective.loss = \"bce\"\n```\n"),
        _ => {}
    }
    text
}
