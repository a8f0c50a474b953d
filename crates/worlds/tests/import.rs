//! Import of the three-file JSONL with a tiny random encoder: what is refused, and that nothing is left behind.

use aar_domain::rung::Split;
use aar_grader::Vault;
use aar_lm::Tokenizer;
use aar_worlds::import::{ImportSettings, import};
use std::fs;
use std::path::{Path, PathBuf};

const WORDS: usize = 47;

/// The encoder of the engine's fixtures with a vocabulary of made-up words.
fn model(dir: &Path) -> PathBuf {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lm/tests/fixtures/bert");
    let folder = dir.join("model");
    fs::create_dir(&folder).unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixture.join(name), folder.join(name)).unwrap();
    }
    let words: Vec<String> = (0..WORDS).map(|i| format!("w{i}")).collect();
    Tokenizer::word_level(&words).unwrap().save(&folder).unwrap();
    folder
}

/// A row: the better reply holds a word below 20, the other one above; the teacher's file shows only half of those words.
fn row(file: &str, i: usize) -> String {
    let (good, bad) = (1 + (i * 7) % 19, 21 + (i * 11) % 19);
    let (first, second, label) = if i.is_multiple_of(2) { (good, bad, "A") } else { (bad, good, "B") };
    // The teacher's labels are right in three of five rows: it learns little.
    let label = if file == "train_label.jsonl" && i % 5 < 2 { if label == "A" { "B" } else { "A" } } else { label };
    format!(
        r#"{{"id":"{file}{i}","prompt":"w41 w42","first":"w{first} w{}","second":"w{second} w{}","label":"{label}"}}"#,
        i % 40,
        (i + 9) % 40
    )
}

fn data(dir: &Path) -> PathBuf {
    let folder = dir.join("data");
    fs::create_dir(&folder).unwrap();
    for (file, count, from) in
        [("train_label.jsonl", 60, 0), ("train_unlabel.jsonl", 300, 1000), ("test.jsonl", 150, 5000)]
    {
        let rows: Vec<String> = (from..from + count).map(|i| row(file, i)).collect();
        fs::write(folder.join(file), rows.join("\n") + "\n").unwrap();
    }
    // Which rows share a question is said by the groups; each is its own here.
    let ids: Vec<String> = ["train_label.jsonl", "train_unlabel.jsonl", "test.jsonl"]
        .iter()
        .flat_map(|file| fs::read_to_string(folder.join(file)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    let meta: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}","group":"{id}"}}"#)).collect();
    fs::write(folder.join("meta.jsonl"), meta.join("\n")).unwrap();
    folder
}

struct Bench {
    dir: tempfile::TempDir,
    settings: ImportSettings,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = ImportSettings {
            data: data(dir.path()),
            model: model(dir.path()),
            name: "tiny".into(),
            subject: "chat".into(),
            seed: 3,
            threads: 1,
        };
        Self { dir, settings }
    }

    fn import(&self) -> Result<PathBuf, String> {
        let out = self.dir.path().join("testbed");
        import(&self.settings, &out, &mut |_| ()).map(|_| out).map_err(|error| error.to_string())
    }

    /// Change a file, expect to be refused with these words, and that nothing was left.
    fn refused(&self, file: &str, change: impl Fn(String) -> String, expect: &str) {
        let path = self.settings.data.join(file);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(whole.clone())).unwrap();
        let error = self.import().unwrap_err();
        assert!(error.contains(expect), "{error:?} does not say {expect:?}");
        let left: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn a_set_becomes_a_testbed_that_the_vault_opens() {
    let bench = Bench::new();
    let out = match bench.import() {
        Ok(out) => out,
        // A random encoder may leave too small a gap; then the refusal must say so in numbers.
        Err(error) => panic!("{error}"),
    };
    let vault = Vault::open(&out).unwrap();
    assert_eq!(vault.items(Split::Feedback) + vault.items(Split::Selection), 150);
    assert!(out.join("public/pool.features.safetensors").exists());
    assert!(out.join("hidden/weak/15.jsonl").exists() && out.join("public/weak.jsonl").exists());
    for file in ["public/pool.jsonl", "hidden/inputs/feedback.jsonl"] {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(!text.contains("label") && !text.contains("train_") && !text.contains("test."), "{file} says too much");
    }
}

#[test]
fn malformed_sets_are_refused_by_file_line_and_field() {
    let bench = Bench::new();
    let line = |text: String, at: usize, new: &str| -> String {
        text.lines()
            .enumerate()
            .map(|(i, old)| if i + 1 == at { new.to_owned() } else { old.to_owned() } + "\n")
            .collect()
    };
    bench.refused("test.jsonl", |text| line(text, 17, "{"), "test.jsonl line 17");
    bench.refused(
        "train_label.jsonl",
        |text| text.replacen(r#","label":"A""#, "", 1),
        r#"has no "label"; "A" or "B" is needed"#,
    );
    bench.refused(
        "train_unlabel.jsonl",
        |text| text.replacen(r#""label":"A""#, r#""label":"C""#, 1),
        "\"A\" or \"B\" is needed",
    );
    bench.refused("train_unlabel.jsonl", |text| text.replacen(r#""first":"#, r#""frist":"#, 1), "\"first\" is missing");
    bench.refused("test.jsonl", |text| text.replace(r#""label":"B""#, r#""label":"A""#), "all 150 labels are the same");
    bench.refused("test.jsonl", |_| String::new(), "has no rows");
    bench.refused(
        "test.jsonl",
        |text| line(text.clone(), 3, text.lines().next().unwrap()),
        "test.jsonl line 3: id \"test.jsonl5000\" occurred before, in test.jsonl line 1",
    );
    bench.refused(
        "meta.jsonl",
        |text| text.replace(r#""group":"test.jsonl5003""#, r#""group":"train_unlabel.jsonl1004""#),
        "is in train_unlabel.jsonl and test.jsonl",
    );
}

#[test]
fn a_missing_encoder_and_a_taken_place_are_named() {
    let mut bench = Bench::new();
    fs::create_dir(bench.dir.path().join("testbed")).unwrap();
    assert!(bench.import().unwrap_err().contains("exists already"));
    fs::remove_dir(bench.dir.path().join("testbed")).unwrap();
    bench.settings.model = "/nowhere".into();
    assert!(bench.import().unwrap_err().contains("/nowhere/config.json is missing"));
}
