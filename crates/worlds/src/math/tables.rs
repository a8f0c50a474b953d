//! A world of functions: their tables, which cells a model may read, and which cells feed which set.

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
    &["<unk>", ".", "?", "=", ";", "check", "rev", "soln", "judge", "yes", "no", "sound", "flawed", "right", "wrong"];
/// Fillers of the first kind.
pub const SURE: &[&str] = &["clearly", "thus", "hence", "indeed", "therefore", "plainly"];
/// Of the second.
pub const UNSURE: &[&str] = &["maybe", "say", "roughly", "perhaps", "somehow", "about"];

/// A cell of a table: a function at a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Which function.
    pub function: usize,
    /// At which value.
    pub at: usize,
}

/// A world of functions with its words.
pub struct World {
    /// What it is set to.
    pub settings: Settings,
    /// How it misleads.
    pub mechanism: Mechanism,
    /// All words; a word's id is its place.
    pub words: Vec<String>,
    /// `[functions][values]`.
    table: Vec<Vec<usize>>,
    value_base: u32,
    function_base: u32,
    split: [Vec<Cell>; 3],
}

/// A worked solution: `first` gives `middle`, `second` at `middle` gives `last`, as it claims.
#[derive(Clone, Copy, Debug)]
pub struct Solution {
    /// The first step's cell.
    pub first: Cell,
    /// What it claims to be there.
    pub middle: usize,
    /// The second step's function.
    pub second: usize,
    /// What it claims to be there.
    pub last: usize,
}

impl World {
    /// Make a world from its secret.
    pub fn new(settings: &Settings, mechanism: Mechanism, secret: &Secret) -> Self {
        let mut rng = secret.stream("math tables");
        let mut words: Vec<String> = [FIXED, SURE, UNSURE].concat().iter().map(|word| (*word).to_owned()).collect();
        let value_base = words.len() as u32;
        words.extend((0..settings.values).map(|value| value.to_string()));
        let function_base = words.len() as u32;
        let mut taken: BTreeSet<String> = words.iter().cloned().collect();
        words.extend(names(settings.functions, &mut taken, &mut rng));
        let mut row = || (0..settings.values).map(|_| rng.random_range(0..settings.values)).collect();
        let table: Vec<Vec<usize>> = (0..settings.functions).map(|_| row()).collect();
        let mut cells: Vec<Cell> = (0..settings.functions)
            .flat_map(|function| (0..settings.values).map(move |at| Cell { function, at }))
            .collect();
        cells.shuffle(&mut rng);
        let cut = |share: f64| (share * cells.len() as f64).round() as usize;
        let (a, b) = (cut(settings.fact_split[0]), cut(settings.fact_split[0] + settings.fact_split[1]));
        let split = [cells[..a].to_vec(), cells[a..b].to_vec(), cells[b..].to_vec()];
        Self { settings: settings.clone(), mechanism, words, table, value_base, function_base, split }
    }

    /// The cells that feed a set.
    pub fn cells(&self, part: Part) -> &[Cell] {
        &self.split[part as usize]
    }

    /// A share of every set's cells, drawn alike in each, that a model gets to read.
    pub fn known(&self, share: f64, rng: &mut ChaCha8Rng) -> Vec<Cell> {
        let mut out = Vec::new();
        for cells in &self.split {
            let mut cells = cells.clone();
            cells.shuffle(rng);
            out.extend(&cells[..(share * cells.len() as f64).round() as usize]);
        }
        out.sort();
        out
    }

    /// Id of a fixed word.
    pub fn word(&self, word: &str) -> u32 {
        self.words.iter().position(|known| known == word).unwrap_or(0) as u32
    }

    /// Id of a function.
    pub fn function(&self, function: usize) -> u32 {
        self.function_base + function as u32
    }

    /// Id of a value.
    pub fn value(&self, value: usize) -> u32 {
        self.value_base + value as u32
    }

    /// What is in a cell.
    pub fn at(&self, cell: Cell) -> usize {
        self.table[cell.function][cell.at]
    }

    /// Another value.
    pub fn other(&self, value: usize, rng: &mut ChaCha8Rng) -> usize {
        (value + rng.random_range(1..self.settings.values)) % self.settings.values
    }

    /// A solution whose steps are in `cells`, right or with one wrong step; what follows from a wrong first step is right.
    pub fn solution(&self, cells: &[Cell], right: bool, rng: &mut ChaCha8Rng) -> Solution {
        let wrong_first = !right && rng.random::<bool>();
        loop {
            let first = *cells.choose(rng).expect("every part has cells");
            let truth = self.at(first);
            let middle = if wrong_first { self.other(truth, rng) } else { truth };
            let next: Vec<&Cell> = cells.iter().filter(|cell| cell.at == middle).collect();
            let Some(second) = next.choose(rng) else { continue };
            let follows = self.at(**second);
            let last = if right || wrong_first { follows } else { self.other(follows, rng) };
            return Solution { first, middle, second: second.function, last };
        }
    }

    /// Whether the second step of a solution is right.
    pub fn ends_well(&self, solution: &Solution) -> bool {
        self.at(Cell { function: solution.second, at: solution.middle }) == solution.last
    }

    /// Fillers by kind, as ids.
    pub fn filler(&self, sure: bool, rng: &mut ChaCha8Rng) -> u32 {
        self.word((if sure { SURE } else { UNSURE }).choose(rng).copied().unwrap_or("."))
    }

    /// `F x = u [fillers] [;] G u = w [fillers]`; a filler stands in the middle or at the end.
    pub fn write(&self, solution: &Solution, fillers: &[u32], halt: bool, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let equals = self.word("=");
        let (mut middle, mut end) = (vec![], vec![]);
        for &filler in fillers {
            if rng.random::<bool>() { &mut middle } else { &mut end }.push(filler);
        }
        let (first, between) = (solution.first, self.value(solution.middle));
        let mut out = vec![self.function(first.function), self.value(first.at), equals, between];
        out.extend(middle);
        out.extend(halt.then(|| self.word(";")));
        out.extend([self.function(solution.second), between, equals, self.value(solution.last)]);
        out.extend(end);
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
    fn a_wrong_solution_has_exactly_one_wrong_step() {
        let world = World::new(&Settings::default(), Mechanism::FIRST, &Secret::of_seed(5));
        let mut rng = Secret::of_seed(5).stream("test");
        let mut first_wrong = 0;
        for i in 0..400 {
            let right = i % 2 == 0;
            let solution = world.solution(world.cells(Part::Test), right, &mut rng);
            let begins_well = world.at(solution.first) == solution.middle;
            let wrong = usize::from(!begins_well) + usize::from(!world.ends_well(&solution));
            assert_eq!(wrong, usize::from(!right));
            first_wrong += usize::from(!begins_well);
        }
        assert!((60..140).contains(&first_wrong), "{first_wrong}");
        let all: BTreeSet<Cell> = world.split.iter().flatten().copied().collect();
        assert_eq!(all.len(), 150);
    }
}
