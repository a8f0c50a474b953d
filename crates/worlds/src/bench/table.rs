//! The table: what the stored answers are worth, per testbed and over the testbeds of a subject.

use super::results::{self, Outcome, Results};
use super::{BenchError, Plan};
use crate::baselines::mean;
use crate::constructed;
use aar_domain::stats::{Pgr, over_testbeds};
use aar_domain::testbed::{Origin, TestbedRecord, kind_of};
use aar_grader::Vault;
use serde::Serialize;

/// All subjects that take part.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// One part each.
    pub subjects: Vec<SubjectTable>,
    /// The split.
    pub split: &'static str,
    /// Seeds that were asked for.
    pub seeds: usize,
}

/// One subject's testbeds and recipes.
#[derive(Clone, Debug, Serialize)]
pub struct SubjectTable {
    /// Its name, and whether its testbeds were imported.
    pub subject: String,
    /// Its testbeds.
    pub testbeds: Vec<Column>,
    /// One row per recipe, the best mean first.
    pub rows: Vec<Row>,
}

/// A testbed's frozen runs.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Which world it is, for people: the first digits of its commitment, and its mechanism. Empty for what was imported.
    pub world: String,
    /// Weak accuracy.
    pub weak: f64,
    /// Ceiling accuracy.
    pub ceiling: f64,
    /// Items of the split.
    pub items: usize,
    /// Whether anybody can read its truth.
    pub truth_public: bool,
    /// What the shortcuts get that are made for its generator, in PGR, from its record.
    pub constructed: Vec<(String, f64)>,
}

/// A recipe's line.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The recipe's file.
    pub recipe: String,
    /// Its name for people.
    pub name: String,
    /// Its family.
    pub family: &'static str,
    /// One per testbed.
    pub cells: Vec<Cell>,
    /// Mean over the testbeds, with an interval where there are at least two.
    pub over_testbeds: Option<Pgr>,
    /// Counted operations in plain training's, mean over testbeds; `None` where the engine counts none (an encoder's readout).
    pub operations: Option<f64>,
    /// CPU-seconds a seed.
    pub cpu_s: Option<f64>,
}

/// A recipe on a testbed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// Its score.
    Scored {
        /// Undefined where the gap is not clearly positive.
        pgr: Option<Pgr>,
        /// Accuracy.
        accuracy: f64,
        /// Seeds behind it.
        seeds: usize,
    },
    /// Why it is not applicable here.
    NotApplicable(String),
    /// Why it failed, on the first seed that did.
    Failed(String),
    /// No run yet.
    Missing,
}

impl Cell {
    fn value(&self) -> Option<f64> {
        match self {
            Cell::Scored { pgr, .. } => pgr.map(|pgr| pgr.value),
            _ => None,
        }
    }
}

/// What it cost, `[seeds]`.
type Costs = (Vec<u64>, Vec<f64>);

/// Score what there is.
pub fn compose(plan: &Plan, results: &Results) -> Result<Table, BenchError> {
    let mut names: Vec<String> = Vec::new();
    for name in plan.testbeds.iter().map(|testbed| part(&testbed.record)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let subjects = names.into_iter().map(|name| subject(plan, results, name)).collect::<Result<_, _>>()?;
    Ok(Table { subjects, split: plan.splits[0].name(), seeds: plan.seeds })
}

/// Made worlds and imported sets of one subject are no draws from one distribution, so no mean goes over both.
fn part(record: &TestbedRecord) -> String {
    match record.origin {
        Origin::Minted { .. } => record.subject.clone(),
        Origin::Imported { .. } => format!("{}, imported", record.subject),
    }
}

fn subject(plan: &Plan, results: &Results, name: String) -> Result<SubjectTable, BenchError> {
    let mut columns = Vec::new();
    let mut rows: Vec<(Vec<Cell>, Vec<Costs>)> = vec![(vec![], vec![]); plan.methods().count()];
    for testbed in plan.testbeds.iter().filter(|testbed| part(&testbed.record) == name) {
        let vault = Vault::open(&testbed.path)?;
        let frozen = vault.frozen(plan.splits[0]);
        columns.push(Column {
            name: testbed.record.name.clone(),
            world: world(&testbed.record.origin),
            weak: frozen.weak,
            ceiling: frozen.ceiling,
            items: vault.items(plan.splits[0]),
            truth_public: testbed.record.truth_public,
            constructed: constructed::on_record(&testbed.record.checks),
        });
        for (method, (cells, costs)) in plan.methods().zip(&mut rows) {
            if let Err(why) = method.applicable(&testbed.problem) {
                cells.push(Cell::NotApplicable(why.to_string()));
                costs.push((vec![], vec![]));
                continue;
            }
            let runs = (0..plan.seeds as u64).filter_map(|seed| results.get(&plan.key(testbed, method, seed)));
            let (cell, cost) = cell(&vault, plan, runs)?;
            cells.push(cell);
            costs.push(cost);
        }
    }
    let plain = plan.methods().position(|method| method.file() == "plain").map(|at| rows[at].1.clone());
    let mut rows: Vec<Row> = plan
        .methods()
        .zip(rows)
        .map(|(method, (cells, costs))| Row {
            recipe: method.file().to_owned(),
            name: method.name().to_owned(),
            family: method.family(),
            over_testbeds: over_testbeds(&cells.iter().filter_map(Cell::value).collect::<Vec<_>>()),
            operations: plain.as_ref().and_then(|plain| ratio(&costs, plain)),
            cpu_s: pooled(costs.iter().flat_map(|(_, cpu)| cpu.iter().copied())),
            cells,
        })
        .collect();
    rows.sort_by(|a, b| order(b).total_cmp(&order(a)));
    Ok(SubjectTable { subject: name, testbeds: columns, rows })
}

fn world(origin: &Origin) -> String {
    match origin {
        Origin::Minted { commitment, mechanism, .. } => {
            format!("{}; {}", commitment.get(..8).unwrap_or(commitment), kind_of(mechanism))
        }
        Origin::Imported { .. } => String::new(),
    }
}

fn order(row: &Row) -> f64 {
    pooled(row.cells.iter().filter_map(Cell::value)).unwrap_or(f64::NEG_INFINITY)
}

fn pooled(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| mean(values.iter().copied()))
}

fn cell<'a>(
    vault: &Vault,
    plan: &Plan,
    runs: impl Iterator<Item = &'a results::Ran>,
) -> Result<(Cell, Costs), BenchError> {
    let (mut seeds, mut margins, mut costs) = (vec![], vec![], (vec![], vec![]));
    for run in runs {
        costs.0.push(run.operations);
        costs.1.push(run.cpu_s);
        match &run.outcome {
            Outcome::Failed(why) => return Ok((Cell::Failed(why.clone()), costs)),
            Outcome::Answers(signs) => {
                seeds.push(run.key.seed);
                margins.push(results::margins(signs));
            }
        }
    }
    if seeds.is_empty() {
        return Ok((Cell::Missing, costs));
    }
    let outcomes = vault.outcomes(plan.splits[0], &seeds, &margins).ok_or_else(|| BenchError::Content {
        path: "the results file".into(),
        detail: format!("answers are not as long as the split ({} items)", vault.items(plan.splits[0])),
    })?;
    let score = vault.score(plan.splits[0], &outcomes);
    Ok((Cell::Scored { pgr: score.pgr, accuracy: score.accuracy, seeds: seeds.len() }, costs))
}

/// Mean operations in plain's, over the testbeds where both are counted.
fn ratio(costs: &[Costs], plain: &[Costs]) -> Option<f64> {
    let of = |cost: &Costs| pooled(cost.0.iter().map(|&operations| operations as f64)).filter(|&mean| mean > 0.0);
    pooled(costs.iter().zip(plain).filter_map(|(own, plain)| Some(of(own)? / of(plain)?)))
}
