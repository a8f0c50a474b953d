//! Run a recipe on a bundle's input folder.

use crate::error::MethodError;
use crate::objective::TrainSpec;
use crate::pool::Pool;
use crate::recipe::{LabelSource, ObjectiveKind, Recipe};
use crate::student::{Artefact, Student};
use crate::{label, select, student, weight};
use aar_domain::inference::{Aggregate, Inference, Member, MemberKind, Orders, PromptChoice};
use aar_domain::item::Item;
use aar_domain::problem::{Architecture, Problem};
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
    let mut plan = Plan::new(recipe, pool, student, seed, &log)?;
    if recipe.label.source == LabelSource::SelfTraining {
        for _ in 0..recipe.label.rounds {
            let last = student.train(&plan.spec(recipe, student.problem(), seed, &log))?;
            let margins = student.margins(&last, PromptChoice::Task, &pool.items, Orders::Both)?;
            plan = plan.next_round(recipe, pool, &margins, student)?;
        }
    }
    let mut artefacts = Vec::new();
    for member in 0..recipe.inference.members as u64 {
        curve.borrow_mut().clear();
        let seed = seed.wrapping_add(member.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        artefacts.push(student.train(&plan.spec(recipe, student.problem(), seed, &log))?);
    }
    let curve = curve.borrow().clone();
    Ok(Trained { artefacts, orders: recipe.inference.orders, aggregate: recipe.inference.aggregate, curve })
}

/// The rows, targets and weights after stages one to three.
struct Plan {
    items: Vec<Item>,
    targets: Vec<f32>,
    weights: Vec<f32>,
    pool_rows: usize,
}

impl Plan {
    fn new(
        recipe: &Recipe,
        pool: &Pool,
        student: &dyn Student,
        seed: u64,
        _log: &dyn Fn(u32, f32),
    ) -> Result<Self, MethodError> {
        let soft = label::soft(&recipe.label, pool, student, seed)?;
        let kept = select::rows(&recipe.select, pool, student)?;
        Self::of_rows(recipe, pool, &soft, &kept, student)
    }

    fn next_round(
        self,
        recipe: &Recipe,
        pool: &Pool,
        margins: &[f32],
        student: &dyn Student,
    ) -> Result<Self, MethodError> {
        let (soft, kept) = label::self_training::relabel(margins, recipe.label.keep);
        Self::of_rows(recipe, pool, &soft, &kept, student)
    }

    fn of_rows(
        recipe: &Recipe,
        pool: &Pool,
        soft: &[f32],
        kept: &[usize],
        student: &dyn Student,
    ) -> Result<Self, MethodError> {
        let rows = pool.subset(kept);
        let soft: Vec<f32> = kept.iter().map(|&i| soft[i]).collect();
        let shaped = label::shape(&recipe.label, &soft);
        let mut weights = weight::rows(&recipe.weight, &rows, &shaped, student)?;
        if let Some(given) = &rows.given {
            weights.iter_mut().zip(given).for_each(|(weight, given)| *weight *= given);
        }
        let smooth = |t: f32| t + recipe.objective.label_smoothing * (0.5 - t);
        let targets = shaped.into_iter().map(smooth).collect();
        Ok(Self { items: rows.items, targets, weights, pool_rows: pool.items.len() })
    }

    fn spec<'a>(&'a self, recipe: &Recipe, problem: &Problem, seed: u64, log: &'a dyn Fn(u32, f32)) -> TrainSpec<'a> {
        let training = &problem.training;
        let batch = recipe.schedule.batch.unwrap_or(training.batch);
        let epochs = recipe.schedule.epochs.unwrap_or(training.epochs);
        let encoder = problem.student == Architecture::Encoder;
        TrainSpec {
            items: &self.items,
            targets: &self.targets,
            weights: &self.weights,
            kind: if encoder { ObjectiveKind::Head } else { recipe.objective.kind },
            loss: recipe.objective.loss,
            aux: recipe.objective.aux,
            rank: recipe.objective.rank,
            steps: ((epochs * self.pool_rows as f32 / batch as f32).round() as usize).max(1),
            batch,
            learning_rate: recipe.schedule.learning_rate.unwrap_or(training.learning_rate),
            weight_decay: training.weight_decay,
            swap_augment: recipe.schedule.swap_augment,
            seed,
            on_step: log,
        }
    }
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
