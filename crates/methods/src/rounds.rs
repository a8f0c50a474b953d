//! Label sources that train students first: what they learnt becomes the last one's lesson.

use crate::crossfit::{self, FOLDS};
use crate::error::MethodError;
use crate::label::{bootstrap, critic, epiplexity, self_training};
use crate::plan::Plan;
use crate::pool::{Pool, sigmoid};
use crate::recipe::{LabelSource, Objective, Recipe};
use crate::student::{Artefact, Student};
use aar_domain::inference::{Orders, PromptChoice};
use aar_domain::problem::Architecture;

/// The plan of the last training, out of that of the first; the same one where the label source trains nobody.
pub fn prepare(
    recipe: &Recipe,
    first: Plan,
    pool: &Pool,
    student: &dyn Student,
    seed: u64,
    log: &dyn Fn(u32, f32),
) -> Result<Plan, MethodError> {
    let rounds = Rounds { recipe, pool, student, seed, log };
    match recipe.label.source {
        LabelSource::SelfTraining => rounds.self_training(first),
        LabelSource::Bootstrap => rounds.bootstrap(first),
        LabelSource::Epiplexity => rounds.out_of_fold(&first),
        LabelSource::Critic => rounds.critic(&first),
        _ => Ok(first),
    }
}

struct Rounds<'a> {
    recipe: &'a Recipe,
    pool: &'a Pool,
    student: &'a dyn Student,
    seed: u64,
    log: &'a dyn Fn(u32, f32),
}

impl Rounds<'_> {
    /// Margins of a student trained by `plan` on the whole pool.
    fn taught(&self, plan: &Plan, objective: &Objective, orders: Orders) -> Result<Vec<f32>, MethodError> {
        let spec = plan.spec(self.recipe, objective, self.student.problem(), self.seed, self.log);
        let artefact = self.student.train(&spec)?;
        self.student.margins(&artefact, PromptChoice::Task, &self.pool.items, orders)
    }

    fn plan(&self, soft: &[f32], kept: &[usize]) -> Result<Plan, MethodError> {
        Plan::of_rows(self.recipe, self.pool, soft, kept, self.student, self.seed)
    }

    fn self_training(&self, mut plan: Plan) -> Result<Plan, MethodError> {
        for _ in 0..self.recipe.label.rounds {
            let margins = self.taught(&plan, &self.recipe.objective, Orders::Both)?;
            let (soft, kept) = self_training::relabel(&margins, self.recipe.label.keep);
            plan = self.plan(&soft, &kept)?;
        }
        Ok(plan)
    }

    fn bootstrap(&self, mut plan: Plan) -> Result<Plan, MethodError> {
        for objective in bootstrap::capacities(&self.recipe.objective) {
            let margins = self.taught(&plan, &objective, Orders::Single)?;
            plan = self.plan(&bootstrap::soft(&margins), &plan.kept)?;
        }
        Ok(plan)
    }

    /// The last student learns on the half of the rows whose labels the judge never saw.
    fn critic(&self, first: &Plan) -> Result<Plan, MethodError> {
        let [taught, judged] = critic::halves(first.kept.len(), self.seed);
        let problem = self.student.problem();
        let spec = first.spec(self.recipe, &self.recipe.objective, problem, self.seed, self.log);
        let margins = self.student.judged(&spec, [&taught, &judged])?;
        let kept: Vec<usize> = judged.iter().map(|&i| first.kept[i]).collect();
        let mut soft = self.pool.weak.clone();
        kept.iter().zip(margins).for_each(|(&row, margin)| soft[row] = sigmoid(margin));
        self.plan(&soft, &kept)
    }

    fn out_of_fold(&self, first: &Plan) -> Result<Plan, MethodError> {
        let folds = crossfit::folds(self.pool.items.len(), self.seed);
        let before = match self.student.problem().student {
            Architecture::Decoder => {
                self.student.margins(&Artefact::Base, PromptChoice::Task, &self.pool.items, Orders::Single)?
            }
            // A readout's training starts at zero.
            Architecture::Encoder => vec![0.0; self.pool.items.len()],
        };
        let mut seen = epiplexity::Seen::new(&self.pool.weak, before);
        for fold in 0..FOLDS {
            let kept: Vec<usize> = (0..folds.len()).filter(|&i| folds[i] != fold).collect();
            // A fold's training is as much shorter as it has fewer rows.
            let pool = self.pool.subset(&kept);
            let all: Vec<usize> = (0..kept.len()).collect();
            let plan = Plan::of_rows(self.recipe, &pool, &pool.weak, &all, self.student, self.seed)?;
            let margins = self.taught(&plan, &self.recipe.objective, Orders::Single)?;
            seen.by_fold(&margins, |i| folds[i] == fold);
        }
        self.plan(&seen.targets(), &first.kept)
    }
}
