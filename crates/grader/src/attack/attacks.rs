//! The attacks. Each gets a door and what an attacker knows, and comes back with a guess of the graded labels.

use super::detecting;
use super::door::Door;
use super::world::{Known, World, margins};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What an attack came back with.
pub struct Loot {
    /// Its guess of the graded labels.
    pub guess: Vec<bool>,
    /// The method it would stand for, where that is not plain training with stolen labels: its true PGR.
    pub method: Option<f64>,
    /// What it would have guessed without asking, where that is not plain training's answers.
    pub blind: Option<Vec<bool>>,
}

/// One attack.
pub struct Attack {
    /// Its name.
    pub name: &'static str,
    /// How it goes about.
    pub run: fn(&mut dyn Door, &World, &Known, &mut ChaCha8Rng) -> Loot,
}

/// All of them.
pub const ATTACKS: &[Attack] = &[
    Attack { name: "one-by-one flips", run: one_by_one },
    Attack { name: "detecting matrix", run: detecting_matrix },
    Attack { name: "block flips, kept when better", run: climbing },
    Attack { name: "boosting of random flips", run: boosting },
    Attack { name: "boosting without any knowledge", run: ignorant },
    Attack { name: "abstaining on blocks", run: abstaining },
    Attack { name: "identities by the dozen", run: identities },
    Attack { name: "wrong lengths and huge bodies", run: misfits },
    Attack { name: "infinity and NaN", run: infinities },
    Attack { name: "forged metrics", run: forging },
    Attack { name: "lucky re-runs and seed shopping", run: luck },
    CHOICE,
];

/// The one that every honest team makes too.
pub const CHOICE: Attack = Attack { name: "choice among many bundles", run: choice };

fn labels(guess: Vec<bool>) -> Loot {
    Loot { guess, method: None, blind: None }
}

/// Flip one item after the other and see whether the answer rises.
fn one_by_one(door: &mut dyn Door, _: &World, known: &Known, _: &mut ChaCha8Rng) -> Loot {
    let mut guess = known.prior.clone();
    let Some(mut best) = door.ask(0, &[margins(&guess)]) else {
        return labels(guess);
    };
    for item in 0..guess.len() {
        guess[item] = !guess[item];
        match door.ask(0, &[margins(&guess)]) {
            Some(answer) if answer > best + 1e-9 => best = answer,
            answer => {
                guess[item] = !guess[item];
                if answer.is_none() {
                    break;
                }
            }
        }
    }
    labels(guess)
}

/// Flip the subsets that a detecting matrix names, and decode how many of each were right.
fn detecting_matrix(door: &mut dyn Door, _: &World, known: &Known, _: &mut ChaCha8Rng) -> Loot {
    let items = known.prior.len();
    let mut columns = detecting::columns(items);
    columns.retain(|(group, _)| group + 2 <= known.budget);
    let flip = |row: u32| {
        let mut guess = known.prior.clone();
        let named = columns.iter().enumerate().filter(|&(_, &column)| detecting::entry(row, column));
        let size = named.map(|(item, _)| guess[item] = !guess[item]).count();
        (guess, size as f64)
    };
    let Some(base) = door.ask(0, &[margins(&known.prior)]) else {
        return labels(known.prior.clone());
    };
    let mut counts = Vec::new();
    for row in 0..detecting::rows(&columns) {
        let (guess, size) = flip(row);
        let Some(answer) = door.ask(0, &[margins(&guess)]) else { break };
        // Every right one that is flipped is one fewer, every wrong one is one more.
        counts.push(((size - (answer - base) * items as f64) / 2.0).clamp(0.0, size));
    }
    let mut guess = known.prior.clone();
    for (item, right) in detecting::decode(&columns, &counts) {
        guess[item] = known.prior[item] == right;
    }
    labels(guess)
}

/// Items by how unsure they are, the least sure first.
fn unsure(known: &Known) -> Vec<usize> {
    let mut order: Vec<usize> = (0..known.sure.len()).collect();
    order.sort_by(|&a, &b| known.sure[a].total_cmp(&known.sure[b]));
    order
}

/// Flip a random block of unsure items; keep it where the answer rises.
fn climb(door: &mut dyn Door, known: &Known, mut guess: Vec<bool>, rng: &mut ChaCha8Rng) -> Vec<bool> {
    let order = unsure(known);
    let half = order.len() / 2;
    let Some(mut best) = door.ask(0, &[margins(&guess)]) else {
        return guess;
    };
    for _ in 1..known.budget {
        let mut tried = guess.clone();
        for _ in 0..half / 3 {
            let item = order[rng.random_range(0..half)];
            tried[item] = !tried[item];
        }
        match door.ask(0, &[margins(&tried)]) {
            Some(answer) if answer > best + 1e-9 => (best, guess) = (answer, tried),
            Some(_) => {}
            None => break,
        }
    }
    guess
}

fn climbing(door: &mut dyn Door, _: &World, known: &Known, rng: &mut ChaCha8Rng) -> Loot {
    labels(climb(door, known, known.prior.clone(), rng))
}

/// Random flips of all unsure items at once; every answer votes for or against each flip, by how far it is from what was to be expected
/// (Blum and Hardt 2015, section 5, with a prior).
fn boost(door: &mut dyn Door, known: &Known, queries: u32, rng: &mut ChaCha8Rng, who: impl Fn(u32) -> usize) -> Loot {
    let items = known.prior.len();
    let order = unsure(known);
    let pool = &order[..items * 3 / 4];
    let gain = |item: usize| 2.0 * known.sure[item] - 1.0;
    let mut evidence: Vec<f64> = known.sure.iter().map(|&sure| (sure / (1.0 - sure)).ln()).collect();
    let mut best = door.ask(who(0), &[margins(&known.prior)]).unwrap_or(0.0);
    for query in 1..queries {
        let mut guess = known.prior.clone();
        let flipped: Vec<bool> = pool.iter().map(|_| rng.random()).collect();
        let mut expected = known.sure.iter().sum::<f64>();
        for (&item, _) in pool.iter().zip(&flipped).filter(|(_, flipped)| **flipped) {
            guess[item] = !guess[item];
            expected -= gain(item);
        }
        let Some(answer) = door.ask(who(query), &[margins(&guess)]) else { continue };
        // A ladder that did not move says next to nothing.
        if known.ladder && answer <= best + 1e-9 {
            continue;
        }
        best = best.max(answer);
        let surprise = answer * items as f64 - expected;
        for (&item, flipped) in pool.iter().zip(flipped) {
            let sign = if flipped { -1.0 } else { 1.0 };
            evidence[item] += 4.0 * sign * surprise / pool.len() as f64;
        }
    }
    let guess = evidence.iter().zip(&known.prior).map(|(&evidence, &prior)| (evidence >= 0.0) == prior).collect();
    labels(guess)
}

fn boosting(door: &mut dyn Door, _: &World, known: &Known, rng: &mut ChaCha8Rng) -> Loot {
    boost(door, known, known.budget, rng, |_| 0)
}

/// The same by somebody who knows nothing and starts from coins.
fn ignorant(door: &mut dyn Door, _: &World, known: &Known, rng: &mut ChaCha8Rng) -> Loot {
    let coins: Vec<bool> = known.prior.iter().map(|_| rng.random()).collect();
    let blank = Known { prior: coins.clone(), sure: vec![0.5; coins.len()], ..known.clone() };
    Loot { blind: Some(coins), ..boost(door, &blank, known.budget, rng, |_| 0) }
}

/// The same through a dozen names, each asking as often as one may.
fn identities(door: &mut dyn Door, _: &World, known: &Known, rng: &mut ChaCha8Rng) -> Loot {
    boost(door, known, 12 * known.budget, rng, |query| query as usize % 12)
}

/// Leave blocks without an answer: what the score loses was right.
fn abstaining(door: &mut dyn Door, _: &World, known: &Known, _: &mut ChaCha8Rng) -> Loot {
    let items = known.prior.len();
    let mut guess = known.prior.clone();
    let order = unsure(known);
    let block = items.div_ceil(known.budget.max(2) as usize - 1);
    let Some(base) = door.ask(0, &[margins(&known.prior)]) else {
        return labels(guess);
    };
    for block in order.chunks(block) {
        let mut row = margins(&known.prior);
        block.iter().for_each(|&item| row[item] = 0.0);
        let Some(answer) = door.ask(0, &[row]) else { break };
        let right = (base - answer) * items as f64;
        if !known.ladder && right < block.len() as f64 / 2.0 - 1e-6 {
            block.iter().for_each(|&item| guess[item] = !guess[item]);
        }
    }
    labels(guess)
}

/// Bodies of every wrong size. Any answer to one that names few items would be an oracle for those.
fn misfits(door: &mut dyn Door, _: &World, known: &Known, _: &mut ChaCha8Rng) -> Loot {
    let items = known.prior.len();
    let mut guess = known.prior.clone();
    let one = |length: usize| vec![vec![1.0; length]];
    for rows in [one(0), one(1), one(items - 1), one(items + 1), one(items * 500), vec![], vec![vec![1.0; items]; 9]] {
        if let Some(answer) = door.ask(0, &rows) {
            guess[0] = answer > 0.5;
        }
    }
    labels(guess)
}

/// Margins that are no numbers, alone and among others.
fn infinities(door: &mut dyn Door, _: &World, known: &Known, _: &mut ChaCha8Rng) -> Loot {
    let mut guess = known.prior.clone();
    for (item, odd) in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN].into_iter().enumerate() {
        let mut row = margins(&known.prior);
        row[item] = odd;
        let all = vec![odd; row.len()];
        if let Some(answer) = door.ask(0, &[row]) {
            guess[item] = answer > 0.5;
        }
        let _ = door.ask(0, &[all]);
    }
    labels(guess)
}

/// Say that one's result is 42.
fn forging(door: &mut dyn Door, _: &World, known: &Known, _: &mut ChaCha8Rng) -> Loot {
    let _ = door.ask(0, &[margins(&known.prior)]);
    door.claim(42.0);
    labels(known.prior.clone())
}

/// Submit one method again and again, with new luck on all three seeds each time; the best answer stands.
fn luck(door: &mut dyn Door, world: &World, known: &Known, rng: &mut ChaCha8Rng) -> Loot {
    const TRUE: f64 = 0.2;
    for _ in 0..known.budget.min(100) {
        // The reference scores one run at a time.
        let mut runs: Vec<Vec<f32>> = (0..3).map(|_| world.trained(TRUE, rng)).collect();
        if door.bits().is_none() {
            runs.truncate(1);
        }
        if door.run(&runs, TRUE).is_none() {
            break;
        }
    }
    Loot { guess: known.prior.clone(), method: Some(TRUE), blind: None }
}

/// Many methods of about the same worth; the one with the best answer stands, for what it really is.
fn choice(door: &mut dyn Door, world: &World, known: &Known, rng: &mut ChaCha8Rng) -> Loot {
    let mut found: Option<(f64, f64)> = None;
    for _ in 0..known.budget.min(100) {
        let method = 0.1 + 0.2 * rng.random::<f64>();
        let Some(answer) = door.run(&[world.trained(method, rng)], method) else { break };
        if found.is_none_or(|(best, _)| answer > best + 1e-9) {
            found = Some((answer, method));
        }
    }
    Loot { guess: known.prior.clone(), method: found.map(|(_, method)| method), blind: None }
}
