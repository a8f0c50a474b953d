//! Recipes compared over a small testbed: what is there already is not run again, and the table says what the truth says.

mod small;

use aar_domain::rung::Split;
use aar_grader::Vault;
use aar_worlds::bench::results::{Key, Outcome, Ran, Results};
use aar_worlds::bench::table::{Cell, compose};
use aar_worlds::bench::{BenchError, BenchEvent, Contender, Control, Entrant, Plan, markdown, run};
use small::small;
use std::path::Path;
use std::sync::Mutex;

fn plan(testbed: Entrant, recipes: &[&str], seeds: usize) -> Plan {
    let recipes = recipes.iter().map(|name| Contender::shipped(name).unwrap()).collect();
    Plan { testbeds: vec![testbed], recipes, controls: vec![], seeds, splits: vec![Split::Feedback], trials: false }
}

/// Runs made now.
fn made(plan: &Plan, file: &Path) -> (Results, usize) {
    let ended = Mutex::new(0);
    let results = run(plan, Results::open(file).unwrap(), 2, &|event| {
        if matches!(event, BenchEvent::Ended(_)) {
            *ended.lock().unwrap() += 1;
        }
    });
    let ended = *ended.lock().unwrap();
    (results.unwrap(), ended)
}

#[test]
fn goes_on_where_it_stopped_and_scores_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let (testbed, file) = (small(dir.path()), dir.path().join("results.jsonl"));
    let fewer = plan(testbed.clone(), &["plain", "mean-difference"], 1);
    assert_eq!(made(&fewer, &file).1, 2);
    let whole = plan(testbed.clone(), &["plain", "mean-difference"], 2);
    let (results, ended) = made(&whole, &file);
    assert_eq!(ended, 2, "two runs were there");

    let table = compose(&whole, &results).unwrap();
    let part = &table.subjects[0];
    let (rows, column) = (&part.rows, &part.testbeds[0]);
    assert_eq!((part.subject.as_str(), rows.len(), column.items), ("chat", 2, 1200));
    let plain = rows.iter().find(|row| row.recipe == "plain").unwrap();
    assert_eq!(plain.operations, Some(1.0));
    let vault = Vault::open(&testbed.path).unwrap();
    let answers = [0, 1].map(|seed| {
        let key = Key {
            testbed: testbed.digest.clone(),
            recipe: Contender::shipped("plain").unwrap().digest,
            seed,
            split: Split::Feedback,
        };
        match &results.get(&key).unwrap().outcome {
            Outcome::Answers(signs) => aar_worlds::bench::results::margins(signs),
            Outcome::Failed(why) => panic!("{why}"),
        }
    });
    let outcomes = vault.outcomes(Split::Feedback, &[0, 1], &answers).unwrap();
    let Cell::Scored { accuracy, seeds, pgr } = &plain.cells[0] else { panic!("{:?}", plain.cells) };
    assert_eq!((*accuracy, *seeds), (outcomes.accuracy(), 2));
    assert!((pgr.unwrap().value - (accuracy - column.weak) / (column.ceiling - column.weak)).abs() < 1e-9);
    let text = markdown::render(&table, "aar bench methods");
    assert!(text.contains("difference-in-means probe") && text.contains("demonstration: truth is public"), "{text}");
}

#[test]
fn controls_are_scored_beside_recipes_and_cost_what_they_try() {
    let dir = tempfile::tempdir().unwrap();
    let (testbed, file) = (small(dir.path()), dir.path().join("results.jsonl"));
    let plan = Plan { controls: Control::ALL.to_vec(), ..plan(testbed, &["plain"], 1) };
    let (results, ended) = made(&plan, &file);
    assert_eq!(ended, 8);
    let runs: Vec<Ran> =
        std::fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| {
        let ran = runs.iter().find(|ran| ran.recipe_file == name).unwrap();
        let Outcome::Answers(signs) = &ran.outcome else { panic!("{ran:?}") };
        (signs.clone(), ran.operations)
    };
    let (majority, _) = of("majority");
    assert!(majority.chars().all(|sign| majority.starts_with(sign)));
    let (followed, inverted) = (of("cues-followed").0, of("cues-inverted").0);
    let against = followed.chars().zip(inverted.chars()).filter(|(a, b)| a != b).count();
    assert!(against > followed.len() * 9 / 10, "{against} of {}", followed.len());
    let (plain, answers) = (of("plain").1, of("majority").1);
    assert_eq!(answers, 0, "it never asks the student");
    for chosen in ["tuned-plain", "random-search"] {
        let operations = of(chosen).1;
        assert!(operations > plain && operations < 3 * plain, "{chosen}: {operations}, plain {plain}");
    }
    let table = compose(&plan, &results).unwrap();
    let rows = &table.subjects[0].rows;
    assert_eq!(rows.iter().filter(|row| row.family == "control").count(), 7);
    let text = markdown::render(&table, "aar bench methods");
    assert!(text.contains("| the most common answer | control | "), "{text}");
    assert!(text.contains("- pool labelled by cloze: "), "{text}");
}

#[test]
fn what_can_not_be_is_said() {
    let error = Contender::shipped("plian").unwrap_err().to_string();
    assert!(error.contains("\"plian\"; there are: plain, "), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let error = Entrant::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("testbed.json"), "{error}");
    let plan = plan(small(dir.path()), &["plain"], 17);
    let results = Results::open(&dir.path().join("results.jsonl")).unwrap();
    assert!(matches!(run(&plan, results, 1, &|_| ()), Err(BenchError::Seeds(17))));
}
