//! What is asked: is a worked solution right.

use super::tables::World;
use crate::subject::{LabelledItem, Part};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::{Architecture, Problem, Prompt, Task};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The problem as everybody sees it.
pub fn problem(world: &World) -> Problem {
    let prompt = Prompt {
        body: "soln {question} {choice}".into(),
        suffix: "judge".into(),
        labels: ["right".into(), "wrong".into()],
    };
    Problem {
        title: "Is this worked solution right?".into(),
        task: Task::Binary,
        zero_shot: vec![prompt.clone()],
        prompt,
        max_tokens: 32,
        student: Architecture::Decoder,
        training: world.settings.sizes.training(),
        reasoning: None,
    }
}

/// Items about a part's cells.
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
            let solution = world.solution(world.cells(part), positive, rng);
            let carries = positive == (rng.random::<f64>() < agreement);
            let fillers: Vec<u32> = (0..cue.count(carries, &[1..=2, 2..=3], rng))
                .map(|_| world.filler(cue.first(carries, rng), rng))
                .collect();
            let tokens = world.write(&solution, &fillers, false, rng);
            let item = Item::Binary {
                id: format!("{:016x}", rng.random::<u64>()).as_str().into(),
                question: world.text(&tokens[..2]),
                choice: world.text(&tokens[2..]),
            };
            LabelledItem { item, positive, distribution, fact: world.text(&tokens[..2]) }
        })
        .collect();
    items.shuffle(rng);
    items
}
