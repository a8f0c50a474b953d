//! What a training is about: rows, targets and weights after stages one to three.

use crate::error::MethodError;
use crate::objective::TrainSpec;
use crate::pool::Pool;
use crate::recipe::{Objective, Recipe};
use crate::student::Student;
use crate::{label, select, weight};
use aar_domain::item::Item;
use aar_domain::problem::Problem;

/// Rows, targets and weights.
pub struct Plan {
    items: Vec<Item>,
    targets: Vec<f32>,
    weights: Vec<f32>,
    weak: Vec<f32>,
    /// Which rows of the pool these are.
    pub kept: Vec<usize>,
    pool_rows: usize,
}

impl Plan {
    /// By a recipe's first three stages.
    pub fn new(recipe: &Recipe, pool: &Pool, student: &dyn Student, seed: u64) -> Result<Self, MethodError> {
        let soft = label::soft(&recipe.label, pool, student, seed)?;
        let kept = select::rows(&recipe.select, pool, student, seed)?;
        Self::of_rows(recipe, pool, &soft, &kept, student, seed)
    }

    /// Of the rows `kept`, with the soft labels `soft [pool]`.
    pub fn of_rows(
        recipe: &Recipe,
        pool: &Pool,
        soft: &[f32],
        kept: &[usize],
        student: &dyn Student,
        seed: u64,
    ) -> Result<Self, MethodError> {
        let rows = pool.subset(kept);
        let soft: Vec<f32> = kept.iter().map(|&i| soft[i]).collect();
        let shaped = label::shape(&recipe.label, &soft);
        let mut weights = weight::rows(&recipe.weight, &rows, &shaped, student, seed)?;
        if let Some(given) = &rows.given {
            weights.iter_mut().zip(given).for_each(|(weight, given)| *weight *= given);
        }
        let smooth = |t: f32| t + recipe.objective.label_smoothing * (0.5 - t);
        let targets = shaped.into_iter().map(smooth).collect();
        Ok(Self {
            items: rows.items,
            targets,
            weights,
            weak: rows.weak,
            kept: kept.to_vec(),
            pool_rows: pool.items.len(),
        })
    }

    /// A training on it. Its length is that of the recipe's schedule over the pool, however many rows are left.
    pub fn spec<'a>(
        &'a self,
        recipe: &Recipe,
        objective: &'a Objective,
        problem: &Problem,
        seed: u64,
        log: &'a dyn Fn(u32, f32),
    ) -> TrainSpec<'a> {
        let training = &problem.training;
        let batch = recipe.schedule.batch.unwrap_or(training.batch);
        let epochs = recipe.schedule.epochs.unwrap_or(training.epochs);
        TrainSpec {
            items: &self.items,
            targets: &self.targets,
            weights: &self.weights,
            weak: &self.weak,
            objective,
            curriculum: recipe.schedule.curriculum,
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
