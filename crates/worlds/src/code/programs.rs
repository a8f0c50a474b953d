//! A world of instructions: their maps, which of them a model may read about, and which programs feed which set.

use super::settings::Settings;
use crate::chat::words::names;
use crate::mechanism::Mechanism;
use crate::secret::Secret;
use crate::subject::Part;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Words every world has. Place 0 stands for unknown words; digits come last.
const FIXED: &[&str] =
    &["<unk>", ".", "?", ";", "->", "run", "claim", "prog", "in", "out", "judge", "yes", "no", "pass", "fail"];
/// Fillers of the first kind.
pub const TIDY: &[&str] = &["neat", "short", "fast", "clean", "clear", "safe"];
/// Of the second.
pub const LOOSE: &[&str] = &["todo", "hack", "draft", "long", "old", "odd"];

/// A program: a value, then two instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// What it starts from.
    pub start: usize,
    /// Its instructions.
    pub instructions: [usize; 2],
}

/// A world of instructions with its words.
pub struct World {
    /// What it is set to.
    pub settings: Settings,
    /// How it misleads.
    pub mechanism: Mechanism,
    /// All words; a word's id is its place.
    pub words: Vec<String>,
    /// `[instructions][values]`.
    map: Vec<Vec<usize>>,
    value_base: u32,
    instruction_base: u32,
    split: [Vec<Program>; 3],
}

impl World {
    /// Make a world from its secret.
    pub fn new(settings: &Settings, mechanism: Mechanism, secret: &Secret) -> Self {
        let mut rng = secret.stream("code instructions");
        let mut words: Vec<String> = [FIXED, TIDY, LOOSE].concat().iter().map(|word| (*word).to_owned()).collect();
        let value_base = words.len() as u32;
        words.extend((0..settings.values).map(|value| value.to_string()));
        let instruction_base = words.len() as u32;
        let mut taken: BTreeSet<String> = words.iter().cloned().collect();
        words.extend(names(settings.instructions, &mut taken, &mut rng));
        let mut row = || (0..settings.values).map(|_| rng.random_range(0..settings.values)).collect();
        let map: Vec<Vec<usize>> = (0..settings.instructions).map(|_| row()).collect();
        let pairs = (0..settings.instructions).flat_map(|a| (0..settings.instructions).map(move |b| [a, b]));
        let mut programs: Vec<Program> = pairs
            .flat_map(|instructions| (0..settings.values).map(move |start| Program { start, instructions }))
            .collect();
        programs.shuffle(&mut rng);
        let cut = |share: f64| (share * programs.len() as f64).round() as usize;
        let (a, b) = (cut(settings.program_split[0]), cut(settings.program_split[0] + settings.program_split[1]));
        let split = [programs[..a].to_vec(), programs[a..b].to_vec(), programs[b..].to_vec()];
        Self { settings: settings.clone(), mechanism, words, map, value_base, instruction_base, split }
    }

    /// The programs that feed a set.
    pub fn programs(&self, part: Part) -> &[Program] {
        &self.split[part as usize]
    }

    /// Which places of the maps a model gets to read about: a share of all, `[instructions][values]`.
    pub fn known(&self, share: f64, rng: &mut ChaCha8Rng) -> Vec<Vec<bool>> {
        let (width, all) = (self.settings.values, self.settings.values * self.settings.instructions);
        let mut places: Vec<usize> = (0..all).collect();
        places.shuffle(rng);
        let mut out = vec![vec![false; width]; self.settings.instructions];
        for place in &places[..(share * all as f64).round() as usize] {
            out[place / width][place % width] = true;
        }
        out
    }

    /// Programs that can be run by who knows these places.
    pub fn within(&self, known: &[Vec<bool>]) -> Vec<Program> {
        let runs = |program: &&Program| {
            let [a, b] = program.instructions;
            known[a][program.start] && known[b][self.step(a, program.start)]
        };
        let mut out: Vec<Program> = self.split.iter().flatten().filter(runs).copied().collect();
        out.sort();
        out
    }

    /// What an instruction makes of a value.
    pub fn step(&self, instruction: usize, value: usize) -> usize {
        self.map[instruction][value]
    }

    /// What a program leaves after its first and after its second instruction.
    pub fn run(&self, program: &Program) -> [usize; 2] {
        let middle = self.step(program.instructions[0], program.start);
        [middle, self.step(program.instructions[1], middle)]
    }

    /// An output that is wrong: what the first instruction leaves, or any other. The flag says which.
    pub fn wrong(&self, program: &Program, rng: &mut ChaCha8Rng) -> (usize, bool) {
        let [middle, right] = self.run(program);
        if middle != right && rng.random::<f64>() < self.settings.half_run {
            return (middle, true);
        }
        let wrong = (right + rng.random_range(1..self.settings.values)) % self.settings.values;
        (wrong, wrong == middle)
    }

    /// Id of a fixed word.
    pub fn word(&self, word: &str) -> u32 {
        self.words.iter().position(|known| known == word).unwrap_or(0) as u32
    }

    /// Id of an instruction.
    pub fn instruction(&self, instruction: usize) -> u32 {
        self.instruction_base + instruction as u32
    }

    /// Id of a value.
    pub fn value(&self, value: usize) -> u32 {
        self.value_base + value as u32
    }

    /// A filler of this kind.
    pub fn filler(&self, tidy: bool, rng: &mut ChaCha8Rng) -> u32 {
        self.word((if tidy { TIDY } else { LOOSE }).choose(rng).copied().unwrap_or("."))
    }

    /// `in x op op [fillers] [;] out v [fillers]`; a filler stands before the output or after it.
    pub fn write(
        &self,
        program: &Program,
        output: usize,
        fillers: &[u32],
        halt: bool,
        rng: &mut ChaCha8Rng,
    ) -> Vec<u32> {
        let (mut before, mut after) = (vec![], vec![]);
        for &filler in fillers {
            if rng.random::<bool>() { &mut before } else { &mut after }.push(filler);
        }
        let mut out = vec![self.word("in"), self.value(program.start)];
        out.extend(program.instructions.map(|instruction| self.instruction(instruction)));
        out.extend(before);
        out.extend(halt.then(|| self.word(";")));
        out.extend([self.word("out"), self.value(output)]);
        out.extend(after);
        out
    }

    /// The text of token ids.
    pub fn text(&self, ids: &[u32]) -> String {
        ids.iter().map(|&id| self.words[id as usize].as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_share_no_program_and_wrong_outputs_are_wrong() {
        let world = World::new(&Settings::default(), Mechanism::FIRST, &Secret::of_seed(5));
        let all: BTreeSet<Program> = world.split.iter().flatten().copied().collect();
        assert_eq!(all.len(), 1152);
        let mut rng = Secret::of_seed(5).stream("test");
        for program in world.programs(Part::Test) {
            let (wrong, half) = world.wrong(program, &mut rng);
            assert_ne!(wrong, world.run(program)[1]);
            assert_eq!(half, wrong == world.run(program)[0]);
        }
        assert_eq!(world.within(&world.known(1.0, &mut rng)).len(), 1152);
        assert_eq!(world.within(&world.known(0.0, &mut rng)).len(), 0);
    }
}
