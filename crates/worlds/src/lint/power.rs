//! What can be measured at all: the gap, and the differences that the sizes resolve.

use super::credit::Credit;
use super::material::{Material, Role, Set};
use super::{Notes, Severity};
use crate::import::rows::Labelled;
use crate::import::{LEAST_GAP, teacher};
use aar_domain::rung::Split;
use aar_domain::stats::compare::minimum_difference;
use aar_domain::stats::{Bootstrap, Outcomes, Panel, Replicated};
use aar_grader::truth::FrozenRuns;

/// Seeds of an evaluation that resolution is stated for.
const SEEDS: usize = 10;
/// A difference, in PGR, above which a testbed tells nobody anything.
const COARSE: f64 = 0.5;
/// Above which few ranks will be resolved.
const FAIR: f64 = 0.25;
/// What a folder's gap is supposed to be, since only an import measures it.
const SUPPOSED_GAP: f64 = 0.2;
/// Share of answers in which two methods differ, where no frozen runs say.
const DISAGREEMENT: f64 = 0.2;
/// Seed of the bootstrap.
const SEED: u64 = 1;

/// Measure; gives the weak teacher's accuracy.
pub fn find(material: &Material, notes: &mut Notes) -> f64 {
    match &material.frozen {
        None => of_folder(material, notes),
        Some(frozen) => {
            let mut weak = 0.5;
            for (split, set) in Split::ALL.into_iter().zip(material.sets.iter().filter(|set| set.role == Role::Test)) {
                if let Some(runs) = frozen.get(&split).and_then(|runs| outcomes(runs, set.rows.len())) {
                    weak = of_split(split, set, &runs, notes);
                }
            }
            weak
        }
    }
}

/// Weak and ceiling; `None` where the runs are broken (that is found elsewhere).
fn outcomes(runs: &FrozenRuns, items: usize) -> Option<[Outcomes; 2]> {
    let read = |runs: &[String], base: u64| {
        let whole = !runs.is_empty() && runs.iter().all(|run| run.len() == items);
        let correct = runs.iter().map(|run| run.bytes().map(|bit| bit == b'1').collect()).collect();
        whole.then(|| Outcomes { seeds: (base..base + runs.len() as u64).collect(), correct })
    };
    Some([read(&runs.weak, 1000)?, read(&runs.ceiling, 2000)?])
}

fn of_split(split: Split, set: &Set, runs: &[Outcomes; 2], notes: &mut Notes) -> f64 {
    let panel = Panel::new(set.clusters(), None);
    let bootstrap = Bootstrap::new(&panel, 2000, SEED);
    let [weak, ceiling] = runs.each_ref().map(|runs| bootstrap.accuracy(runs));
    let mut gaps: Vec<f64> = ceiling.draws.iter().zip(&weak.draws).map(|(c, w)| c - w).collect();
    gaps.sort_by(f64::total_cmp);
    let (gap, low, high) = (ceiling.value - weak.value, gaps[gaps.len() / 40], gaps[gaps.len() - 1 - gaps.len() / 40]);
    let name = split.name();
    notes.measure(format!("weak, {name}"), weak.value, None);
    notes.measure(format!("ceiling, {name}"), ceiling.value, None);
    notes.measure(format!("gap, {name}"), gap, Some([low, high]));
    // Only the selection split decides, as at import; feedback is smaller.
    if low < LEAST_GAP && split == Split::Selection {
        let what = format!(
            "weak {:.3}, ceiling {:.3}: the gap is {gap:.3}, at least {low:.3}; {LEAST_GAP:.2} is needed",
            weak.value, ceiling.value
        );
        let remedy = "use a weaker teacher, a better student or more test items: a PGR divides by the gap";
        notes.find("gap", Severity::Refused, &set.name, what, remedy);
    }
    if gap > 0.0 {
        resolution(set, &weak, disagreement(&runs[0]), gap, name, notes);
    }
    weak.value
}

/// Share of answers in which two seeds of the teacher differ.
fn disagreement(runs: &Outcomes) -> f64 {
    let differ =
        |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| a != b).count() as f64 / a.len().max(1) as f64;
    let pairs: Vec<f64> = runs.correct.windows(2).map(|pair| differ(&pair[0], &pair[1])).collect();
    if pairs.is_empty() { DISAGREEMENT } else { pairs.iter().sum::<f64>() / pairs.len() as f64 }
}

fn resolution(set: &Set, weak: &Replicated, disagreement: f64, gap: f64, name: &str, notes: &mut Notes) {
    let seed_variance = weak.seed_variance() * weak.by_seed.len() as f64;
    // Methods differ from one another in more answers than a teacher's seeds do.
    let items = disagreement.max(DISAGREEMENT) / weak.clusters.max(1) as f64;
    let se = (2.0 * seed_variance / SEEDS as f64 + items).sqrt();
    judge(set, minimum_difference(se, SEEDS, gap), FAIR, name, notes);
}

fn judge(set: &Set, least: f64, limit: f64, name: &str, notes: &mut Notes) {
    notes.measure(format!("least difference in PGR that {SEEDS} seeds resolve, {name}"), least, None);
    if least > limit && name != Split::Feedback.name() {
        let severity = if least > COARSE { Severity::Refused } else { Severity::Warning };
        let what =
            format!("{} items resolve differences of {least:.2} PGR at best, with {SEEDS} seeds", set.rows.len());
        let wanted = set.rows.len() as f64 * (least / FAIR).powi(2);
        let remedy = format!(
            "some {:.0} items would resolve {FAIR}; below that read ranks as ties",
            (wanted / 100.0).ceil() * 100.0
        );
        notes.find("resolution", severity, &set.name, what, remedy);
    }
}

/// A folder has no student yet: the import's teacher is tried, and resolution is stated for a supposed gap.
fn of_folder(material: &Material, notes: &mut Notes) -> f64 {
    let rows = |role: Role| -> Vec<Labelled> {
        let sets = material.sets.iter().filter(|set| set.role == role);
        let row = |row: &super::material::Row| Labelled {
            item: row.item.clone(),
            positive: row.label.unwrap_or_default(),
            cluster: row.cluster.clone(),
        };
        sets.flat_map(|set| set.rows.iter().map(row)).collect()
    };
    let (labelled, test) = (rows(Role::Labelled), rows(Role::Test));
    let answers = crate::import::rows::correct(&teacher::train(&labelled, SEED, 0).margins(&test), &test);
    let points: Vec<f64> = answers.into_iter().map(|right| f64::from(u8::from(right))).collect();
    let clusters: Vec<&str> = test.iter().map(|row| row.cluster.as_str()).collect();
    let weak = Credit::of(&points, &clusters);
    notes.measure("weak teacher of words and pairs of words (as `aar import` trains it)", weak.value, weak.interval());
    if let Some(set) = material.sets.iter().find(|set| set.role == Role::Test) {
        let third = Panel::new(set.clusters(), None).clusters as f64 * 2.0 / 3.0;
        let least = minimum_difference((DISAGREEMENT / third.max(1.0)).sqrt(), SEEDS, SUPPOSED_GAP);
        // The gap is not known yet, so only what no gap would mend counts.
        judge(set, least, COARSE, &format!("were the gap {SUPPOSED_GAP}"), notes);
    }
    weak.value
}
