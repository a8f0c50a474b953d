//! Recipes, items, labels, problems and heads that strangers wrote: whatever lies in them, reading gives what they say or an error that names the place,
//! never a panic.

#[path = "../../lm/tests/damage/mod.rs"]
mod damage;

use aar_domain::ids::ItemId;
use aar_domain::item::{Item, SoftLabel};
use aar_methods::pool::{Pool, read_jsonl};
use aar_methods::readout::Readout;
use aar_methods::student::head::Head;
use aar_methods::train::read_problem;
use aar_methods::{Recipe, shipped};
use damage::{Damage, damage};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const POOL: &str = "{\"id\":\"a1\",\"prompt\":\"p\",\"first\":\"x\",\"second\":\"y\"}\n{\"id\":\"a2\",\"question\":\"q\",\"choice\":\"c\"}\n";
const WEAK: &str = "{\"id\":\"a1\",\"p\":0.25}\n{\"id\":\"a2\",\"p\":0.75}\n";
const GIVEN: &str = "{\"id\":\"a2\",\"p\":0.5,\"weight\":2}\n";
const PROBLEM: &str = r#"{"title":"t","task":"preference","prompt":{"body":"w1 {prompt} w2 {first} w3 {second}","suffix":"w4","labels":["w5","w6"]},
"zero_shot":[],"max_tokens":24,"student":"decoder","training":{"learning_rate":0.01,"batch":8,"epochs":2.0,"weight_decay":0.001,"layers":[1,2]}}"#;

fn write(dir: &Path, name: &str, text: &str, damage: Option<&Damage>) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, damage.map_or(text.as_bytes().to_vec(), |damage| damage.apply(text.as_bytes()))).unwrap();
    path
}

/// An error is one a person can use: it says where.
fn says(error: &impl std::error::Error, place: &str) -> bool {
    error.to_string().contains(place)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn recipes(damage in damage(), which: prop::sample::Index) {
        let (_, text) = which.get(shipped::RECIPES);
        let Ok(text) = String::from_utf8(damage.apply(text.as_bytes())) else { return Ok(()) };
        let problem = serde_json::from_str(PROBLEM).unwrap();
        match Recipe::parse(&text, Path::new("recipe.toml")) {
            Ok(recipe) => {
                prop_assert!((1..=aar_methods::recipe::MAX_COST).contains(&recipe.cost()), "{}", recipe.cost());
                let _ = recipe.applicable(&problem);
            }
            Err(error) => prop_assert!(says(&error, "recipe.toml"), "{error}"),
        }
    }

    #[test]
    fn items_and_labels(damage in damage(), which in 0..3) {
        let dir = tempfile::tempdir().unwrap();
        let own = |at: i32| (which == at).then_some(&damage);
        let pool = write(dir.path(), "pool.jsonl", POOL, own(0));
        let weak = write(dir.path(), "weak.jsonl", WEAK, own(1));
        let given = write(dir.path(), "given.jsonl", GIVEN, own(2));
        match Pool::load(&pool, &weak) {
            Ok(pool) => {
                prop_assert_eq!(pool.items.len(), pool.weak.len());
                prop_assert!(pool.weak.iter().all(|p| (0.0..=1.0).contains(p)));
                match pool.relabel(&given) {
                    Ok(kept) => prop_assert!(!kept.items.is_empty() && kept.items.len() == kept.weak.len()),
                    Err(error) => prop_assert!(says(&error, "given.jsonl"), "{error}"),
                }
            }
            Err(error) => prop_assert!(says(&error, ".jsonl"), "{error}"),
        }
    }

    #[test]
    fn problems(damage in damage(), first in ".{0,20}") {
        let dir = tempfile::tempdir().unwrap();
        match read_problem(&write(dir.path(), "problem.json", PROBLEM, Some(&damage))) {
            Ok(problem) => {
                let item = Item::Preference { id: ItemId::from("i"), prompt: "{second}".into(), first, second: "{first".into() };
                let _ = problem.prompt.render_body(&item);
            }
            Err(error) => prop_assert!(says(&error, "problem.json"), "{error}"),
        }
    }

    #[test]
    fn heads(damage in damage(), weights: bool) {
        let dir = tempfile::tempdir().unwrap();
        Head { readout: Readout { weight: vec![0.5; 6], bias: 1.0 } }.save(dir.path()).unwrap();
        let path = dir.path().join(if weights { "head.safetensors" } else { "head.json" });
        let bytes = damage.apply(&std::fs::read(&path).unwrap());
        std::fs::write(&path, bytes).unwrap();
        if let Ok(head) = Head::load(dir.path(), 6) {
            prop_assert!(head.readout.weight.len() == 6 && head.readout.weight.iter().all(|weight| weight.is_finite()));
        }
    }

    #[test]
    fn rows_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        if let Err(error) = read_jsonl::<SoftLabel>(&path) {
            prop_assert!(says(&error, "rows.jsonl"), "{error}");
        }
    }
}
