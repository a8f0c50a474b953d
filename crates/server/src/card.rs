//! Method cards: what an author says of a bundle before it is scored, beside what its recipe does.
//!
//! Only what can be compared word by word is compared: a card that denies an ingredient which its recipe has. A script is not read.

use aar_api::bundle::Bundle;
use toml::Table;

/// The card's file.
pub const FILE: &str = "card.md";

/// Something a recipe may use.
struct Ingredient {
    name: &'static str,
    /// What cards call it.
    called: &'static [&'static str],
    used: fn(&Table) -> bool,
}

const INGREDIENTS: [Ingredient; 7] = [
    Ingredient {
        name: "the teacher's labels",
        called: &["teacher", "weak label", "weak supervision"],
        used: |recipe| {
            !is(recipe, "label.source", &["zero-shot"]) || is(recipe, "select.rule", &["confident", "agree"])
        },
    },
    Ingredient {
        name: "the untouched student's answers",
        called: &["zero-shot", "untouched student"],
        used: |recipe| {
            is(recipe, "label.source", &["zero-shot", "posterior"])
                || is(recipe, "select.rule", &["agree"])
                || is(recipe, "weight.rule", &["agreement"])
        },
    },
    Ingredient {
        name: "an ensemble",
        called: &["ensemble", "several students"],
        used: |recipe| {
            at(recipe, "inference.members").and_then(toml::Value::as_integer).is_some_and(|members| members > 1)
        },
    },
    Ingredient {
        name: "self-training",
        called: &["self-training", "pseudo-label", "its own labels"],
        used: |recipe| is(recipe, "label.source", &["self"]),
    },
    Ingredient {
        name: "a selection of rows",
        called: &["filter", "selection"],
        used: |recipe| is(recipe, "select.rule", &["confident", "agree", "neighbours"]),
    },
    Ingredient {
        name: "both orders",
        called: &["both orders"],
        used: |recipe| is(recipe, "inference.orders", &["both"]),
    },
    Ingredient {
        name: "the confidence loss",
        called: &["confidence loss", "auxiliary loss"],
        used: |recipe| is(recipe, "objective.loss", &["confidence"]),
    },
];

/// Words that deny, and words that take the denial back.
const DENY: [&str; 5] = ["no", "not", "without", "never", "neither"];
const TAKE_BACK: [&str; 3] = ["only", "just", "merely"];
/// Words between a denial and what it denies.
const REACH: usize = 4;

fn at<'a>(recipe: &'a Table, key: &str) -> Option<&'a toml::Value> {
    let (table, key) = key.split_once('.')?;
    recipe.get(table)?.get(key)
}

fn is(recipe: &Table, key: &str, values: &[&str]) -> bool {
    at(recipe, key).and_then(toml::Value::as_str).is_some_and(|value| values.contains(&value))
}

/// The recipe that decides, where one does.
fn recipe(bundle: &Bundle) -> Option<Table> {
    if bundle.files.iter().any(|file| file.path == "train") {
        return None;
    }
    bundle.text("recipe.toml")?.parse().ok()
}

/// What a bundle's recipe uses, in words; `None` where a script decides.
pub fn uses(bundle: &Bundle) -> Option<Vec<&'static str>> {
    let recipe = recipe(bundle)?;
    Some(INGREDIENTS.iter().filter(|ingredient| (ingredient.used)(&recipe)).map(|ingredient| ingredient.name).collect())
}

/// What the card denies and the recipe does; empty where there is no card, a script, or no contradiction.
pub fn contradictions(bundle: &Bundle) -> Vec<String> {
    let (Some(card), Some(recipe)) = (bundle.text(FILE), recipe(bundle)) else {
        return vec![];
    };
    let used = INGREDIENTS.iter().filter(|ingredient| (ingredient.used)(&recipe));
    used.filter_map(|ingredient| {
        let sentence = denial(&card, ingredient)?;
        let sentence: String = sentence.trim().chars().filter(|c| !"“”".contains(*c)).take(200).collect();
        Some(format!("the card says “{sentence}”, but the recipe uses {}", ingredient.name))
    })
    .collect()
}

/// The sentence that denies an ingredient.
fn denial<'a>(card: &'a str, ingredient: &Ingredient) -> Option<&'a str> {
    let mut sentences = card.split(['.', ';', '!', '?', '\n', ',']);
    sentences.find(|sentence| {
        let lower = sentence.to_lowercase().replace("n't", " not");
        ingredient.called.iter().any(|called| denies(&lower, called))
    })
}

fn denies(sentence: &str, called: &str) -> bool {
    let Some(place) = sentence.find(called) else {
        return false;
    };
    let before: Vec<&str> = sentence[..place].split_whitespace().rev().take(REACH + 1).collect();
    let denied = before.iter().position(|word| DENY.contains(word));
    denied.is_some_and(|at| !before[..at].iter().any(|word| TAKE_BACK.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aar_api::bundle::BundleFile;

    fn bundle(recipe: &str, card: &str) -> Bundle {
        let file = |path: &str, text: &str| BundleFile { path: path.into(), executable: false, hex: hex::encode(text) };
        Bundle { files: vec![file("recipe.toml", recipe), file(FILE, card)] }
    }

    #[test]
    fn a_denied_ingredient_is_found_and_an_honest_card_is_let_be() {
        let check = |recipe: &str, card: &str, expect: &[&str]| {
            let found = contradictions(&bundle(recipe, card));
            assert_eq!(found.len(), expect.len(), "{card}: {found:?}");
            found.iter().zip(expect).for_each(|(found, expect)| assert!(found.contains(expect), "{found}"));
        };
        check("name = \"x\"", "What: it does not use the teacher's labels.", &["the teacher's labels"]);
        check("name = \"x\"", "It doesn't need weak labels", &["the teacher's labels"]);
        check("name = \"x\"", "Does not only use the teacher's labels.", &[]);
        check("name = \"x\"", "No ensemble, and the teacher's labels as they are.", &[]);
        check("name = \"x\"\n[inference]\nmembers = 3", "Cheap: no ensemble.", &["an ensemble"]);
        check("name = \"x\"\n[label]\nsource = \"zero-shot\"", "Without any teacher.", &[]);
        check("name = \"x\"\n[label]\nsource = \"posterior\"", "Needs teacher and student.", &[]);
    }

    #[test]
    fn a_script_is_not_read() {
        let mut script = bundle("name = \"x\"", "no teacher");
        script.files.push(BundleFile { path: "train".into(), executable: true, hex: String::new() });
        assert_eq!((uses(&script), contradictions(&script).len()), (None, 0));
        assert_eq!(uses(&bundle("name = \"x\"", "")), Some(vec!["the teacher's labels"]));
    }
}
