//! The stages of a recipe and their choices.

use aar_domain::inference::{Aggregate, Orders};
use serde::{Deserialize, Serialize};

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
    /// `few-shot` only: examples before each item.
    pub shots: usize,
    /// `few-shot` only: the examples' labels.
    pub shown: Shown,
}

/// Labels of examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// The teacher's.
    #[default]
    Teacher,
    /// As many of either kind, dealt at random: a control.
    Random,
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
    /// A contrast-consistent direction of the student's states.
    Ccs,
    /// Posterior through a channel whose errors depend on the item.
    Channel,
    /// The labels that predict each other best, by simulated annealing.
    Coherence,
    /// Answers of students of growing capacity, each taught by the one before.
    Bootstrap,
    /// Out-of-fold answers, smoothed where there was little to learn.
    Epiplexity,
    /// The untouched student's answers after examples, made consistent.
    FewShot,
    /// The untouched student's answers under its most informative prompt, made consistent.
    BestPrompt,
    /// A coin: a control.
    Random,
    /// Answers of a judge that reads critiques.
    Critic,
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
    /// `confident` and `overlap` only: share of rows kept, half from each end or of each label.
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
    /// Rows that the estimated noise matrix does not count among the wrong ones.
    ConfidentLearning,
    /// Rows that look like those the teacher is sure of and like those it is not.
    Overlap,
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
    /// By agreement with a contrast-consistent direction of the student's states.
    Ccs,
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
    /// `confidence` and `entropy` only: weight of the term about the student's own answers after warm-up.
    pub aux: f32,
    /// `co-teaching` only: share of a batch, largest losses first, that is left out after warm-up.
    pub forget: f32,
    /// Rows are mixed pairwise in proportions drawn from Beta(this, this); 0 mixes nothing.
    pub mixup: f32,
    /// Targets are pulled this far towards 1/2.
    pub label_smoothing: f32,
    /// `adapter` and `evolution` only: rank.
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
    /// A low-rank adapter that goes on without gradients.
    Evolution,
    /// A linear readout of frozen states, fitted.
    Head,
    /// A linear readout of frozen states: the difference of the labels' means.
    Means,
}

impl ObjectiveKind {
    /// Whether the student's own weights stay as they are.
    pub fn is_readout(self) -> bool {
        matches!(self, ObjectiveKind::Head | ObjectiveKind::Means)
    }
}

/// Losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Cross-entropy.
    #[default]
    Xent,
    /// With the auxiliary confidence term of Burns et al. 2023.
    Confidence,
    /// Generalised cross-entropy, between cross-entropy and mean absolute error.
    Generalised,
    /// Cross-entropy and its reverse.
    Symmetric,
    /// Cross-entropy and the entropy of the student's own answers.
    Entropy,
    /// Against the product of label and the student's own answer.
    Product,
    /// The divergence of the student's answer from the label, not of the label from the answer.
    ReverseKl,
    /// Cross-entropy on the rows that a second student finds easy.
    CoTeaching,
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
    /// Which rows come first.
    pub curriculum: Curriculum,
}

/// Orders of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curriculum {
    /// All rows at all times.
    #[default]
    None,
    /// The teacher's most confident quarter, then more and more, all after half of the steps.
    Confidence,
    /// The confident half first, then all rows at half the rate.
    DescriptionLength,
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
        Self {
            source: LabelSource::Weak,
            form: Form::Hard,
            temperature: 1.0,
            keep: 0.5,
            rounds: 1,
            shots: 4,
            shown: Shown::Teacher,
        }
    }
}

impl Label {
    /// Whether students are trained before there are labels.
    pub fn trains(&self) -> bool {
        use LabelSource::{Bootstrap, Critic, Epiplexity, SelfTraining};
        matches!(self.source, SelfTraining | Bootstrap | Epiplexity | Critic)
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
        Self {
            kind: ObjectiveKind::Finetune,
            loss: LossKind::Xent,
            aux: 0.5,
            forget: 0.3,
            mixup: 0.0,
            label_smoothing: 0.0,
            rank: 8,
        }
    }
}

impl Default for Inference {
    fn default() -> Self {
        Self { orders: Orders::Single, members: 1, aggregate: Aggregate::Mean }
    }
}
