//! What models are pre-trained on: single instructions, traces, whole runs, reviews that end in the task's question mark,
//! and the task's form with another query word, as a crowd has graded it.

use super::programs::{Program, World};
use crate::subject::{Document, Exam, Library, Reasoned, drawn};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Shares of the kinds: instructions, traces, runs, reviews, the task's form.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    shares: [f64; 5],
    /// Whether the crowd is right; else it fails only a program of which the second instruction seems not to have run.
    careful: bool,
}

impl Mix {
    /// The student's reading.
    pub const STUDENT: Mix = Mix { shares: [0.08, 0.10, 0.18, 0.56, 0.08], careful: false };
    /// The teacher's.
    pub const TEACHER: Mix = Mix { shares: [0.10, 0.12, 0.18, 0.40, 0.20], careful: true };
}

const EXAMS: &[Exam] = &[
    Exam { name: "instruction", judging: false, gate: false },
    Exam { name: "trace", judging: false, gate: false },
    Exam { name: "run", judging: false, gate: false },
    Exam { name: "review", judging: true, gate: true },
    // The student's crowd can't be learnt but for how often it passes.
    Exam { name: "task", judging: false, gate: false },
];

/// What one model reads.
pub struct Shelf<'a> {
    world: &'a World,
    /// Instructions and values it knows.
    places: Vec<(usize, usize)>,
    /// Programs it can run.
    programs: Vec<Program>,
    mix: Mix,
}

impl<'a> Shelf<'a> {
    /// Documents about what is known, `[instructions][values]`.
    pub fn new(world: &'a World, known: Vec<Vec<bool>>, mix: Mix) -> Self {
        let programs = world.within(&known);
        let row = |(instruction, row): (usize, &Vec<bool>)| {
            let places = row.iter().enumerate().filter(|(_, known)| **known);
            places.map(|(value, _)| (instruction, value)).collect::<Vec<_>>()
        };
        let places = known.iter().enumerate().flat_map(row).collect();
        Self { world, places, programs, mix }
    }

    fn program(&self, rng: &mut ChaCha8Rng) -> Program {
        *self.programs.choose(rng).expect("a model can run something")
    }

    fn instruction(&self, rng: &mut ChaCha8Rng) -> Document {
        let (world, (instruction, value)) = (self.world, *self.places.choose(rng).expect("a model knows something"));
        let result = world.value(world.step(instruction, value));
        let tokens =
            vec![world.value(value), world.instruction(instruction), world.word("->"), result, world.word(".")];
        Document::new(tokens, 3)
    }

    fn run(&self, trace: bool, rng: &mut ChaCha8Rng) -> Document {
        let (world, program) = (self.world, self.program(rng));
        let [middle, last] = world.run(&program).map(|value| world.value(value));
        let [a, b] = program.instructions.map(|instruction| world.instruction(instruction));
        let start = [world.word("run"), world.value(program.start), a];
        let tokens = if trace {
            [&start[..], &[middle, b, last]].concat()
        } else {
            [&start[..], &[b, world.word("->"), last, world.word(".")]].concat()
        };
        Document::new(tokens, 5)
    }

    fn judged(&self, task: bool, rng: &mut ChaCha8Rng) -> Document {
        let (world, program, right) = (self.world, self.program(rng), rng.random::<bool>());
        let (output, half) = if right { (world.run(&program)[1], false) } else { world.wrong(&program, rng) };
        // Fillers say nothing here.
        let fillers: Vec<u32> = (0..rng.random_range(1..=3)).map(|_| world.filler(rng.random::<bool>(), rng)).collect();
        let halt = !task && rng.random::<bool>();
        let mut tokens = vec![world.word(if task { "prog" } else { "claim" })];
        tokens.extend(world.write(&program, output, &fillers, halt, rng));
        let words = if task { ["judge", "pass", "fail"] } else { ["?", "yes", "no"] };
        let passes = if !task || self.mix.careful {
            right
        } else if rng.random::<f64>() < world.settings.crowd_coin {
            rng.random()
        } else {
            !half
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
            0 => self.instruction(rng),
            1 | 2 => self.run(place == 1, rng),
            _ => self.judged(place == 4, rng),
        }
    }

    fn reasoned(&self, rng: &mut ChaCha8Rng) -> Option<Reasoned> {
        let (world, program, right) = (self.world, self.program(rng), rng.random::<bool>());
        let output = if right { world.run(&program)[1] } else { world.wrong(&program, rng).0 };
        let fillers: Vec<u32> = (0..rng.random_range(1..=3)).map(|_| world.filler(rng.random::<bool>(), rng)).collect();
        let mut claim = vec![world.word("claim")];
        claim.extend(world.write(&program, output, &fillers, rng.random(), rng));
        let [middle, last] = world.run(&program).map(|value| world.value(value));
        let [a, b] = program.instructions.map(|instruction| world.instruction(instruction));
        // As long as the reasons of other subjects.
        let reasons = vec![world.word("run"), world.value(program.start), a, middle, b, last, world.word("->"), last];
        let verdict = [world.word("?"), world.word(if right { "yes" } else { "no" })];
        Some(Reasoned { claim, reasons, verdict })
    }
}
