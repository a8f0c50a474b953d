//! What the mint relies on, of every subject.

use aar_domain::item::{Distribution, Item};
use aar_lm::{Decoder, Tokenizer};
use aar_worlds::draw::{Draw, Sample};
use aar_worlds::mechanism::Mechanism;
use aar_worlds::pair::Pair;
use aar_worlds::secret::Secret;
use aar_worlds::subject::{Part, Reader, Recall, Shape, Sizes};
use aar_worlds::subjects::Subject;
use aar_worlds::teacher::Teacher;
use std::collections::BTreeSet;

fn subjects() -> Vec<Subject> {
    Subject::NAMES.iter().map(|name| Subject::named(name).unwrap()).collect()
}

fn choice(item: &Item) -> &str {
    match item {
        Item::Preference { first, .. } => first,
        Item::Binary { choice, .. } => choice,
    }
}

#[test]
fn items_are_balanced_and_sets_share_no_fact() {
    for subject in subjects() {
        let secret = Secret::of_seed(7);
        let world = subject.world(&secret);
        let mut facts = Vec::new();
        for part in [Part::Labelled, Part::Pool, Part::Test] {
            let rows = world.items(part, Distribution::In, 600, &mut secret.stream("items"));
            assert_eq!(rows.iter().filter(|row| row.positive).count(), 300, "{}", subject.name());
            let again = world.items(part, Distribution::In, 600, &mut secret.stream("items"));
            assert!(rows.iter().zip(&again).all(|(a, b)| a.item == b.item));
            facts.push(rows.into_iter().map(|row| row.fact).collect::<BTreeSet<_>>());
        }
        assert!(facts[0].is_disjoint(&facts[1]) && facts[0].is_disjoint(&facts[2]) && facts[1].is_disjoint(&facts[2]));
    }
}

#[test]
fn the_cue_follows_the_mechanism() {
    let length = |item: &Item| choice(item).split(' ').count() as f64;
    for subject in subjects() {
        for mechanism in Mechanism::all() {
            let subject = Subject { mechanism, ..subject.clone() };
            let secret = Secret::of_seed(8);
            let world = subject.world(&secret);
            // By how many words a right answer is longer than a wrong one.
            let lean = |distribution| {
                let rows = world.items(Part::Test, distribution, 6000, &mut secret.stream("items"));
                let mean = |positive| {
                    let side: Vec<f64> =
                        rows.iter().filter(|r| r.positive == positive).map(|r| length(&r.item)).collect();
                    side.iter().sum::<f64>() / side.len() as f64
                };
                mean(true) - mean(false)
            };
            let (inside, outside) = (lean(Distribution::In), lean(Distribution::Out));
            let told = format!("{} {mechanism}: {inside:.2} {outside:.2}", subject.name());
            let shows = !mechanism.to_string().starts_with("cue words");
            assert_eq!(inside > 0.1, shows, "{told}");
            let text = mechanism.to_string();
            assert_eq!(outside > 0.1, shows && text.contains("holds"), "{told}");
            assert_eq!(outside < -0.1, shows && text.contains("reverses"), "{told}");
        }
    }
}

#[test]
fn documents_and_items_are_in_the_vocabulary_and_judgements_use_other_words() {
    for subject in subjects() {
        let secret = Secret::of_seed(9);
        let world = subject.world(&secret);
        let tokenizer = Tokenizer::word_level(world.words()).unwrap();
        let problem = world.problem();
        for row in world.items(Part::Test, Distribution::Out, 200, &mut secret.stream("items")) {
            let text = format!("{} {}", problem.prompt.render_body(&row.item), problem.prompt.suffix);
            let ids = tokenizer.encode(&text).unwrap();
            assert!(ids.len() <= problem.max_tokens && !ids.contains(&0), "{text}");
        }
        let asked: Vec<u32> = tokenizer.encode(&problem.prompt.labels.join(" ")).unwrap();
        let mut rng = secret.stream("documents");
        let library = world.library(Reader::Student, 0.9, &mut secret.stream("knows"));
        for (place, exam) in library.exams().iter().enumerate() {
            for _ in 0..200 {
                let document = library.exam(place, &mut rng);
                assert!(document.answer < document.tokens.len() && !document.tokens.contains(&0));
                let answers_task = asked.contains(&document.tokens[document.answer]);
                assert!(!answers_task || !exam.judging || subject.name() == "chat", "{} {}", subject.name(), exam.name);
            }
        }
    }
}

/// Large enough to go through every step, too small to learn anything.
fn tiny(subject: &mut Subject) {
    let sizes = |sizes: &mut Sizes| {
        let small = |shape: Shape| Shape { architecture: shape.architecture, ..Shape::new(16, 1, 2, 16) };
        (sizes.student, sizes.teacher) = (small(sizes.student), small(sizes.teacher));
        (sizes.student_steps, sizes.teacher_steps, sizes.documents_per_step) = (3, 3, 8);
        (sizes.pool, sizes.tuning, sizes.labelled) = (60, 60, 64);
    };
    sizes(subject.settings.sizes_mut());
}

#[test]
fn other_models_meet_the_same_items_under_another_generators_name() {
    let secret = Secret::of_seed(4);
    let mut generators = BTreeSet::new();
    for subject in subjects() {
        generators.insert(subject.generator());
        let draw = |mut subject: Subject| {
            tiny(&mut subject);
            Draw::new(subject.world(&secret), secret.clone(), &|_| ()).unwrap()
        };
        let own = draw(subject.clone());
        for pair in Pair::ALL {
            let other = subject.clone().with(pair);
            assert!(generators.insert(other.generator()), "{} {pair}", subject.name());
            let draw = draw(other);
            assert_eq!(draw.pool.items, own.pool.items, "{} {pair}", subject.name());
            let config = &draw.student.model().config;
            assert_eq!((config.qkv_bias, config.qk_norm), (pair == Pair::Architecture, pair != Pair::Architecture));
            let margins = Teacher::new(&draw, 0.5, 0).unwrap().tune(&draw, 0).unwrap().margins(&draw.pool).unwrap();
            assert!(margins.iter().all(|margin| margin.is_finite()), "{} {pair}", subject.name());
            let dir = tempfile::tempdir().unwrap();
            draw.student.model().save(dir.path()).unwrap();
            assert_eq!(Decoder::load(dir.path()).unwrap().config, *config);
        }
    }
}

#[test]
fn a_draw_is_a_function_of_its_secret_and_teachers_waver_as_the_mechanism_says() {
    for mut subject in subjects() {
        tiny(&mut subject);
        for mechanism in [0, 1, 2].map(|noise| Mechanism::all().nth(noise).unwrap()) {
            subject.mechanism = mechanism;
            let draw = || Draw::new(subject.world(&Secret::of_seed(4)), Secret::of_seed(4), &|_| ()).unwrap();
            let (one, two) = (draw(), draw());
            let recall = Recall { model: one.student.model(), tokenizer: &one.tokenizer };
            let cloze = one.world.shortcuts().unwrap().cloze(&recall, &one.pool.items).unwrap();
            assert!(cloze.len() == 60 && cloze.iter().all(|margin| margin.is_finite()));
            let margins = |draw: &Draw, noise: f64| {
                let mut teacher = Teacher::new(draw, 0.5, 0).unwrap();
                teacher.errors.noise = noise;
                teacher.tune(draw, 0).unwrap().margins(&draw.pool).unwrap()
            };
            let (sure, wavers) = (margins(&one, 0.0), margins(&one, 3.0));
            assert_eq!(wavers, margins(&two, 3.0), "{} {mechanism}", subject.name());
            let same = |rows: &Sample| rows.items.len() - sure.iter().zip(&wavers).filter(|(a, b)| a != b).count();
            let kept = same(&one.pool);
            // Instance-dependent noise touches all, the others leave a part alone.
            assert_eq!(kept > 0, !mechanism.to_string().contains("instance"), "{} {mechanism}: {kept}", subject.name());
            assert!(kept < 60);
        }
    }
}
