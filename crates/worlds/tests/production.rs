//! The stand-in for a production model: two domains in one vocabulary, thoughts before a verdict, and a mint that looks at no method.

use aar_domain::item::{Distribution, Item};
use aar_lm::Tokenizer;
use aar_worlds::draw::Draw;
use aar_worlds::secret::Secret;
use aar_worlds::subject::{Part, Reader, Shape, draw_apart, draw_test};
use aar_worlds::subjects::Subject;
use aar_worlds::teacher::Teacher;
use aar_worlds::teacher_search::TeacherSearch;
use std::collections::BTreeSet;

fn subject() -> Subject {
    Subject::named(Subject::PRODUCTION).unwrap()
}

#[test]
fn items_of_both_domains_are_balanced_and_their_words_are_known() {
    let secret = Secret::of_seed(7);
    let world = subject().world(&secret);
    let tokenizer = Tokenizer::word_level(world.words()).unwrap();
    let problem = world.problem();
    assert_eq!(world.words().iter().collect::<BTreeSet<_>>().len(), world.words().len());
    let mut facts = BTreeSet::new();
    for part in [Part::Labelled, Part::Pool, Part::Test] {
        let rows = world.items(part, Distribution::Out, 400, &mut secret.stream("items"));
        for domain in ["soln ", "prog "] {
            let own = rows
                .iter()
                .filter(|row| matches!(&row.item, Item::Binary { question, .. } if question.starts_with(domain)));
            let positive: Vec<bool> = own.map(|row| row.positive).collect();
            assert_eq!((positive.len(), positive.iter().filter(|p| **p).count()), (200, 100), "{domain}");
        }
        for row in &rows {
            let ids = tokenizer.encode(&problem.prompt.render_body(&row.item)).unwrap();
            let thoughts = problem.reasoning.as_ref().unwrap().length + 2;
            assert!(ids.len() + thoughts <= problem.max_tokens && !ids.contains(&0), "{:?}", row.item);
        }
        let own: BTreeSet<String> = rows.into_iter().map(|row| row.fact).collect();
        assert!(facts.is_disjoint(&own));
        facts.extend(own);
    }
}

/// As items are drawn again that are known from another set.
#[test]
fn two_items_are_one_of_each_label_and_sets_are_drawn_apart() {
    let secret = Secret::of_seed(8);
    let world = subject().world(&secret);
    let mut rng = secret.stream("items");
    for _ in 0..50 {
        let two = world.items(Part::Test, Distribution::In, 2, &mut rng);
        assert_eq!(two.iter().filter(|row| row.positive).count(), 1);
    }
    let earlier = draw_test(world.as_ref(), 400, &mut secret.stream("test")).into();
    // The same stream: every item would be one of the earlier ones.
    let apart = draw_apart(world.as_ref(), 400, &mut secret.stream("test"), &earlier);
    assert_eq!((apart.len(), apart.iter().filter(|row| row.positive).count()), (400, 200));
}

#[test]
fn the_student_reads_reasons_and_the_teacher_does_not() {
    let secret = Secret::of_seed(9);
    let world = subject().world(&secret);
    let said = |token: &u32| world.words()[*token as usize].as_str();
    let mut shares = [0.0f64; 2];
    for (share, reader) in shares.iter_mut().zip([Reader::Student, Reader::Teacher]) {
        let library = world.library(reader, 0.9, &mut secret.stream("knows"));
        let mut rng = secret.stream("documents");
        for _ in 0..1000 {
            let document = library.draw(&mut rng);
            assert!(document.answer < document.tokens.len());
            if document.reasons.is_empty() {
                continue;
            }
            *share += 0.001;
            let reasons: Vec<&str> = document.tokens[document.reasons.clone()].iter().map(said).collect();
            assert_eq!(said(&document.tokens[document.reasons.start - 1]), "so");
            assert_eq!((reasons.len(), document.answer), (8, document.reasons.end + 1), "{reasons:?}");
            // A program's reasons end with what it prints, twice; a claim of another output is refused.
            if reasons[0] == "run" {
                let words: Vec<&str> = document.tokens.iter().map(said).collect();
                let claimed = words.iter().position(|word| *word == "out").map(|at| words[at + 1]).unwrap();
                assert_eq!(
                    (claimed == reasons[7], reasons[5]),
                    (words[document.answer] == "yes", reasons[7]),
                    "{words:?}"
                );
            }
        }
    }
    assert!((shares[0] - 0.35).abs() < 0.06 && shares[1] == 0.0, "{shares:?}");
}

#[test]
fn a_teacher_answers_at_once_and_is_found_without_a_look_at_any_method() {
    let mut subject = subject();
    let sizes = subject.settings.sizes_mut();
    (sizes.student, sizes.teacher) = (Shape::new(16, 1, 2, 16), Shape::new(16, 1, 2, 16));
    (sizes.student_steps, sizes.teacher_steps, sizes.documents_per_step) = (3, 3, 8);
    (sizes.pool, sizes.tuning, sizes.labelled) = (60, 60, 64);
    let secret = Secret::of_seed(4);
    let draw = Draw::new(subject.world(&secret), secret, &|_| ()).unwrap();
    assert!(draw.problem.reasoning.is_some());
    let margins = Teacher::new(&draw, 0.5, 0).unwrap().tune(&draw, 0).unwrap().margins(&draw.pool).unwrap();
    assert!(margins.len() == 60 && margins.iter().all(|margin| margin.is_finite()));
    let mut record = vec![];
    TeacherSearch::new(&draw).unwrap().run(&mut record, &|_| ()).unwrap();
    assert!(!record.is_empty() && record.iter().all(|trial| trial.plain.is_none() && trial.spread.is_none()));
}
