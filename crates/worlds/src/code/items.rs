//! What is asked: does a program print this output.

use super::programs::World;
use crate::subject::{LabelledItem, Part};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::{Architecture, Problem, Prompt, Task};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

/// The problem as everybody sees it.
pub fn problem(world: &World) -> Problem {
    let prompt =
        Prompt { body: "prog {question} {choice}".into(), suffix: "?".into(), labels: ["pass".into(), "fail".into()] };
    Problem {
        title: "Does this program print this output?".into(),
        task: Task::Binary,
        zero_shot: vec![prompt.clone()],
        prompt,
        max_tokens: 32,
        student: Architecture::Decoder,
        training: world.settings.sizes.training(),
        reasoning: None,
    }
}

/// Items about a part's programs.
pub fn draw(
    world: &World,
    part: Part,
    distribution: Distribution,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<LabelledItem> {
    let agreement = world.mechanism.agreement(world.settings.cue, distribution);
    let cue = world.mechanism.cue;
    let mut items: Vec<LabelledItem> = (0..count)
        .map(|i| {
            let positive = i % 2 == 0;
            let program = *world.programs(part).choose(rng).expect("every part has programs");
            let output = if positive { world.run(&program)[1] } else { world.wrong(&program, rng).0 };
            let carries = positive == (rng.random::<f64>() < agreement);
            let fillers: Vec<u32> = (0..cue.count(carries, &[1..=2, 2..=3], rng))
                .map(|_| world.filler(cue.first(carries, rng), rng))
                .collect();
            let tokens = world.write(&program, output, &fillers, false, rng);
            let item = Item::Binary {
                id: format!("{:016x}", rng.random::<u64>()).as_str().into(),
                question: world.text(&tokens[..4]),
                choice: world.text(&tokens[4..]),
            };
            LabelledItem { item, positive, distribution, fact: world.text(&tokens[..4]) }
        })
        .collect();
    items.shuffle(rng);
    items
}
