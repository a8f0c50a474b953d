//! What is asked: which of two replies is better.

use super::documents::Writer;
use super::facts::World;
use crate::subject::{LabelledItem, Part};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::{Architecture, Problem, Prompt, Task};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

/// The problem as everybody sees it.
pub fn problem(world: &World) -> Problem {
    Problem {
        title: "Which reply to a question of fact is better?".into(),
        task: Task::Preference,
        prompt: Prompt {
            body: "ask {prompt} replyA {first} replyB {second}".into(),
            suffix: "best".into(),
            labels: ["first".into(), "second".into()],
        },
        zero_shot: vec![Prompt {
            body: "ask {prompt} replyA {first} replyB {second}".into(),
            suffix: "best".into(),
            labels: ["first".into(), "second".into()],
        }],
        max_tokens: 32,
        student: Architecture::Decoder,
        training: world.settings.sizes.training(),
        reasoning: None,
    }
}

/// `count` items about a part's facts, labels exactly balanced, in random order. `ids` draws ids that say nothing.
pub fn draw(
    world: &World,
    part: Part,
    distribution: Distribution,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<LabelledItem> {
    let facts = world.facts(part);
    let writer = Writer::new(world, facts);
    let cue = world.mechanism.agreement(world.settings.cue, distribution);
    let mut items: Vec<LabelledItem> = (0..count)
        .map(|i| {
            let fact = *facts.choose(rng).expect("every part has facts");
            let right_is_polite = rng.random::<f64>() < cue;
            let right = writer.reply(world.right(fact), right_is_polite, rng);
            let wrong = writer.reply(world.wrong(fact, rng), !right_is_polite, rng);
            let positive = i % 2 == 0;
            let (first, second) = if positive { (right, wrong) } else { (wrong, right) };
            LabelledItem {
                item: Item::Preference {
                    id: format!("{:016x}", rng.random::<u64>()).as_str().into(),
                    prompt: world.text(&[world.attribute(fact), world.entity(fact)]),
                    first: world.text(&first),
                    second: world.text(&second),
                },
                positive,
                distribution,
                fact: world.text(&[world.entity(fact), world.attribute(fact)]),
            }
        })
        .collect();
    items.shuffle(rng);
    items
}
