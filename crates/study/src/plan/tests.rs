#[path = "../../../lm/tests/damage/mod.rs"]
mod damage;

use super::*;
use std::path::Path;

fn read(text: &str, quick: bool, sets: &[&str]) -> Result<Plan, String> {
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    Plan::read(text, "study.toml", quick, &sets).map_err(|error| error.to_string())
}

#[test]
fn the_default_study_is_what_it_promises() {
    let plan = read(LAPTOP, false, &[]).unwrap();
    assert!(plan.evaluations() >= 20 && plan.evaluation.seeds == 3);
    assert_eq!((plan.close.finalists, plan.close.seeds), (4, 10));
    let quick = read(LAPTOP, true, &[]).unwrap();
    assert_eq!((quick.evaluations(), quick.close.seeds), (4, 3));
    assert_eq!((plan.close.integrity, quick.close.integrity), (Examine::Finalists, Examine::None));
    assert_ne!(plan.hash(), quick.hash());
    read(include_str!("../../../../studies/commonsense.toml"), false, &[]).unwrap();
    // A demonstration may tell more than what a file gets that says nothing.
    assert_eq!(plan.feedback.policy, Policy::Naive { step: 0.05 });
    assert_eq!(FeedbackPlan::default().policy, Policy::Ladder { step: 0.05 });
    let ladder = read(LAPTOP, false, &["feedback.policy={kind=\"ladder\",step=0.1}"]).unwrap();
    assert_eq!(ladder.feedback.policy, Policy::Ladder { step: 0.1 });
}

#[test]
fn a_setting_overrides_the_file() {
    let plan = read(LAPTOP, false, &["testbed=fresh", "close.seeds=5", "evaluation.baselines=[\"plain\"]"]).unwrap();
    assert_eq!((plan.testbed.as_str(), plan.close.seeds, plan.evaluation.baselines.len()), ("fresh", 5, 1));
}

#[test]
fn impossible_plans_are_refused_by_field() {
    let check = |set: &str, expect: &str| {
        let error = read(LAPTOP, false, &[set]).unwrap_err();
        assert!(error.contains(expect), "{set}: {error}");
    };
    check("close.seeds=14", "evaluation.seeds + close.seeds = 17");
    check("evaluation.seeds=0", "evaluation.seeds = 0: 1 to 8");
    check("close.finalists=9", "close.finalists = 9: 1 to 4");
    check("evaluation.seed=3", "unknown field `seed`");
    check("isolation=none", "any, landlock or namespaces");
    check("evaluation.baselines=[\"probe\"]", "must start with \"plain\"");
    check("close.seeds=-1", "seeds = -1");
    check("close", "key=value");
    check("without=[\"luck\"]", "unknown variant `luck`");
    check("testbed=import", "needs data and model");
}

/// The names of all settings of a table: what serde would rather have than one that does not exist.
fn settings<T: serde::de::DeserializeOwned + std::fmt::Debug>() -> Vec<String> {
    let error = toml::from_str::<T>("no-such-setting = 1").unwrap_err().to_string();
    let (_, known) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_setting_is_in_the_documentation() {
    let page = include_str!("../../../../docs/study-file.md");
    let tables = [
        settings::<Plan>(),
        settings::<Evaluation>(),
        settings::<FeedbackPlan>(),
        settings::<ResearcherPlan>(),
        settings::<ModelPlan>(),
        settings::<AgentPlan>(),
        settings::<TeamPlan>(),
        settings::<TelemetrySettings>(),
        settings::<Close>(),
    ];
    let all: Vec<String> = tables.into_iter().flatten().collect();
    assert!(
        all.len() > 55
            && ["count", "redirect", "programs", "otlp"].iter().all(|name| all.iter().any(|known| known == name))
    );
    for field in all {
        let known = page.contains(&format!("`{field}`"))
            || page.contains(&format!("`[{field}"))
            || page.contains(&format!("`[[{field}"));
        assert!(known, "docs/study-file.md does not say what {field} is");
    }
}

#[test]
fn a_team_needs_a_model_a_budget_and_directions_of_its_own() {
    let team = |more: &str, kind: &str| {
        format!(
            "name = \"n\"\ntestbed = \"harbour\"\n{more}\n[[researchers]]\nname = \"t\"\nkind = \"{kind}\"\ncount = 3\nevaluations = 1"
        )
    };
    let model = "[models.m]\nprovider = \"anthropic\"\nmodel = \"x\"\n";
    let check = |more: &str, expect: &str| {
        let error = read(&team(more, "language-model"), false, &[]).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    check("", "[models.NAME]");
    check(model, "team.usd is missing");
    let plan = read(&team(&format!("{model}[team]\nusd = 1"), "language-model"), false, &[]).unwrap();
    let names: Vec<&str> = plan.researchers.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["t-1", "t-2", "t-3"]);
    let mut directions: Vec<_> = plan.researchers.iter().map(|r| r.direction.clone().unwrap()).collect();
    directions.dedup();
    assert_eq!(directions.len(), 3);
    let alike =
        read(&team(&format!("{model}[team]\nusd = 1\ndirected = false"), "language-model"), false, &[]).unwrap();
    assert!(alike.researchers.iter().all(|r| r.direction.is_none()));
    assert!(read(&team("", "search"), false, &[]).unwrap().researchers.iter().all(|r| r.direction.is_some()));
}

#[test]
fn the_study_files_that_ship_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 4, "{files:?}");
    for file in files {
        read(&std::fs::read_to_string(file).unwrap(), false, &[]).unwrap();
    }
}

#[test]
fn a_study_of_predictions_starts_nobody_who_hands_in_bundles() {
    let served = "name = \"p\"\ntestbed = \"harbour\"\ncontract = \"predictions\"\n";
    let plan = read(served, false, &[]).unwrap();
    assert_eq!(plan.contract, Contract::Predictions);
    let with = |kind: &str| format!("{served}[[researchers]]\nname = \"a\"\nkind = \"{kind}\"\nevaluations = 1\n");
    let error = read(&with("search"), false, &[]).unwrap_err();
    assert!(error.contains("hands in bundles") && error.contains("aar token add"), "{error}");
    read(&(with("command") + "agent = \"script\"\n"), false, &[]).unwrap();
    let model = "[models.m]\nprovider = \"http://127.0.0.1:1\"\nmodel = \"x\"\n";
    read(&(with("language-model") + model), false, &[]).unwrap();
    read(&with("human"), false, &[]).unwrap();
    assert!(read(&served.replace("predictions", "answers"), false, &[]).unwrap_err().contains("predictions"));
    // Who says nothing has the plan, and the hash, that it always had.
    let usual = read(&served.replace("contract = \"predictions\"\n", ""), false, &[]).unwrap();
    assert!(!serde_json::to_string(&usual).unwrap().contains("contract"));
}

mod damaged {
    use super::super::*;
    use super::damage::damage;
    use proptest::prelude::*;

    const FILES: [&str; 3] =
        [LAPTOP, include_str!("../../../../studies/commonsense.toml"), include_str!("../../../../studies/team.toml")];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever lies in it, a study file is a plan or an error that names the file or the setting.
        #[test]
        fn study_files(damage in damage(), which in 0..3usize, quick: bool, set in "[a-z_.]{0,20}=[a-z0-9\"{}\\[\\]=., -]{0,20}", sets: bool) {
            let Ok(text) = String::from_utf8(damage.apply(FILES[which].as_bytes())) else { return Ok(()) };
            let sets = if sets { vec![set] } else { vec![] };
            match Plan::read(&text, "study.toml", quick, &sets) {
                Ok(plan) => {
                    prop_assert!(plan.researchers.len() <= 64 && plan.hash().len() == 64);
                    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
                    prop_assert_eq!(again.hash(), plan.hash(), "what is kept in study.json is the same plan");
                }
                Err(error) => {
                    let error = error.to_string();
                    prop_assert!(error.contains("study.toml") || error.contains("--set"), "{error}");
                }
            }
        }
    }
}
