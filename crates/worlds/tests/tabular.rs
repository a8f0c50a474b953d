//! A small table of a small testbed: it goes on where it stopped, and holds what was answered.

mod small;

use aar_domain::rung::Split;
use aar_worlds::bench::results::{Outcome, Results, Tried};
use aar_worlds::bench::{BenchEvent, run};
use aar_worlds::tabular::{self, Table};
use small::small;
use std::collections::BTreeSet;
use std::sync::Mutex;

#[test]
fn holds_every_answer_and_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let plan = tabular::plan(small(dir.path()), 4, 1, 1).unwrap();
    let names: Vec<&str> = plan.recipes.iter().map(|contender| contender.file.as_str()).collect();
    assert_eq!(names[..2], ["plain", "plain-soft"]);
    let journal = dir.path().join("results.jsonl");
    let made = |plan| {
        let ended = Mutex::new(vec![]);
        let results = run(plan, Results::open(&journal).unwrap(), 2, &|event| {
            if let BenchEvent::Ended(ran) = event {
                ended.lock().unwrap().push(ran);
            }
        });
        (results.unwrap(), ended.into_inner().unwrap())
    };
    let (results, ended) = made(&plan);
    assert_eq!(ended.len(), 4);
    // The last run loses its second half, as by a kill between two lines.
    let text = std::fs::read_to_string(&journal).unwrap();
    let cut = text.trim_end().rfind('\n').unwrap() + 1;
    std::fs::write(&journal, &text[..cut + 20]).unwrap();
    drop(results);
    let missing = tabular::compose(&plan, 1, &Results::open(&journal).unwrap()).unwrap_err().to_string();
    assert!(missing.contains("was not run at seed 0 yet"), "{missing}");
    let (results, ended) = made(&plan);
    assert_eq!(ended.len(), 1);

    let table = tabular::compose(&plan, 1, &results).unwrap();
    let path = dir.path().join("tables/small.jsonl");
    table.write(&path).unwrap();
    assert_eq!(Table::read(&path).unwrap(), table);
    assert!(table.fits(&plan.testbeds[0]).is_ok());
    for (run, contender) in table.runs.iter().zip(&plan.recipes) {
        assert!(run.operations > 0 && matches!(run.tried, Some(Tried::Saw(_))), "{run:?}");
        for (split, items) in [(Split::Feedback, 1200), (Split::Selection, 4000)] {
            let key = aar_worlds::bench::results::Key {
                testbed: plan.testbeds[0].digest.clone(),
                recipe: contender.digest.clone(),
                seed: 0,
                split,
            };
            let Outcome::Answers(signs) = &results.get(&key).unwrap().outcome else { panic!("{}", contender.file) };
            assert_eq!(run.margins(split, items).unwrap(), aar_worlds::bench::results::margins(signs));
        }
    }
    // Plain's own trial answers like plain.
    let Some(Tried::Saw(plain)) = &table.runs[0].tried else { panic!() };
    assert_eq!(plain.differs, Some(0.0));
}

#[test]
fn no_two_recipes_do_the_same_and_more_begin_with_the_fewer() {
    let dir = tempfile::tempdir().unwrap();
    let testbed = small(dir.path());
    let texts = |count: usize| -> Vec<String> {
        let plan = tabular::plan(testbed.clone(), count, 1, 1).unwrap();
        plan.recipes.into_iter().map(|contender| contender.text).collect()
    };
    let (fewer, more) = (texts(100), texts(200));
    assert_eq!((fewer.len(), more.len()), (100, 200));
    assert_eq!(fewer[..], more[..100]);
    let plan = tabular::plan(testbed, 200, 1, 1).unwrap();
    let does: BTreeSet<String> =
        plan.recipes.iter().map(|contender| format!("{:?}", contender.recipe.effective())).collect();
    assert_eq!(does.len(), 200);
    assert!(plan.recipes.iter().all(|contender| contender.recipe.applicable(&plan.testbeds[0].problem).is_ok()));
}
