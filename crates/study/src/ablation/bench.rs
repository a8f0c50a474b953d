//! A table in memory: every recipe's right and wrong answers by seed, ready to be graded.

use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;
use aar_grader::Vault;
use aar_methods::Recipe;
use aar_methods::search::space::{self, Genome};
use aar_worlds::bench::results::Tried;
use aar_worlds::bench::{BenchError, Entrant};
use aar_worlds::tabular::{Entry, Run, Table};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Evaluation seeds a submission is graded on, where the table has more; the default study's.
const TOLD: usize = 3;

/// A table with its testbed's vault.
pub struct Bench {
    /// The testbed's name.
    pub name: String,
    /// Its subject.
    pub subject: String,
    /// Seeds of each recipe.
    pub seeds: usize,
    /// The recipes.
    pub rows: Vec<Row>,
    by_genome: BTreeMap<Genome, usize>,
    pub(super) vault: Vault,
    plain: usize,
}

/// A recipe of the table.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether it ships.
    pub shipped: bool,
    /// What a researcher reads of its bundle: its genome, or that of a relative.
    pub read: Option<Genome>,
    /// What a cheap trial of it showed.
    pub tried: Option<Tried>,
    /// By seed; `None` where it failed at any.
    runs: Option<Vec<Scored>>,
    /// Its run's operations, mean over seeds; plain training's where it failed.
    operations: f64,
}

/// One seed's.
struct Scored {
    /// Which items of the feedback split were right.
    feedback: Vec<bool>,
    /// PGR on the selection split.
    selection: f64,
}

/// The table's seeds as one study uses them.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeds {
    /// What submissions are graded on.
    pub told: Vec<usize>,
    /// What the close replicates on.
    pub fresh: Vec<usize>,
}

impl Seeds {
    /// Some of a table's seeds to be told by, the rest fresh.
    pub fn drawn(seeds: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut told: Vec<usize> = (0..seeds).collect();
        told.shuffle(rng);
        let fresh = told.split_off(told_of(seeds));
        Self { told, fresh }
    }
}

/// At least one is left fresh.
fn told_of(seeds: usize) -> usize {
    TOLD.min(seeds.saturating_sub(1))
}

impl Bench {
    /// Read a table and find its testbed among folders.
    pub fn open(table: &Path, testbeds: &[PathBuf]) -> Result<Self, BenchError> {
        let read = Table::read(table)?;
        let of = &read.header.testbed;
        let mut why = format!("its testbed, {} (record {}), is not among those given", of.name, of.digest);
        for testbed in testbeds {
            let entrant = Entrant::open(testbed)?;
            match read.fits(&entrant) {
                Ok(()) => return Self::of(&read, &entrant).map_err(|error| error.into_error(table)),
                // The testbed of the same name says most about what is wrong.
                Err(other) if entrant.record.name == of.name || testbeds.len() == 1 => why = other,
                Err(_) => {}
            }
        }
        Err(BenchError::Content { path: table.to_owned(), detail: why })
    }

    fn of(table: &Table, testbed: &Entrant) -> Result<Self, Wrong> {
        let header = &table.header;
        if header.seeds < 2 {
            return Err(Wrong::Table(
                "one seed can't both tell and replicate: a replay needs a table of at least 2".into(),
            ));
        }
        let vault = Vault::open(&testbed.path).map_err(|error| Wrong::Bench(error.into()))?;
        let frozen = vault.frozen(Split::Selection);
        if frozen.ceiling <= frozen.weak {
            return Err(Wrong::Table(
                "its testbed has no gap between weak and ceiling, so nothing can be scored".into(),
            ));
        }
        let mut rows = Vec::new();
        for (entry, runs) in header.recipes.iter().zip(table.runs.chunks(header.seeds)) {
            rows.push(Row::of(entry, runs, &vault, (frozen.weak, frozen.ceiling))?);
        }
        let plain = rows.iter().position(|row| row.shipped && row.name == "plain" && row.runs.is_some());
        let plain = plain
            .ok_or_else(|| Wrong::Table("plain training is not in it, and everything is compared with that".into()))?;
        let unit = rows[plain].operations;
        rows.iter_mut().filter(|row| row.runs.is_none()).for_each(|row| row.operations = unit);
        let mut by_genome = BTreeMap::new();
        for (at, (row, entry)) in rows.iter().zip(&header.recipes).enumerate() {
            let recipe = Recipe::parse(&entry.text, Path::new(&row.name));
            let recipe = recipe.map_err(|error| Wrong::Table(format!("recipe {at}: {error}")))?;
            if let Some(genome) = space::exact(&recipe, &entry.text) {
                by_genome.insert(genome, at);
            }
        }
        let (name, subject) = (header.testbed.name.clone(), header.testbed.subject.clone());
        Ok(Self { name, subject, seeds: header.seeds, rows, by_genome, vault, plain })
    }

    /// The row that is a composition of the search's space.
    pub fn row(&self, genome: &Genome) -> Option<usize> {
        self.by_genome.get(genome).copied()
    }

    /// Compositions that can be proposed.
    pub fn genomes(&self) -> impl Iterator<Item = (&Genome, usize)> {
        self.by_genome.iter().map(|(genome, &row)| (genome, row))
    }

    /// Plain training's row.
    pub fn plain(&self) -> usize {
        self.plain
    }

    /// What evaluating a row costs, in plain training's evaluations.
    pub fn cost(&self, row: usize) -> f64 {
        self.in_plain(self.rows[row].operations)
    }

    /// What a cheap trial of a row cost, in plain training's evaluations: one training on a slice, where an evaluation has one per seed.
    pub fn trial_cost(&self, row: usize) -> f64 {
        let operations = self.rows[row].tried.as_ref().map_or(0, Tried::operations);
        self.in_plain(operations as f64 / told_of(self.seeds) as f64)
    }

    fn in_plain(&self, operations: f64) -> f64 {
        operations / self.rows[self.plain].operations.max(1.0)
    }

    /// A row's outcomes on the feedback split at these seeds; `None` where it failed.
    pub(super) fn feedback(&self, row: usize, seeds: &[usize]) -> Option<Outcomes> {
        let runs = self.rows[row].runs.as_ref()?;
        let correct = seeds.iter().map(|&seed| runs[seed].feedback.clone()).collect();
        Some(Outcomes { seeds: seeds.iter().map(|&seed| seed as u64).collect(), correct })
    }

    /// A row's mean PGR on the selection split at these seeds; `None` where it failed.
    pub fn selection(&self, row: usize, seeds: &[usize]) -> Option<f64> {
        let runs = self.rows[row].runs.as_ref()?;
        Some(seeds.iter().map(|&seed| runs[seed].selection).sum::<f64>() / seeds.len() as f64)
    }

    /// The row that is best on the selection split at the told seeds: as far as this table goes.
    pub fn best(&self, seeds: &Seeds) -> usize {
        let value = |&row: &usize| self.selection(row, &seeds.told).unwrap_or(f64::NEG_INFINITY);
        (0..self.rows.len()).max_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(self.plain)
    }
}

impl Row {
    fn of(entry: &Entry, runs: &[Run], vault: &Vault, (weak, ceiling): (f64, f64)) -> Result<Self, Wrong> {
        let outcomes = |run: &Run, split: Split| {
            let margins = run.margins(split, vault.items(split))?;
            vault.outcomes(split, &[run.seed], &[margins])
        };
        let mut scored = Vec::new();
        for run in runs.iter().filter(|run| run.failed.is_none()) {
            let (Some(feedback), Some(selection)) = (outcomes(run, Split::Feedback), outcomes(run, Split::Selection))
            else {
                return Err(Wrong::Table(format!("{}: not as many answers as its testbed has items", entry.name)));
            };
            let selection = (selection.accuracy() - weak) / (ceiling - weak);
            scored.push(Scored { feedback: feedback.correct.into_iter().next().unwrap_or_default(), selection });
        }
        Ok(Self {
            name: entry.name.clone(),
            shipped: entry.shipped,
            read: space::read(&entry.text),
            tried: runs.iter().find_map(|run| run.tried.clone()),
            operations: runs.iter().map(|run| run.operations as f64).sum::<f64>() / runs.len() as f64,
            runs: (scored.len() == runs.len()).then_some(scored),
        })
    }

    /// Whether it failed at any seed.
    pub fn failed(&self) -> bool {
        self.runs.is_none()
    }
}

/// Why a table can't be used, before its path is known.
enum Wrong {
    Table(String),
    Bench(BenchError),
}

impl Wrong {
    fn into_error(self, table: &Path) -> BenchError {
        match self {
            Wrong::Table(detail) => BenchError::Content { path: table.to_owned(), detail },
            Wrong::Bench(error) => error,
        }
    }
}
