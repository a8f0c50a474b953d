//! The truth in memory: margins come in, outcomes and scores go out, labels never.

use crate::truth::{self, VaultError};
use aar_domain::item::Distribution;
use aar_domain::rung::Split;
use aar_domain::stats::bootstrap::REPLICATES;
use aar_domain::stats::{Bootstrap, Comparison, Outcomes, Panel, Pgr, Replicated, compare, noise_floor, pgr};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

mod subsets;

pub use subsets::Subset;

/// A testbed's truth. `Debug` shows sizes only.
pub struct Vault {
    splits: BTreeMap<Split, Sealed>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.splits.iter().map(|(split, sealed)| (split.name(), sealed.labels.len())).collect();
        f.debug_struct("Vault").field("items", &sizes).finish()
    }
}

struct Sealed {
    labels: Vec<bool>,
    panel: Panel,
    weak: Outcomes,
    ceiling: Outcomes,
    lazy: OnceLock<Lazy>,
}

/// A split in memory: labels and the frozen runs, `[seeds][items]` right or wrong.
pub(crate) struct Parts {
    pub labels: Vec<bool>,
    pub weak: Vec<Vec<bool>>,
    pub ceiling: Vec<Vec<bool>>,
}

/// What only intervals need: made when first asked for.
struct Lazy {
    bootstrap: Bootstrap,
    weak: Replicated,
    ceiling: Replicated,
}

/// Frozen seeds of weak and ceiling are not the evaluations' seeds: these offsets keep them from being paired.
const WEAK_SEEDS: u64 = 1 << 62;
const CEILING_SEEDS: u64 = 3 << 61;

/// A method's exact score, for the operator.
#[derive(Clone, Debug)]
pub struct Score {
    /// Undefined where the gap is not clearly positive.
    pub pgr: Option<Pgr>,
    /// Accuracy, pooled.
    pub accuracy: f64,
    /// In distribution; `None` where the testbed has no such parts.
    pub accuracy_in: Option<f64>,
    /// Out of distribution.
    pub accuracy_out: Option<f64>,
    /// PGR per seed against the mean baselines; empty where undefined.
    pub by_seed: Vec<f64>,
    /// For comparisons on the same split.
    pub replicated: Replicated,
}

/// Weak and ceiling accuracy over their frozen seeds.
#[derive(Clone, Copy, Debug)]
pub struct Frozen {
    /// Mean accuracy of the weak teachers.
    pub weak: f64,
    /// Its standard error, items and seeds.
    pub weak_se: f64,
    /// Mean accuracy of the ceilings.
    pub ceiling: f64,
    /// Its standard error, items and seeds.
    pub ceiling_se: f64,
    /// Frozen seeds.
    pub seeds: usize,
}

impl Vault {
    /// Read a testbed's truth and check that it fits the inputs' order.
    pub fn open(testbed: &Path) -> Result<Self, VaultError> {
        let mut baselines = truth::read_baselines(testbed)?;
        let mut splits = BTreeMap::new();
        for split in Split::ALL {
            let rows = truth::read_rows(testbed, split)?;
            let wrong = |detail: String| VaultError::Content {
                path: testbed.join("hidden/truth").join(format!("{}.jsonl", split.name())),
                detail,
            };
            check_order(testbed, split, &rows).map_err(wrong)?;
            let marks: Vec<Distribution> = rows.iter().filter_map(|row| row.distribution).collect();
            let marks = (marks.len() == rows.len() && !rows.is_empty()).then_some(marks);
            let runs = baselines.remove(&split).unwrap_or_default();
            let frozen = |runs: &[String], base: u64| -> Result<Outcomes, VaultError> {
                if runs.len() < 2 || runs.iter().any(|run| run.len() != rows.len()) {
                    return Err(wrong(format!("baselines.json needs at least 2 runs of {} answers", rows.len())));
                }
                let correct = runs.iter().map(|run| run.bytes().map(|byte| byte == b'1').collect()).collect();
                Ok(Outcomes { seeds: (base..base + runs.len() as u64).collect(), correct })
            };
            let sealed = Sealed {
                labels: rows.iter().map(|row| row.label).collect(),
                panel: Panel::new(rows.iter().map(|row| row.cluster.as_str()), marks),
                weak: frozen(&runs.weak, WEAK_SEEDS)?,
                ceiling: frozen(&runs.ceiling, CEILING_SEEDS)?,
                lazy: OnceLock::new(),
            };
            splits.insert(split, sealed);
        }
        Ok(Self { splits })
    }

    /// A vault of what is in memory; every item is a cluster of its own.
    pub(crate) fn of(splits: BTreeMap<Split, Parts>) -> Self {
        let sealed = |parts: Parts| {
            let names: Vec<String> = (0..parts.labels.len()).map(|item| item.to_string()).collect();
            let frozen = |correct: Vec<Vec<bool>>, base: u64| Outcomes {
                seeds: (base..base + correct.len() as u64).collect(),
                correct,
            };
            Sealed {
                panel: Panel::new(names.iter().map(String::as_str), None),
                labels: parts.labels,
                weak: frozen(parts.weak, WEAK_SEEDS),
                ceiling: frozen(parts.ceiling, CEILING_SEEDS),
                lazy: OnceLock::new(),
            }
        };
        Self { splits: splits.into_iter().map(|(split, parts)| (split, sealed(parts))).collect() }
    }

    fn split(&self, split: Split) -> &Sealed {
        // Both splits are read on opening.
        &self.splits[&split]
    }

    /// For comparisons inside this crate; labels never leave it.
    pub(crate) fn labels(&self, split: Split) -> &[bool] {
        &self.split(split).labels
    }

    /// Items of a split.
    pub fn items(&self, split: Split) -> usize {
        self.split(split).labels.len()
    }

    /// Clusters of a split.
    pub fn clusters(&self, split: Split) -> usize {
        self.split(split).panel.clusters
    }

    /// Which answers are right. `margins [seeds][items]`; `None` where a row is not as long as the split, or not finite.
    pub fn outcomes(&self, split: Split, seeds: &[u64], margins: &[Vec<f32>]) -> Option<Outcomes> {
        let labels = &self.split(split).labels;
        let fits = |row: &Vec<f32>| row.len() == labels.len() && row.iter().all(|margin| margin.is_finite());
        if seeds.len() != margins.len() || !margins.iter().all(fits) {
            return None;
        }
        // A margin of exactly 0 is an answer nobody gave: it counts as wrong whatever the label.
        let right = |row: &Vec<f32>| {
            row.iter().zip(labels).map(|(&margin, &label)| if label { margin > 0.0 } else { margin < 0.0 }).collect()
        };
        Some(Outcomes { seeds: seeds.to_vec(), correct: margins.iter().map(right).collect() })
    }

    /// PGR without an interval, for the ledger alone. `None` where the gap is not positive.
    pub(crate) fn point(&self, split: Split, outcomes: &Outcomes) -> Option<f64> {
        let sealed = self.split(split);
        let (weak, ceiling) = (sealed.weak.accuracy(), sealed.ceiling.accuracy());
        (ceiling > weak).then(|| (outcomes.accuracy() - weak) / (ceiling - weak))
    }

    /// The weak teachers' outcomes.
    pub(crate) fn weak(&self, split: Split) -> &Outcomes {
        &self.split(split).weak
    }

    /// The ceilings' outcomes.
    pub(crate) fn ceiling(&self, split: Split) -> &Outcomes {
        &self.split(split).ceiling
    }

    /// Weak and ceiling accuracy, which every participant is told.
    pub(crate) fn ends(&self, split: Split) -> (f64, f64) {
        let sealed = self.split(split);
        (sealed.weak.accuracy(), sealed.ceiling.accuracy())
    }

    /// Difference of two accuracies, first minus second, and its standard error over clusters of items.
    pub(crate) fn paired(&self, split: Split, a: &Outcomes, b: &Outcomes) -> (f64, f64) {
        let panel = &self.split(split).panel;
        let mut sums = vec![0.0; panel.clusters];
        let mut sizes = vec![0.0; panel.clusters];
        for (item, &cluster) in panel.cluster.iter().enumerate() {
            let share = |outcomes: &Outcomes| {
                outcomes.correct.iter().filter(|row| row[item]).count() as f64 / outcomes.correct.len().max(1) as f64
            };
            sums[cluster as usize] += share(a) - share(b);
            sizes[cluster as usize] += 1.0;
        }
        let items = panel.items().max(1) as f64;
        let difference = sums.iter().sum::<f64>() / items;
        let squares = sums.iter().zip(&sizes).map(|(sum, size)| (sum - difference * size).powi(2)).sum::<f64>();
        let clusters = panel.clusters.max(2) as f64;
        (difference, (squares * clusters / (clusters - 1.0)).sqrt() / items)
    }

    fn lazy(&self, split: Split) -> &Lazy {
        let sealed = self.split(split);
        sealed.lazy.get_or_init(|| {
            let bootstrap = Bootstrap::new(&sealed.panel, REPLICATES, split as u64);
            Lazy { weak: bootstrap.accuracy(&sealed.weak), ceiling: bootstrap.accuracy(&sealed.ceiling), bootstrap }
        })
    }

    /// The exact score with its interval.
    pub fn score(&self, split: Split, outcomes: &Outcomes) -> Score {
        let (sealed, lazy) = (self.split(split), self.lazy(split));
        let replicated = lazy.bootstrap.accuracy(outcomes);
        let pgr = pgr(&replicated, &lazy.weak, &lazy.ceiling);
        let gap = lazy.ceiling.value - lazy.weak.value;
        let by_seed = replicated.by_seed.iter().map(|accuracy| (accuracy - lazy.weak.value) / gap);
        Score {
            by_seed: if pgr.is_some() { by_seed.collect() } else { vec![] },
            pgr,
            accuracy: replicated.value,
            accuracy_in: outcomes.accuracy_on(&sealed.panel, Distribution::In),
            accuracy_out: outcomes.accuracy_on(&sealed.panel, Distribution::Out),
            replicated,
        }
    }

    /// Weak and ceiling of a split.
    pub fn frozen(&self, split: Split) -> Frozen {
        let lazy = self.lazy(split);
        let se = |replicated: &Replicated| {
            let mean = replicated.draws.iter().sum::<f64>() / replicated.draws.len() as f64;
            let squares = replicated.draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>();
            (squares / (replicated.draws.len() - 1) as f64).sqrt()
        };
        Frozen {
            weak: lazy.weak.value,
            weak_se: se(&lazy.weak),
            ceiling: lazy.ceiling.value,
            ceiling_se: se(&lazy.ceiling),
            seeds: lazy.weak.by_seed.len(),
        }
    }

    /// Is `a` better than `b`, both scored on the same split?
    pub fn compare(&self, a: &Score, b: &Score) -> Comparison {
        compare(&a.replicated, &b.replicated)
    }

    /// What two equal methods' PGRs differ by in 95 of 100 comparisons at `score`'s sizes; seeds vary as its do, and one
    /// answer in five differs, as it does between methods that are about equally good.
    pub fn noise_floor(&self, split: Split, score: &Score) -> f64 {
        let frozen = self.frozen(split);
        let seeds = score.replicated.by_seed.len();
        let variance = score.replicated.seed_variance() * seeds as f64;
        noise_floor(variance, seeds, self.clusters(split), 0.2, frozen.ceiling - frozen.weak)
    }
}

/// Rows of truth must name the inputs' ids in the inputs' order.
fn check_order(testbed: &Path, split: Split, rows: &[truth::TruthRow]) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: String,
    }
    let inputs = testbed.join(format!("hidden/inputs/{}.jsonl", split.name()));
    let text = std::fs::read_to_string(&inputs).map_err(|error| format!("read {}: {error}", inputs.display()))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.len() != rows.len() {
        return Err(format!("{} rows, but {} inputs", rows.len(), lines.len()));
    }
    for (line, (input, row)) in lines.iter().zip(rows).enumerate() {
        let input: Id = serde_json::from_str(input).map_err(|error| format!("inputs line {}: {error}", line + 1))?;
        if input.id != row.id {
            return Err(format!("line {} is about item {}, the input there is {}", line + 1, row.id, input.id));
        }
    }
    Ok(())
}
