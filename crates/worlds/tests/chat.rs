//! The worlds that ship follow from their secrets still.

use aar_domain::item::{Distribution, Item};
use aar_domain::problem::Problem;
use aar_domain::testbed::{Origin, TestbedRecord};
use aar_worlds::secret::Secret;
use aar_worlds::subject::{Part, draw_test};
use aar_worlds::subjects::Subject;
use std::path::{Path, PathBuf};

fn harbour(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour").join(file)
}

fn items(file: &str) -> Vec<Item> {
    let text = std::fs::read_to_string(harbour(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn harbour_follows_from_its_secret() {
    let subject = Subject::named("chat").unwrap();
    let secret = std::fs::read_to_string(harbour("hidden/secret.json")).unwrap();
    let secret: serde_json::Value = serde_json::from_str(&secret).unwrap();
    let draw = Secret::from_hex(secret["secret"].as_str().unwrap()).unwrap().child("attempt 1");
    let world = subject.world(&draw);
    let pool = world.items(Part::Pool, Distribution::In, 2000, &mut draw.stream("pool"));
    assert_eq!(pool.into_iter().map(|row| row.item).collect::<Vec<_>>(), items("public/pool.jsonl"));
    let feedback = draw_test(world.as_ref(), 1200, &mut draw.stream("feedback"));
    assert_eq!(feedback.into_iter().map(|row| row.item).collect::<Vec<_>>(), items("hidden/inputs/feedback.jsonl"));
    let problem: Problem =
        serde_json::from_str(&std::fs::read_to_string(harbour("public/problem.json")).unwrap()).unwrap();
    assert_eq!(world.problem(), problem);
    assert_eq!(subject.generator(), "a7056fb5234fb2e0");
}

/// What ships was made by the generator that is here, so that `aar mint --seed 1` makes it again.
#[test]
fn worlds_that_ship_are_of_this_generator() {
    for (subject, world) in [("math", "orchard"), ("code", "foundry")] {
        let path = harbour("..").join(world).join("testbed.json");
        let record: TestbedRecord = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let Origin::Minted { generator, .. } = record.origin else { panic!("{world} was not minted") };
        assert_eq!(generator, Subject::named(subject).unwrap().generator(), "{world}");
    }
}
