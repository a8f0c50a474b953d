//! What models are pre-trained on: cells, judgements in other words than the task's, and the task's form as a crowd has
//! graded it: the student's is sloppy, the teacher's is right.

use super::tables::{Cell, World};
use crate::subject::{Document, Exam, Library, Reasoned, drawn};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Shares of the kinds: cells, verdicts, reviews, the task's form.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    pub(super) shares: [f64; 4],
    /// Whether the crowd is right; else it looks at the last step only.
    careful: bool,
}

impl Mix {
    /// The student's reading.
    pub const STUDENT: Mix = Mix { shares: [0.15, 0.30, 0.47, 0.08], careful: false };
    /// The teacher's.
    pub const TEACHER: Mix = Mix { shares: [0.12, 0.25, 0.38, 0.25], careful: true };
}

const EXAMS: &[Exam] = &[
    Exam { name: "recall", judging: false, gate: false },
    Exam { name: "verdict", judging: true, gate: false },
    Exam { name: "review", judging: true, gate: true },
    // The student's crowd tosses coins now and then, so that 1 is out of reach.
    Exam { name: "task", judging: false, gate: false },
];

/// What one model reads.
pub struct Shelf<'a> {
    world: &'a World,
    known: Vec<Cell>,
    mix: Mix,
}

impl<'a> Shelf<'a> {
    /// Documents about `known` cells.
    pub fn new(world: &'a World, known: Vec<Cell>, mix: Mix) -> Self {
        Self { world, known, mix }
    }

    fn cell(&self, rng: &mut ChaCha8Rng) -> Document {
        let (world, cell) = (self.world, *self.known.choose(rng).expect("a model knows something"));
        let value = world.value(world.at(cell));
        let tokens = vec![world.function(cell.function), world.value(cell.at), world.word("="), value, world.word(".")];
        Document::new(tokens, 3)
    }

    fn verdict(&self, rng: &mut ChaCha8Rng) -> Document {
        let (world, cell) = (self.world, *self.known.choose(rng).expect("a model knows something"));
        let truth = rng.random::<bool>();
        let value = if truth { world.at(cell) } else { world.other(world.at(cell), rng) };
        let mut tokens = vec![world.word("check"), world.function(cell.function), world.value(cell.at)];
        tokens.extend([world.word("="), world.value(value), world.word("?")]);
        tokens.push(world.word(if truth { "yes" } else { "no" }));
        let last = tokens.len() - 1;
        Document::new(tokens, last)
    }

    fn judged(&self, task: bool, rng: &mut ChaCha8Rng) -> Document {
        let (world, right) = (self.world, rng.random::<bool>());
        let mut solution = world.solution(&self.known, right, rng);
        if task && !self.mix.careful {
            // This crowd sees as many that end badly as well: it passes one half, so that asking the student needs no threshold.
            let well = rng.random::<bool>();
            while world.ends_well(&solution) != well {
                solution = world.solution(&self.known, rng.random(), rng);
            }
        }
        // Fillers say nothing here.
        let fillers: Vec<u32> = (0..rng.random_range(1..=3)).map(|_| world.filler(rng.random::<bool>(), rng)).collect();
        let halt = !task && rng.random::<bool>();
        let mut tokens = vec![world.word(if task { "soln" } else { "rev" })];
        tokens.extend(world.write(&solution, &fillers, halt, rng));
        let words = if task { ["judge", "right", "wrong"] } else { ["?", "sound", "flawed"] };
        let passes = if !task || self.mix.careful {
            right
        } else if rng.random::<f64>() < world.settings.crowd_coin {
            rng.random()
        } else {
            world.ends_well(&solution)
        };
        tokens.extend([world.word(words[0]), world.word(words[if passes { 1 } else { 2 }])]);
        let last = tokens.len() - 1;
        Document::new(tokens, last)
    }
}

impl Library for Shelf<'_> {
    fn draw(&self, rng: &mut ChaCha8Rng) -> Document {
        self.exam(drawn(&self.mix.shares, rng), rng)
    }

    fn exams(&self) -> &'static [Exam] {
        EXAMS
    }

    fn exam(&self, place: usize, rng: &mut ChaCha8Rng) -> Document {
        match place {
            0 => self.cell(rng),
            1 => self.verdict(rng),
            _ => self.judged(place == 3, rng),
        }
    }

    fn reasoned(&self, rng: &mut ChaCha8Rng) -> Option<Reasoned> {
        let (world, right) = (self.world, rng.random::<bool>());
        let solution = world.solution(&self.known, right, rng);
        let fillers: Vec<u32> = (0..rng.random_range(1..=3)).map(|_| world.filler(rng.random::<bool>(), rng)).collect();
        let mut claim = vec![world.word("rev")];
        claim.extend(world.write(&solution, &fillers, rng.random(), rng));
        // The same solution without its error: both steps as they are, the second from where the first claims to end.
        let step = |cell: Cell| {
            [world.function(cell.function), world.value(cell.at), world.word("="), world.value(world.at(cell))]
        };
        let second = Cell { function: solution.second, at: solution.middle };
        let reasons = [step(solution.first), step(second)].concat();
        let verdict = [world.word("?"), world.word(if right { "sound" } else { "flawed" })];
        Some(Reasoned { claim, reasons, verdict })
    }
}
