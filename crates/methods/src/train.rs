//! Run a recipe on a bundle's input folder.

use crate::error::MethodError;
use crate::plan::Plan;
use crate::pool::Pool;
use crate::recipe::Recipe;
use crate::student::{Artefact, Student};
use crate::{rounds, student};
use aar_domain::inference::{Aggregate, Inference, Member, MemberKind, Orders, PromptChoice};
use aar_domain::item::Item;
use aar_domain::problem::Problem;
use serde::Serialize;
use std::cell::RefCell;
use std::path::Path;

/// What a training cost and how it went; `report.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TrainReport {
    /// Operations counted by the engine.
    pub operations: u64,
    /// (step, loss), thinned to at most 200 points.
    pub curve: Vec<(u32, f32)>,
}

/// A trained recipe in memory.
pub struct Trained {
    /// One artefact per member.
    pub artefacts: Vec<Artefact>,
    /// How they answer.
    pub orders: Orders,
    /// How margins become one.
    pub aggregate: Aggregate,
    /// Losses of the last member.
    pub curve: Vec<(u32, f32)>,
}

/// Read `problem.json`.
pub fn read_problem(path: &Path) -> Result<Problem, MethodError> {
    let text = std::fs::read(path).map_err(MethodError::file("read", path))?;
    serde_json::from_slice(&text).map_err(|error| MethodError::Row {
        path: path.to_owned(),
        line: error.line(),
        detail: error.to_string(),
    })
}

/// The bundle's contract: read `input/{problem.json, pool.jsonl, weak.jsonl, student/, seed}`, write `output/student/`
/// and `output/report.json`.
///
/// `labels`: a file of targets that replaces the teacher's ([`Pool::relabel`]).
pub fn run(
    input: &Path,
    recipe: &Recipe,
    labels: Option<&Path>,
    output: &Path,
    threads: usize,
) -> Result<TrainReport, MethodError> {
    let problem = read_problem(&input.join("problem.json"))?;
    recipe.applicable(&problem)?;
    let mut pool = Pool::load(&input.join("pool.jsonl"), &input.join("weak.jsonl"))?;
    if let Some(labels) = labels {
        pool = pool.relabel(labels)?;
    }
    let cache = input.join("pool.features.safetensors");
    let caches: Vec<_> = cache.exists().then_some(cache).into_iter().collect();
    let student = student::open(&problem, &input.join("student"), &caches, threads)?;
    let seed_file = input.join("seed");
    let seed = std::fs::read_to_string(&seed_file).map_err(MethodError::file("read", &seed_file))?;
    let seed =
        seed.trim().parse().map_err(|_| MethodError::Mismatch(format!("{}: not a number", seed_file.display())))?;
    aar_lm::ops::take();
    let trained = train(recipe, &pool, student.as_ref(), seed)?;
    let members: Vec<_> = trained.artefacts.iter().map(|artefact| (artefact, PromptChoice::Task)).collect();
    save(student.as_ref(), &members, (trained.orders, trained.aggregate), &output.join("student"))?;
    let report = TrainReport::new(aar_lm::ops::take(), &trained.curve);
    report.save(output)?;
    Ok(report)
}

impl TrainReport {
    /// With the curve thinned.
    pub fn new(operations: u64, curve: &[(u32, f32)]) -> Self {
        Self { operations, curve: thin(curve) }
    }

    /// Write `output/report.json`.
    pub fn save(&self, output: &Path) -> Result<(), MethodError> {
        let path = output.join("report.json");
        let text = serde_json::to_vec(self).unwrap_or_default();
        std::fs::write(&path, text).map_err(MethodError::file("write", &path))
    }
}

/// Train all members of a recipe.
pub fn train(recipe: &Recipe, pool: &Pool, student: &dyn Student, seed: u64) -> Result<Trained, MethodError> {
    let curve = RefCell::new(Vec::new());
    let log = |step: u32, loss: f32| curve.borrow_mut().push((step, loss));
    let plan = rounds::prepare(recipe, Plan::new(recipe, pool, student, seed)?, pool, student, seed, &log)?;
    let mut artefacts = Vec::new();
    for member in 0..recipe.inference.members as u64 {
        curve.borrow_mut().clear();
        let seed = seed.wrapping_add(member.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        artefacts.push(student.train(&plan.spec(recipe, &recipe.objective, student.problem(), seed, &log))?);
    }
    let curve = curve.borrow().clone();
    Ok(Trained { artefacts, orders: recipe.inference.orders, aggregate: recipe.inference.aggregate, curve })
}

impl Trained {
    /// Margins of the whole ensemble, `[items]`.
    pub fn margins(&self, student: &dyn Student, items: &[Item]) -> Result<Vec<f32>, MethodError> {
        let members =
            self.artefacts.iter().map(|artefact| student.margins(artefact, PromptChoice::Task, items, self.orders));
        Ok(combine(&members.collect::<Result<Vec<_>, _>>()?, self.aggregate))
    }
}

/// One margin per item out of the members' `[members][items]`.
pub(crate) fn combine(members: &[Vec<f32>], aggregate: Aggregate) -> Vec<f32> {
    let items = members.first().map_or(0, Vec::len);
    (0..items).map(|i| aggregate.combine(&mut members.iter().map(|margins| margins[i]).collect::<Vec<f32>>())).collect()
}

/// Write what predicting reads: the members' folders and `inference.json`. Each member with the prompt it answers to.
pub fn save(
    student: &dyn Student,
    artefacts: &[(&Artefact, PromptChoice)],
    (orders, aggregate): (Orders, Aggregate),
    dir: &Path,
) -> Result<(), MethodError> {
    let place = |(i, (artefact, prompt)): (usize, &(&Artefact, PromptChoice))| {
        let path = if artefact.kind() == MemberKind::Base { String::new() } else { format!("m{i}") };
        Member { kind: artefact.kind(), path, prompt: *prompt }
    };
    let members: Vec<Member> = artefacts.iter().enumerate().map(place).collect();
    let inference = Inference { format: 1, orders, aggregate, members };
    inference.check().map_err(|error| MethodError::Inference(error.to_string()))?;
    std::fs::create_dir_all(dir).map_err(MethodError::file("create", dir))?;
    for ((artefact, _), member) in artefacts.iter().zip(&inference.members) {
        student.save(artefact, &dir.join(&member.path))?;
    }
    let path = dir.join("inference.json");
    let text = serde_json::to_vec_pretty(&inference).unwrap_or_default();
    std::fs::write(&path, text).map_err(MethodError::file("write", &path))
}

fn thin(curve: &[(u32, f32)]) -> Vec<(u32, f32)> {
    curve.iter().step_by(curve.len().div_ceil(200).max(1)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::student::antisymmetric;

    /// Three members know the answer, lean to whatever stands first, and one is beside itself on some items. Plain training is such a
    /// member; a mean follows the loud one; both orders take the leaning out, and the trimmed mean the loud one.
    #[test]
    fn both_orders_and_a_trimmed_mean_outvote_a_leaning_and_a_loud_member() {
        let truth = |i: usize| if i.is_multiple_of(2) { 1.0f32 } else { -1.0 };
        let asked = |member: usize, i: usize, order: f32| {
            let loud = if i % 3 == member { -20.0 * truth(i) } else { 0.0 };
            order * (truth(i) + loud) + 1.5
        };
        let answers = |order: f32| -> Vec<Vec<f32>> {
            (0..3).map(|member| (0..60).map(|i| asked(member, i, order)).collect()).collect()
        };
        let (written, swapped) = (answers(1.0), answers(-1.0));
        let both: Vec<Vec<f32>> = written.iter().zip(&swapped).map(|(a, b)| antisymmetric(a, b)).collect();
        let right =
            |margins: &[f32]| margins.iter().enumerate().filter(|&(i, m)| (*m > 0.0) == (truth(i) > 0.0)).count();
        assert!(right(&written[0]) < 45 && right(&combine(&both, Aggregate::Mean)) == 0);
        assert!(right(&combine(&written, Aggregate::Trimmed)) < 45);
        assert_eq!(right(&combine(&both, Aggregate::Trimmed)), 60);
    }
}
