//! The file of a table: JSON lines; what it is, one run each, and a last one with the hash of all before it.

use crate::bench::results::Tried;
use crate::bench::{BenchError, Contender, Entrant};
use aar_domain::rung::Split;
use aar_domain::testbed::Origin;
use aar_methods::shipped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// The newest format of a table's file.
pub const FORMAT: u32 = 1;

/// What a reader who has only the file needs to know.
const ABOUT: &[&str] = &[
    "A tabular benchmark of weak-to-strong supervision, made by `aar tabulate`: recipes x seeds on one testbed, every answer kept.",
    "Line 1 is this header; then one line per run (recipe: its number in `recipes`; seed: the e-th teacher of the testbed); the last \
     line has the SHA-256 of everything before it.",
    "answers: per split one bit per item in the order of hidden/inputs/SPLIT.jsonl, first item = highest bit of the first byte, base64; 1 = the \
     positive answer. silent: items with a margin of exactly 0, which count as wrong. Scores follow from the testbed's truth.",
    "operations: counted by the engine, training and answering the feedback split; cpu_s: training and the dearer split. tried: a cheap trial \
     on the pool, as `lab search` makes it before it submits.",
];

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`] when it was made.
    pub aar_table: u32,
    /// How to read it.
    pub about: Vec<String>,
    /// What it was measured on.
    pub testbed: TestbedName,
    /// The version that made it.
    pub version: String,
    /// Seed of the compositions that were drawn.
    pub draw: u64,
    /// Seeds of each recipe, from 0.
    pub seeds: usize,
    /// Items per split.
    pub items: BTreeMap<Split, usize>,
    /// The recipes, by number.
    pub recipes: Vec<Entry>,
}

/// Which testbed it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestbedName {
    /// Its name.
    pub name: String,
    /// Its subject.
    pub subject: String,
    /// First 16 hexadecimal digits of its record's SHA-256.
    pub digest: String,
    /// Where it came from: generator, commitment, mechanism.
    pub origin: Origin,
    /// Whether anybody can read its truth.
    pub truth_public: bool,
}

/// A recipe of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of its file, or what its composition is.
    pub name: String,
    /// Whether it ships; else it was drawn.
    pub shipped: bool,
    /// The recipe.
    pub text: String,
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Number of the recipe.
    pub recipe: usize,
    /// Seed, and number of the teacher.
    pub seed: u64,
    /// Counted operations: training and answering the feedback split.
    pub operations: u64,
    /// CPU-seconds.
    pub cpu_s: f64,
    /// A cheap trial of the recipe; at the first seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
    /// Why there are no answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Answers as bits, base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<Split, String>,
    /// Items that were not answered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub silent: BTreeMap<Split, Vec<usize>>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    runs: usize,
    sha256: String,
}

/// A table in memory; runs by recipe, then seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it is.
    pub header: Header,
    /// `[recipes × seeds]`.
    pub runs: Vec<Run>,
}

impl Run {
    /// Keep a split's answers, given as signs (`+`, `-`, `0`).
    pub fn keep(&mut self, split: Split, signs: &str) {
        let mut bytes = vec![0u8; signs.len().div_ceil(8)];
        let mut silent = Vec::new();
        for (item, sign) in signs.bytes().enumerate() {
            match sign {
                b'+' => bytes[item / 8] |= 0x80 >> (item % 8),
                b'0' => silent.push(item),
                _ => {}
            }
        }
        self.answers.insert(split, BASE64.encode(bytes));
        if !silent.is_empty() {
            self.silent.insert(split, silent);
        }
    }

    /// Margins of size 1 with the kept answers, `[items]`; `None` where there are none, or not so many.
    pub fn margins(&self, split: Split, items: usize) -> Option<Vec<f32>> {
        let bytes = BASE64.decode(self.answers.get(&split)?).ok().filter(|bytes| bytes.len() == items.div_ceil(8))?;
        let positive = |item: usize| bytes[item / 8] & (0x80 >> (item % 8)) != 0;
        let mut margins: Vec<f32> = (0..items).map(|item| if positive(item) { 1.0 } else { -1.0 }).collect();
        for &item in self.silent.get(&split).into_iter().flatten() {
            *margins.get_mut(item)? = 0.0;
        }
        Some(margins)
    }
}

impl Header {
    /// Of so many seeds of these recipes, drawn with `draw`.
    pub fn new(testbed: &Entrant, recipes: &[Contender], seeds: usize, draw: u64) -> Self {
        let record = &testbed.record;
        let entry = |contender: &Contender| Entry {
            name: contender.file.clone(),
            shipped: shipped::text(&contender.file).is_some(),
            text: contender.text.clone(),
        };
        Self {
            aar_table: FORMAT,
            about: ABOUT.iter().map(|&line| line.into()).collect(),
            testbed: TestbedName {
                name: record.name.clone(),
                subject: record.subject.clone(),
                digest: testbed.digest.clone(),
                origin: record.origin.clone(),
                truth_public: record.truth_public,
            },
            version: env!("CARGO_PKG_VERSION").into(),
            draw,
            seeds,
            items: record.splits.iter().map(|(&split, sizes)| (split, sizes.items)).collect(),
            recipes: recipes.iter().map(entry).collect(),
        }
    }
}

impl Table {
    /// Write it beside its place, then move it there.
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(BenchError::file("create", folder))?;
        let part = path.with_extension("part");
        std::fs::write(&part, self.text()).map_err(BenchError::file("write", &part))?;
        std::fs::rename(&part, path).map_err(BenchError::file("write", path))?;
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = serde_json::to_string(&self.header).unwrap_or_default() + "\n";
        for run in &self.runs {
            text.push_str(&serde_json::to_string(run).unwrap_or_default());
            text.push('\n');
        }
        let end = End { runs: self.runs.len(), sha256: hex::encode(Sha256::digest(&text)) };
        text + &serde_json::to_string(&end).unwrap_or_default() + "\n"
    }

    /// Read and check one. What is not whole, or not one, is refused with the reason.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let text = std::fs::read_to_string(path).map_err(BenchError::file("read", path))?;
        parse(&text).map_err(|detail| BenchError::Content { path: path.to_owned(), detail })
    }

    /// Whether it was measured on this testbed; what differs where it was not.
    pub fn fits(&self, testbed: &Entrant) -> Result<(), String> {
        let of = &self.header.testbed;
        if of.digest == testbed.digest {
            return Ok(());
        }
        Err(format!(
            "the table was measured on {} (record {}), this testbed is {} (record {}); `aar tabulate` measures it",
            of.name, of.digest, testbed.record.name, testbed.digest
        ))
    }
}

fn parse(text: &str) -> Result<Table, String> {
    let first = text.lines().next().unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(first).unwrap_or_default();
    match value["aar_table"].as_u64() {
        None => return Err("not a table: the first line should be the header that `aar tabulate` writes".into()),
        Some(format) if format > u64::from(FORMAT) => {
            return Err(format!("format {format} is newer than this version knows ({FORMAT})"));
        }
        Some(_) => {}
    }
    let header: Header = serde_json::from_value(value).map_err(|error| format!("line 1: {error}"))?;
    let cut = "it ends in the middle: the last line should have the hash of what is before it; make it again with `aar tabulate`";
    let body = text.trim_end().rfind('\n').map(|at| at + 1).ok_or(cut)?;
    let end: End = serde_json::from_str(&text[body..]).map_err(|_| cut.to_owned())?;
    if hex::encode(Sha256::digest(&text[..body])) != end.sha256 {
        return Err("damaged: what it holds does not have the SHA-256 that its last line names".into());
    }
    let read = |(line, text): (usize, &str)| {
        serde_json::from_str::<Run>(text).map_err(|error| format!("line {}: {error}", line + 1))
    };
    let runs = text[..body].lines().enumerate().skip(1).map(read).collect::<Result<Vec<_>, _>>()?;
    check(&header, &runs)?;
    Ok(Table { header, runs })
}

/// Every run in its place, with as many answers as there are items.
fn check(header: &Header, runs: &[Run]) -> Result<(), String> {
    if header.seeds == 0 || runs.len() != header.recipes.len() * header.seeds {
        let planned = format!("{} recipes x {} seeds", header.recipes.len(), header.seeds);
        return Err(format!("{} runs, but {planned} are announced", runs.len()));
    }
    for (at, run) in runs.iter().enumerate() {
        if (run.recipe, run.seed) != (at / header.seeds, (at % header.seeds) as u64) {
            return Err(format!("line {}: not the run that belongs there", at + 2));
        }
        let whole = |(&split, &items): (&Split, &usize)| run.margins(split, items).is_some();
        if run.failed.is_none() && !header.items.iter().all(whole) {
            return Err(format!("line {}: not as many answers as there are items", at + 2));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_as_bits() {
        let mut run = Run::default();
        run.keep(Split::Feedback, "+-0++-----+");
        assert_eq!(run.answers[&Split::Feedback], "mCA=");
        let margins = run.margins(Split::Feedback, 11).unwrap();
        assert_eq!(margins, [1.0, -1.0, 0.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 1.0]);
        assert_eq!(run.margins(Split::Feedback, 17), None);
        assert_eq!(run.margins(Split::Selection, 11), None);
    }
}
