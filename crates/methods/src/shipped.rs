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
