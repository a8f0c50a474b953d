//! The eleven families of ideas the published study sorted its agents' work into.

use serde::{Deserialize, Serialize};

/// A family of ideas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Family {
    SelfTraining,
    Ensemble,
    Distillation,
    DataFiltering,
    ConfidenceWeighting,
    LossFunction,
    UnsupervisedElicitation,
    Curriculum,
    ModelInternal,
    Evolutionary,
    Other,
}

impl Family {
    /// All of them, in the order of the study.
    pub const ALL: [Family; 11] = [
        Family::SelfTraining,
        Family::Ensemble,
        Family::Distillation,
        Family::DataFiltering,
        Family::ConfidenceWeighting,
        Family::LossFunction,
        Family::UnsupervisedElicitation,
        Family::Curriculum,
        Family::ModelInternal,
        Family::Evolutionary,
        Family::Other,
    ];

    /// The name as it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Family::SelfTraining => "self-training",
            Family::Ensemble => "ensemble",
            Family::Distillation => "distillation",
            Family::DataFiltering => "data-filtering",
            Family::ConfidenceWeighting => "confidence-weighting",
            Family::LossFunction => "loss-function",
            Family::UnsupervisedElicitation => "unsupervised-elicitation",
            Family::Curriculum => "curriculum",
            Family::ModelInternal => "model-internal",
            Family::Evolutionary => "evolutionary",
            Family::Other => "other",
        }
    }
}
