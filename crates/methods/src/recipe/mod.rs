//! A method as data: one choice per stage. What is left out is plain training's.

use crate::error::MethodError;
use aar_domain::family::Family;
use aar_domain::inference::Orders;
use aar_domain::problem::{Architecture, Problem, Task};
use serde::{Deserialize, Serialize};
use std::path::Path;

mod effective;
mod stages;

pub use stages::*;

/// The most trainings, in plain training's own, that a recipe may cost.
pub const MAX_COST: u32 = 3;

/// A recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// For people.
    pub name: String,
    /// The family of ideas it belongs to.
    #[serde(default = "other")]
    pub family: Family,
    /// Where the targets come from.
    #[serde(default)]
    pub label: Label,
    /// Which rows are kept.
    #[serde(default)]
    pub select: Select,
    /// How much a row counts.
    #[serde(default)]
    pub weight: Weight,
    /// What is trained, against which loss.
    #[serde(default)]
    pub objective: Objective,
    /// How long and how fast.
    #[serde(default)]
    pub schedule: Schedule,
    /// How the trained student answers.
    #[serde(default)]
    pub inference: Inference,
}

fn other() -> Family {
    Family::Other
}

impl Recipe {
    /// Read and check a recipe. `path` is named in messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, MethodError> {
        let wrong = |detail: String| MethodError::Recipe { path: path.to_owned(), detail };
        let recipe: Recipe = toml::from_str(text).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
        recipe.check().map_err(wrong)?;
        Ok(recipe)
    }

    /// Trainings this recipe costs, in plain training's own.
    pub fn cost(&self) -> u32 {
        let rounds = match self.label.source {
            LabelSource::SelfTraining => 1 + self.label.rounds,
            // An adapter of low rank costs what all weights do; two folds cost one training.
            LabelSource::Bootstrap | LabelSource::Epiplexity => 2,
            // A judge, a critic, and what both make of the pool.
            LabelSource::Critic => 3,
            // Examples and item are read in both orders; a training of two epochs, backwards too, is six readings.
            LabelSource::FewShot => 1 + (self.label.shots as u32 + 1).div_ceil(3),
            _ => 1,
        };
        // Two students, each of which looks at a batch before it is trained on part of it; or one, and what it is compared with.
        let students = match self.objective {
            Objective { loss: LossKind::CoTeaching, .. } | Objective { kind: ObjectiveKind::Evolution, .. } => 3,
            _ => 1,
        };
        rounds * students * self.inference.members as u32
    }

    /// What types can't say.
    fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: f32, low: f32, high: f32| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name} is {value}, allowed is {low} to {high}"))
            }
        };
        within("label.temperature", self.label.temperature, 0.05, 20.0)?;
        within("label.keep", self.label.keep, 0.05, 1.0)?;
        within("label.rounds", self.label.rounds as f32, 1.0, 2.0)?;
        within("label.shots", self.label.shots as f32, 1.0, 5.0)?;
        within("select.keep", self.select.keep, 0.05, 1.0)?;
        within("weight.strength", self.weight.strength, 0.0, 1.0)?;
        within("objective.aux", self.objective.aux, 0.0, 1.0)?;
        within("objective.label_smoothing", self.objective.label_smoothing, 0.0, 0.9)?;
        within("objective.forget", self.objective.forget, 0.0, 0.9)?;
        within("objective.mixup", self.objective.mixup, 0.0, 4.0)?;
        within("objective.rank", self.objective.rank as f32, 1.0, 64.0)?;
        within("schedule.epochs", self.schedule.epochs.unwrap_or(1.0), 0.05, 100.0)?;
        within("schedule.learning_rate", self.schedule.learning_rate.unwrap_or(1e-3), 1e-7, 1.0)?;
        within("schedule.batch", self.schedule.batch.unwrap_or(32) as f32, 1.0, 4096.0)?;
        within("inference.members", self.inference.members as f32, 1.0, 8.0)?;
        self.fit_together()?;
        if self.cost() > MAX_COST {
            return Err(format!(
                "costs {} trainings (members × students × rounds), at most {MAX_COST} are allowed",
                self.cost()
            ));
        }
        Ok(())
    }

    /// Which choices exclude each other.
    fn fit_together(&self) -> Result<(), String> {
        let means = self.objective.kind == ObjectiveKind::Means;
        if means && (self.objective.loss != LossKind::Xent || self.objective.mixup > 0.0) {
            return Err("objective.kind = \"means\" fits nothing, so it goes without objective.loss and mixup".into());
        }
        if self.schedule.curriculum != Curriculum::None {
            if self.objective.kind.is_readout() {
                return Err("schedule.curriculum needs steps, and a readout is made at once".into());
            }
            if self.objective.loss == LossKind::CoTeaching {
                return Err(
                    "schedule.curriculum and objective.loss = \"co-teaching\" both choose rows: take one".into()
                );
            }
        }
        if self.objective.kind == ObjectiveKind::Evolution
            && (self.schedule.curriculum != Curriculum::None
                || self.objective.loss == LossKind::CoTeaching
                || self.objective.mixup > 0.0)
        {
            let others = "schedule.curriculum, objective.loss = \"co-teaching\" or objective.mixup";
            return Err(format!(
                "objective.kind = \"evolution\" draws its rows by weight, so it goes without {others}"
            ));
        }
        if self.objective.mixup > 0.0 && self.objective.loss == LossKind::CoTeaching {
            return Err("objective.mixup mixes the rows that \"co-teaching\" must tell apart: take one".into());
        }
        Ok(())
    }

    /// Whether the recipe can be used on this problem; the reason where it can't.
    pub fn applicable(&self, problem: &Problem) -> Result<(), MethodError> {
        use LabelSource::{BestPrompt, Channel, FewShot, Posterior, ZeroShot};
        let asks = matches!(self.label.source, ZeroShot | BestPrompt | FewShot | Posterior | Channel)
            || self.select.rule == SelectRule::Agree
            || self.weight.rule == WeightRule::Agreement;
        let no = |why: &str| Err(MethodError::NotApplicable(format!("{} is not applicable here: {why}", self.name)));
        if asks && problem.zero_shot.is_empty() {
            return no("it asks the untouched student, and this student can't be asked (no zero_shot prompt)");
        }
        if let (Architecture::Encoder, Some(why)) = (problem.student, self.beyond_an_encoder(problem.task)) {
            return no(why);
        }
        if problem.task == Task::Binary && (self.schedule.swap_augment || self.inference.orders == Orders::Both) {
            return no("binary items have no order to swap");
        }
        let own = problem.training.epochs;
        if self.label.source == FewShot && 2 * (self.label.shots + 1) > (6.0 * own) as usize {
            return no(&format!("trainings of {own} epochs are too short for {} examples an item", self.label.shots));
        }
        let epochs = self.schedule.epochs.unwrap_or(own) / own;
        if problem.student == Architecture::Decoder && epochs * self.cost() as f32 > MAX_COST as f32 + 0.01 {
            return no(&format!(
                "it trains {epochs:.1} × {} times as long as plain, at most {MAX_COST} is allowed",
                self.cost()
            ));
        }
        Ok(())
    }

    /// Why a frozen encoder can't be used; `None` where it can.
    fn beyond_an_encoder(&self, task: Task) -> Option<&'static str> {
        if matches!(self.objective.kind, ObjectiveKind::Adapter | ObjectiveKind::Evolution) {
            return Some("an encoder is used frozen, so there is nothing to adapt");
        }
        if self.schedule.curriculum != Curriculum::None {
            return Some("a readout is fitted at once, so no row comes before another");
        }
        let contrasts = self.label.source == LabelSource::Ccs || self.weight.rule == WeightRule::Ccs;
        match self.label.source {
            LabelSource::Critic => Some("an encoder writes nothing"),
            LabelSource::Bootstrap => {
                Some("a frozen encoder has one size of what is trained, so nothing stands in between")
            }
            _ if contrasts && task == Task::Binary => {
                Some("an encoder has one state of a binary item, not one for either label")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_recipes_are_refused_with_the_place() {
        let check = |text: &str, expect: &str| {
            let error = Recipe::parse(text, Path::new("r.toml")).unwrap_err().to_string();
            assert!(error.contains(expect), "{error:?} does not say {expect:?}");
        };
        check("", "missing field `name`");
        check("name = \"x\"\n[inference]\nordrs = \"both\"", "unknown field `ordrs`, expected one of `orders`");
        check("name = \"x\"\n[inference]\nordrs = \"both\"", "line 3");
        check("name = \"x\"\n[label]\nsource = \"oracle\"", "unknown variant `oracle`");
        check("name = \"x\"\n[select]\nkeep = 3.0", "select.keep is 3, allowed is 0.05 to 1");
        check("name = \"x\"\n[inference]\nmembers = 8", "costs 8 trainings");
        check("name = \"x\"\n[objective]\nkind = \"means\"\nloss = \"entropy\"", "fits nothing");
        check("name = \"x\"\n[label]\nsource = \"self\"\nrounds = 2\n[inference]\nmembers = 2", "costs 6 trainings");
        check("name = \"x\"\n[objective]\nloss = \"co-teaching\"\n[inference]\nmembers = 2", "costs 6 trainings");
        check("name = \"x\"\n[objective]\nloss = \"co-teaching\"\nmixup = 1.0", "take one");
        check("name = \"x\"\n[objective]\nkind = \"head\"\n[schedule]\ncurriculum = \"confidence\"", "at once");
        check("name = \"x\"\n[objective]\nkind = \"evolution\"\nmixup = 1.0", "goes without schedule.curriculum");
        check("name = \"x\"\n[objective]\nkind = \"evolution\"\n[inference]\nmembers = 2", "costs 6 trainings");
        check("name = \"x\"\n[label]\nsource = \"few-shot\"\nshots = 6", "label.shots is 6");
        check("name = \"x\"\n[label]\ntemperature = nan", "label.temperature is NaN");
    }
}
