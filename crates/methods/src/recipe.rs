//! A method as data: one choice per stage. What is left out is plain training's.

use crate::error::MethodError;
use aar_domain::family::Family;
use aar_domain::inference::{Aggregate, Orders};
use aar_domain::problem::{Architecture, Problem, Task};
use serde::{Deserialize, Serialize};
use std::path::Path;

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

/// Stage one: targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Label {
    /// The source.
    pub source: LabelSource,
    /// Hard (0 or 1) or soft targets.
    pub form: Form,
    /// Soft targets' margins are divided by this.
    pub temperature: f32,
    /// `self` only: the share of the pool, most confident first, that a later round keeps.
    pub keep: f32,
    /// `self` only: rounds that learn from the answers of the one before.
    pub rounds: u32,
}

/// Sources of targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelSource {
    /// The teacher's.
    #[default]
    Weak,
    /// The untouched student's own answers, made consistent.
    ZeroShot,
    /// Posterior of the truth given both, through a noisy channel.
    Posterior,
    /// A cross-fitted linear readout of the student's states.
    Probe,
    /// A first student's own answers.
    #[serde(rename = "self")]
    SelfTraining,
}

/// Form of targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// 0 or 1.
    #[default]
    Hard,
    /// Probabilities.
    Soft,
}

/// Stage two: rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// The rule.
    pub rule: SelectRule,
    /// `confident` only: share of rows kept, half from each end.
    pub keep: f32,
}

/// Rules of selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectRule {
    /// All rows.
    #[default]
    All,
    /// The teacher's most confident rows of either label.
    Confident,
    /// Rows on which teacher and untouched student agree.
    Agree,
    /// Rows whose label their nearest neighbours in the student's features share.
    Neighbours,
}

/// Stage three: weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weight {
    /// The rule.
    pub rule: WeightRule,
    /// How strongly it acts, 0 (not at all) to 1.
    pub strength: f32,
}

/// Rules of weighting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightRule {
    /// All alike.
    #[default]
    None,
    /// By the target's distance from a coin toss.
    Confidence,
    /// By agreement with the untouched student.
    Agreement,
    /// More on rows that shallow text features can't explain.
    Residual,
}

/// Stage four: what is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Objective {
    /// Which parameters.
    pub kind: ObjectiveKind,
    /// Against what.
    pub loss: LossKind,
    /// `confidence` only: weight of the student's own hardened answers after warm-up.
    pub aux: f32,
    /// Targets are pulled this far towards 1/2.
    pub label_smoothing: f32,
    /// `adapter` only: rank.
    pub rank: usize,
}

/// What is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectiveKind {
    /// All weights of a decoder; an encoder's head.
    #[default]
    Finetune,
    /// A low-rank adapter.
    Adapter,
    /// A linear readout of frozen states.
    Head,
}

/// Losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// Cross-entropy.
    #[default]
    Xent,
    /// With the auxiliary confidence term of Burns et al. 2023.
    Confidence,
    /// None: the difference of the labels' mean features; `head` only.
    Means,
}

/// Stage five: length and speed; what is left out is the testbed's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Passes over the *whole pool's* number of rows: a smaller selection is seen more often, at equal cost.
    pub epochs: Option<f32>,
    /// Peak learning rate.
    pub learning_rate: Option<f32>,
    /// Rows per step.
    pub batch: Option<usize>,
    /// Swap a pair's order at random whenever it is drawn, target included.
    pub swap_augment: bool,
}

/// Stage six: answering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inference {
    /// Whether pairs are asked in one order or both.
    pub orders: Orders,
    /// Students trained with different seeds and averaged.
    pub members: usize,
    /// How members' margins become one.
    pub aggregate: Aggregate,
}

impl Default for Label {
    fn default() -> Self {
        Self { source: LabelSource::Weak, form: Form::Hard, temperature: 1.0, keep: 0.5, rounds: 1 }
    }
}

impl Default for Select {
    fn default() -> Self {
        Self { rule: SelectRule::All, keep: 0.5 }
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self { rule: WeightRule::None, strength: 1.0 }
    }
}

impl Default for Objective {
    fn default() -> Self {
        Self { kind: ObjectiveKind::Finetune, loss: LossKind::Xent, aux: 0.5, label_smoothing: 0.0, rank: 8 }
    }
}

impl Default for Inference {
    fn default() -> Self {
        Self { orders: Orders::Single, members: 1, aggregate: Aggregate::Mean }
    }
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
        let rounds = if self.label.source == LabelSource::SelfTraining { 1 + self.label.rounds } else { 1 };
        rounds * self.inference.members as u32
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
        within("select.keep", self.select.keep, 0.05, 1.0)?;
        within("weight.strength", self.weight.strength, 0.0, 1.0)?;
        within("objective.aux", self.objective.aux, 0.0, 1.0)?;
        within("objective.label_smoothing", self.objective.label_smoothing, 0.0, 0.9)?;
        within("objective.rank", self.objective.rank as f32, 1.0, 64.0)?;
        within("schedule.epochs", self.schedule.epochs.unwrap_or(1.0), 0.05, 100.0)?;
        within("schedule.learning_rate", self.schedule.learning_rate.unwrap_or(1e-3), 1e-7, 1.0)?;
        within("schedule.batch", self.schedule.batch.unwrap_or(32) as f32, 1.0, 4096.0)?;
        within("inference.members", self.inference.members as f32, 1.0, 8.0)?;
        if self.objective.loss == LossKind::Means && self.objective.kind != ObjectiveKind::Head {
            return Err("objective.loss = \"means\" is a readout's: it needs objective.kind = \"head\"".into());
        }
        if self.cost() > MAX_COST {
            return Err(format!(
                "costs {} trainings (members × rounds of self-training), at most {MAX_COST} are allowed",
                self.cost()
            ));
        }
        Ok(())
    }

    /// Whether the recipe can be used on this problem; the reason where it can't.
    pub fn applicable(&self, problem: &Problem) -> Result<(), MethodError> {
        let asks = matches!(self.label.source, LabelSource::ZeroShot | LabelSource::Posterior)
            || self.select.rule == SelectRule::Agree
            || self.weight.rule == WeightRule::Agreement;
        let no = |why: &str| Err(MethodError::NotApplicable(format!("{} is not applicable here: {why}", self.name)));
        if asks && problem.zero_shot.is_empty() {
            return no("it asks the untouched student, and this student can't be asked (no zero_shot prompt)");
        }
        if problem.student == Architecture::Encoder && self.objective.kind == ObjectiveKind::Adapter {
            return no("an encoder is used frozen, so there is nothing to adapt");
        }
        if problem.task == Task::Binary && (self.schedule.swap_augment || self.inference.orders == Orders::Both) {
            return no("binary items have no order to swap");
        }
        let epochs = self.schedule.epochs.unwrap_or(problem.training.epochs) / problem.training.epochs;
        if problem.student == Architecture::Decoder && epochs * self.cost() as f32 > MAX_COST as f32 + 0.01 {
            return no(&format!(
                "it trains {epochs:.1} × {} times as long as plain, at most {MAX_COST} is allowed",
                self.cost()
            ));
        }
        Ok(())
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
        check("name = \"x\"\n[objective]\nloss = \"means\"", "needs objective.kind");
        check("name = \"x\"\n[label]\nsource = \"self\"\nrounds = 2\n[inference]\nmembers = 2", "costs 6 trainings");
        check("name = \"x\"\n[label]\ntemperature = nan", "label.temperature is NaN");
    }
}
