//! Bundles and trained students that strangers wrote: what passes the check stays in its folder, the rest is the bundle's own fault.

#[path = "../../lm/tests/damage/mod.rs"]
mod damage;

use aar_api::bundle::{Bundle, BundleFile};
use aar_api::work::Job;
use aar_domain::rung::Split;
use aar_evaluation::EvaluationError;
use aar_evaluation::artefacts::take_over;
use aar_evaluation::stage::Stage;
use damage::damage;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

const INFERENCE: &str = r#"{"format":1,"orders":"both","aggregate":"trimmed","members":[{"kind":"head","path":"h","prompt":"task"},
{"kind":"full","path":"m0"},{"kind":"base","prompt":"zero-shot"}]}"#;

/// Parts of paths as they are, and as they should not be.
fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-c]{1,2}",
        2 => Just("recipe.toml".to_owned()),
        1 => Just("train".to_owned()),
        1 => prop::sample::select(vec!["..", ".", "", "a b", "\\", "a\\b", "ä", "~", "$HOME", "\n", "con", "*"]).prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
    ];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn bundle() -> impl Strategy<Value = Bundle> {
    let hex = prop_oneof![8 => prop::collection::vec(any::<u8>(), 0..20).prop_map(hex::encode), 1 => ".{0,5}"];
    let file = (path(), any::<bool>(), hex).prop_map(|(path, executable, hex)| BundleFile { path, executable, hex });
    (prop::collection::vec(file, 0..6), any::<bool>()).prop_map(|(mut files, recipe)| {
        if recipe {
            files.push(BundleFile { path: "recipe.toml".into(), executable: false, hex: String::new() });
        }
        Bundle { files }
    })
}

/// All files below a folder; nothing but files and folders is there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        assert!(kind.is_dir() || kind.is_file(), "{:?}", entry.path());
        if kind.is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

fn testbed(dir: &Path) {
    for folder in ["public", "hidden/weak"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    fs::write(dir.join("public/weak.jsonl"), "").unwrap();
    fs::write(dir.join("hidden/weak/00.jsonl"), "").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bundles(bundle in bundle()) {
        let scratch = tempfile::tempdir().unwrap();
        testbed(scratch.path());
        let stage = Stage::new(scratch.path()).unwrap();
        let job = Job { id: 1, evaluation: 1, bundle: bundle.id(), seed: 1, teacher: 0, split: Split::Feedback, lease_ms: 1 };
        let laid = stage.train(scratch.path(), &job, &bundle, "");
        match bundle.check() {
            Ok(()) => {
                prop_assert!(laid.is_ok(), "{:?}", laid.err().map(|error| error.to_string()));
                prop_assert_eq!(files(&stage.input().join("bundle")).len(), bundle.files.len());
            }
            Err(_) => prop_assert!(matches!(laid, Err(EvaluationError::Bundle { .. })), "the bundle's own fault"),
        }
        // Four of the testbed and of the job: nothing else was written beside the bundle's folder.
        let beside = files(scratch.path()).into_iter().filter(|path| !path.starts_with(stage.input().join("bundle")));
        prop_assert_eq!(beside.count(), 2 + 3);
    }

    #[test]
    fn students(damage in damage()) {
        let (output, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["h/head.json", "h/head.safetensors", "m0/config.json", "m0/model.safetensors"] {
            let path = output.path().join("student").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(output.path().join("student/inference.json"), damage.apply(INFERENCE.as_bytes())).unwrap();
        let place = place.path().join("taken");
        match take_over(output.path(), &place) {
            Ok(inference) => prop_assert!((1..=8).contains(&inference.members.len()) && place.join("inference.json").exists()),
            Err(error) => prop_assert!(matches!(error, EvaluationError::Bundle { .. }), "{error}"),
        }
    }
}
