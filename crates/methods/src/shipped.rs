//! The recipes that ship, by file.

use crate::error::MethodError;
use crate::recipe::Recipe;
use std::path::Path;

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// (name of the file, its text), plain training first.
        pub const RECIPES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../recipes/", $name, ".toml")))),*
        ];
    };
}

recipes![
    "plain",
    "plain-soft",
    "confident",
    "confidence-loss",
    "zero-shot",
    "probe",
    "agreement",
    "posterior",
    "both-orders",
    "seed-ensemble",
    "residual",
    "self-training",
    "label-smoothing",
    "mean-difference",
    "neighbours",
    "self-training-rounds",
    "ccs",
    "co-teaching",
    "curriculum",
    "description-length",
    "generalised-xent",
    "symmetric-xent",
    "mixup",
    "entropy-loss",
    "product-loss",
    "reverse-kl",
    "born-again",
    "bootstrap",
    "confident-learning",
    "overlap",
    "channel",
    "epiplexity",
    "trimmed-mean",
    "coherence",
    "few-shot",
    "few-shot-random",
    "best-prompt",
    "random-labels",
    "evolution",
    "critic",
];

/// What the table of a mint compares, so that a world costs the same to make however many recipes ship.
pub const LEAGUE: &[&str] = &[
    "plain",
    "plain-soft",
    "confident",
    "confidence-loss",
    "zero-shot",
    "probe",
    "mean-difference",
    "agreement",
    "posterior",
    "both-orders",
    "seed-ensemble",
    "residual",
    "self-training",
];

/// A shipped recipe's text.
pub fn text(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// A shipped recipe.
pub fn get(name: &str) -> Option<Result<Recipe, MethodError>> {
    text(name).map(|text| Recipe::parse(text, Path::new(&format!("{name}.toml"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut listed: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
        files.sort();
        listed.sort_unstable();
        assert_eq!(files, listed);
        assert!(LEAGUE.iter().all(|name| listed.contains(name)) && LEAGUE[0] == "plain");
    }

    #[test]
    fn all_parse_and_none_is_another() {
        let recipes: Vec<Recipe> = RECIPES.iter().map(|(name, _)| get(name).unwrap().unwrap()).collect();
        for (i, a) in recipes.iter().enumerate() {
            for b in &recipes[..i] {
                let same = Recipe { name: b.name.clone(), family: b.family, ..a.clone() } == *b;
                assert!(!same, "{} is {}", a.name, b.name);
            }
        }
    }
}
