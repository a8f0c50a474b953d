//! What every student promises, whatever its architecture.

use aar_domain::inference::{Orders, PromptChoice};
use aar_domain::item::Item;
use aar_domain::problem::{Architecture, Problem, Prompt, Reasoning, Task, Training};
use aar_lm::{Decoder, DecoderConfig, InitScale, Tokenizer};
use aar_methods::objective::TrainSpec;
use aar_methods::pool::Pool;
use aar_methods::recipe::{Curriculum, Objective, ObjectiveKind};
use aar_methods::student::decoder::DecoderStudent;
use aar_methods::student::{Artefact, Example, consistent, swapped};
use aar_methods::{MethodError, Recipe, Student, shipped, student};
use std::path::Path;

fn problem(architecture: Architecture, task: Task) -> Problem {
    let body = match task {
        Task::Preference => "w1 {prompt} w2 {first} w3 {second}",
        Task::Binary => "w1 {question} w2 {choice}",
    };
    let prompt = Prompt { body: body.into(), suffix: "w4".into(), labels: ["w5".into(), "w6".into()] };
    Problem {
        title: "t".into(),
        task,
        zero_shot: if architecture == Architecture::Decoder { vec![prompt.clone()] } else { vec![] },
        prompt,
        max_tokens: 24,
        student: architecture,
        training: Training { learning_rate: 1e-2, batch: 8, epochs: 2.0, weight_decay: 1e-3, layers: vec![1, 2] },
        reasoning: None,
    }
}

/// A small random student of either architecture, in a folder as testbeds have it.
fn open(architecture: Architecture, task: Task, dir: &Path) -> Box<dyn Student> {
    let words: Vec<String> = (0..47).map(|i| format!("w{i}")).collect();
    match architecture {
        Architecture::Decoder => {
            let config = DecoderConfig {
                vocab_size: 48,
                hidden_size: 32,
                intermediate_size: 48,
                num_hidden_layers: 2,
                num_attention_heads: 2,
                num_key_value_heads: 2,
                head_dim: 16,
                rms_norm_eps: 1e-6,
                rope_theta: 10_000.0,
                tie_word_embeddings: true,
                qkv_bias: false,
                qk_norm: true,
                max_position_embeddings: 32,
            };
            Decoder::init(config, &InitScale::default(), 3).save(dir).unwrap();
        }
        Architecture::Encoder => {
            let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lm/tests/fixtures/bert");
            for name in ["config.json", "model.safetensors"] {
                std::fs::copy(fixture.join(name), dir.join(name)).unwrap();
            }
        }
    }
    Tokenizer::word_level(&words).unwrap().save(dir).unwrap();
    student::open(&problem(architecture, task), dir, &[], 1).unwrap()
}

fn items(count: usize) -> Vec<Item> {
    let item = |i: usize| Item::Preference {
        id: format!("{i}").as_str().into(),
        prompt: format!("w{}", 7 + i % 5),
        first: format!("w{} w{}", 12 + i * 7 % 13, 12 + i * 5 % 30),
        second: format!("w{}", 25 + i * 3 % 17),
    };
    (0..count).map(item).collect()
}

/// The same texts as questions with one answer each.
fn binary(items: Vec<Item>) -> Vec<Item> {
    let one = |item| match item {
        Item::Preference { id, prompt, first, .. } => Item::Binary { id, question: prompt, choice: first },
        binary => binary,
    };
    items.into_iter().map(one).collect()
}

fn train(student: &dyn Student, kind: ObjectiveKind, items: &[Item], seed: u64) -> Artefact {
    let targets: Vec<f32> = (0..items.len()).map(|i| (i % 2) as f32).collect();
    let spec = TrainSpec {
        items,
        targets: &targets,
        weights: &vec![1.0; items.len()],
        weak: &targets,
        objective: &Objective { kind, rank: 2, ..Objective::default() },
        curriculum: Curriculum::None,
        steps: 10,
        batch: 8,
        learning_rate: 1e-2,
        weight_decay: 1e-3,
        swap_augment: false,
        seed,
        on_step: &|_, _| (),
    };
    student.train(&spec).unwrap()
}

fn margins(student: &dyn Student, artefact: &Artefact, items: &[Item], orders: Orders) -> Vec<f32> {
    let margins = student.margins(artefact, PromptChoice::Task, items, orders).unwrap();
    assert_eq!(margins.len(), items.len());
    assert!(margins.iter().all(|margin| margin.is_finite()));
    margins
}

fn negated(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a + b).abs() < 1e-4)
}

fn conforms(architecture: Architecture, kinds: &[ObjectiveKind]) {
    let dir = tempfile::tempdir().unwrap();
    let student = open(architecture, Task::Preference, dir.path());
    let (items, turned) = (items(24), swapped(&items(24)).unwrap());

    let (features, other) = (student.features(&items).unwrap(), student.features(&turned).unwrap());
    assert_eq!(features.values.len(), items.len() * features.width);
    assert!(negated(&features.values, &other.values), "features of a swapped pair are negated");

    let [yes, no] = student.sides(&items).unwrap();
    assert_eq!((yes.values.len(), no.values.len()), (items.len() * yes.width, items.len() * no.width));
    let [turned_yes, turned_no] = student.sides(&turned).unwrap();
    assert!(yes.values == turned_no.values && no.values == turned_yes.values, "a swapped pair's sides change places");

    match student.zero_shot(&items) {
        Ok(margins) => assert!(negated(&margins, &student.zero_shot(&turned).unwrap()), "zero-shot is consistent"),
        Err(error) => assert!(matches!(error, MethodError::NotApplicable(_)), "{error}"),
    }

    for &kind in kinds {
        let trained = train(student.as_ref(), kind, &items, 1);
        let answers = margins(student.as_ref(), &trained, &items, Orders::Both);
        assert!(
            negated(&answers, &margins(student.as_ref(), &trained, &turned, Orders::Both)),
            "{kind:?}: both orders agree"
        );
        let again = train(student.as_ref(), kind, &items, 1);
        assert_eq!(
            margins(student.as_ref(), &again, &items, Orders::Both),
            answers,
            "{kind:?}: same seed, same student"
        );

        let folder = dir.path().join(format!("{kind:?}"));
        std::fs::create_dir(&folder).unwrap();
        student.save(&trained, &folder).unwrap();
        let loaded = student.load(trained.kind(), &folder).unwrap();
        assert_eq!(
            margins(student.as_ref(), &loaded, &items, Orders::Both),
            answers,
            "{kind:?}: what is saved is loaded"
        );

        let weights = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let weights = weights.into_iter().find(|path| path.extension().is_some_and(|e| e == "safetensors")).unwrap();
        let mut bytes = std::fs::read(&weights).unwrap();
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&weights, &bytes).unwrap();
        assert!(student.load(trained.kind(), &folder).is_err(), "{kind:?}: NaN is refused");
        std::fs::write(&weights, &bytes[..at / 2]).unwrap();
        assert!(student.load(trained.kind(), &folder).is_err(), "{kind:?}: half a file is refused");
    }
}

#[test]
fn a_decoder_conforms() {
    use ObjectiveKind::{Adapter, Evolution, Finetune, Head, Means};
    conforms(Architecture::Decoder, &[Finetune, Adapter, Evolution, Head, Means]);
}

#[test]
fn an_encoder_conforms() {
    conforms(Architecture::Encoder, &[ObjectiveKind::Head, ObjectiveKind::Means]);
}

/// What stands before an item is read, as much of it as the context holds; a pair and its swap are answered alike.
#[test]
fn a_decoder_reads_examples_as_far_as_they_fit() {
    let dir = tempfile::tempdir().unwrap();
    let student = open(Architecture::Decoder, Task::Preference, dir.path());
    let (items, turned) = (items(24), swapped(&items(24)).unwrap());
    let example = |items: &[Item], i: usize, positive| Example { item: items[i % 24].clone(), positive };
    // Rows have 8 or 9 tokens and the context 32: two examples fit, with their labels, and no third.
    let before = |count: usize, label: bool| -> Vec<Vec<Example>> {
        (0..24).map(|i| (0..count).rev().map(|k| example(&items, i + k + 1, label ^ (k % 2 == 0))).collect()).collect()
    };
    let asked = |examples: &[Vec<Example>]| student.asked(Some(0), &items, examples).unwrap();
    let (two, other) = (asked(&before(2, true)), asked(&before(2, false)));
    assert!(asked(&[]) == asked(&before(0, true)) && two != asked(&[]) && two != other, "examples and labels are read");
    assert_eq!(two, asked(&before(5, true)), "the earliest are left out");
    let mirrored: Vec<Vec<Example>> =
        (0..24).map(|i| (0..2).rev().map(|k| example(&turned, i + k + 1, k % 2 == 0)).collect()).collect();
    let margins = consistent(student.as_ref(), Some(0), &items, &before(2, true)).unwrap();
    assert!(negated(&margins, &consistent(student.as_ref(), Some(0), &turned, &mirrored).unwrap()));
}

/// Every recipe that ships: it runs on either student and task where it is applicable, answers otherwise than plain training, the
/// same again with the same seed, and costs at most three plain trainings.
#[test]
fn every_recipe_runs_within_three_trainings() {
    for architecture in [Architecture::Decoder, Architecture::Encoder] {
        for task in [Task::Preference, Task::Binary] {
            run_all(architecture, task);
        }
    }
}

fn run_all(architecture: Architecture, task: Task) {
    let dir = tempfile::tempdir().unwrap();
    let student = open(architecture, task, dir.path());
    let of_task = |items| if task == Task::Binary { binary(items) } else { items };
    let (items, fresh) = (of_task(items(80)), of_task(items(24)));
    let weak: Vec<f32> = (0..items.len()).map(|i| 0.1 + 0.8 * ((i * 37 % 80) as f32 / 80.0)).collect();
    let pool = Pool::new(items, weak);
    let run = |recipe: &Recipe| {
        aar_lm::ops::take();
        let trained = aar_methods::train::train(recipe, &pool, student.as_ref(), 1).unwrap();
        let operations = aar_lm::ops::take();
        (trained.margins(student.as_ref(), &fresh).unwrap(), operations)
    };
    let (plain, operations) = run(&shipped::get("plain").unwrap().unwrap());
    for (name, _) in &shipped::RECIPES[1..] {
        let recipe = shipped::get(name).unwrap().unwrap();
        let what = format!("{name} on a {architecture:?}, {task:?}");
        if recipe.applicable(student.problem()).is_err() {
            let swaps = task == Task::Binary && recipe.inference.orders == Orders::Both;
            assert!(architecture == Architecture::Encoder || swaps, "{what} is not applicable");
            continue;
        }
        let (answers, cost) = run(&recipe);
        assert!(answers.iter().all(|margin| margin.is_finite()), "{what}");
        // A readout of contrasts answers both orders alike, and is what a probe is.
        let same = architecture == Architecture::Encoder && ["probe", "both-orders"].contains(name);
        assert_eq!(answers == plain, same, "{what} is plain training");
        assert_eq!(run(&recipe).0, answers, "{what}: same seed, same answers");
        let ratio = cost as f64 / operations.max(1) as f64;
        assert!(architecture == Architecture::Encoder || ratio < 3.05, "{what} costs {ratio} times plain");
    }
}

/// A student that thinks: what it answers follows from what it wrote after the body, and training goes by its own thoughts.
#[test]
fn a_verdict_follows_the_thoughts_that_the_student_wrote() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(Architecture::Decoder, Task::Binary, dir.path()));
    let (model, words) = (Decoder::load(dir.path()).unwrap(), Tokenizer::load(dir.path()).unwrap());
    let thinks = Problem {
        reasoning: Some(Reasoning { cue: "w8 w9".into(), length: 3 }),
        ..problem(Architecture::Decoder, Task::Binary)
    };
    let student = DecoderStudent::new(&thinks, model.clone(), words.clone(), 1).unwrap();
    let items = binary(items(20));
    let asked = |model: &Decoder| -> Vec<f32> {
        let one = |item: &Item| {
            let begun = words.encode(&format!("{} w8 w9", thinks.prompt.render_body(item))).unwrap();
            let thoughts = model.write(&[begun.as_slice()].into_iter().collect(), 3, 1);
            let whole = [begun, thoughts, words.encode("w4").unwrap()].concat();
            let labels = [words.encode("w5").unwrap()[0], words.encode("w6").unwrap()[0]];
            let logits = model.last_logits(&[whole.as_slice()].into_iter().collect(), &labels, 1);
            logits[0] - logits[1]
        };
        items.iter().map(one).collect()
    };
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    let margins = |artefact: &Artefact| student.margins(artefact, PromptChoice::Task, &items, Orders::Single).unwrap();
    assert!(close(&margins(&Artefact::Base), &asked(&model)));
    let pool = Pool::new(items.clone(), (0..20).map(|i| (i % 2) as f32).collect());
    let trained = aar_methods::train::train(&shipped::get("plain").unwrap().unwrap(), &pool, &student, 1).unwrap();
    let Artefact::Full(changed) = &trained.artefacts[0] else { panic!("plain training changes all weights") };
    assert!(close(&margins(&trained.artefacts[0]), &asked(changed)) && !close(&asked(changed), &asked(&model)));
    // The longest body still leaves room for thoughts and question.
    let long = Item::Binary { id: "l".into(), question: "w7".into(), choice: "w9 ".repeat(40) };
    let (rows, _) = student.tokenise(None, std::slice::from_ref(&long)).unwrap();
    assert_eq!((rows.longest(), *rows.row(0).last().unwrap()), (24, words.encode("w4").unwrap()[0]));
}
