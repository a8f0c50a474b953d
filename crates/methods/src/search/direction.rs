//! Starting directions as leanings: how much more often a researcher draws from one family of ideas than from another.
//!
//! A direction is vague on purpose. It tilts the first draws; what the board says soon outweighs it.

use aar_domain::family::Family;

/// A researcher's leaning.
#[derive(Clone, Debug)]
pub struct Leaning {
    weights: [f64; Family::ALL.len()],
}

/// How much more often than the rest a direction's own families are drawn.
const TILT: f64 = 4.0;

impl Leaning {
    /// The same weight everywhere.
    pub fn even() -> Self {
        Self { weights: [1.0; Family::ALL.len()] }
    }

    /// Read a direction's words. Unknown words lean nowhere: a person may write what they like.
    pub fn of(direction: &str) -> Self {
        let words = direction.to_lowercase();
        let mut leaning = Self::even();
        for (stem, families) in WORDS {
            if words.contains(stem) {
                for family in *families {
                    leaning.weights[*family as usize] = TILT;
                }
            }
        }
        leaning
    }

    /// Never draw from these families.
    pub fn without(mut self, families: &[Family]) -> Self {
        for family in families {
            self.weights[*family as usize] = 0.0;
        }
        self
    }

    /// Weight of a choice; plain training's own choices weigh 1.
    pub fn weight(&self, family: Option<Family>) -> f64 {
        family.map_or(1.0, |family| self.weights[family as usize])
    }
}

/// Word stems and the families they point to.
const WORDS: &[(&str, &[Family])] = &[
    ("elicit", &[Family::UnsupervisedElicitation]),
    ("already know", &[Family::UnsupervisedElicitation]),
    ("reweight", &[Family::ConfidenceWeighting, Family::DataFiltering]),
    ("trust", &[Family::ConfidenceWeighting, Family::DataFiltering]),
    ("filter", &[Family::DataFiltering]),
    ("posterior", &[Family::ConfidenceWeighting]),
    ("noise", &[Family::ConfidenceWeighting, Family::LossFunction]),
    ("distil", &[Family::Distillation, Family::SelfTraining]),
    ("own labels", &[Family::SelfTraining]),
    ("simpl", &[Family::LossFunction, Family::ModelInternal]),
    ("curricul", &[Family::Curriculum, Family::DataFiltering]),
    ("evolution", &[Family::Evolutionary, Family::Ensemble]),
    ("ensemble", &[Family::Ensemble]),
    ("consisten", &[Family::Ensemble, Family::Other]),
    ("represent", &[Family::ModelInternal]),
    ("inside", &[Family::ModelInternal]),
    ("loss", &[Family::LossFunction]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tilt_and_exclusion_wins() {
        let leaning = Leaning::of("Which rows can be TRUSTED?").without(&[Family::DataFiltering]);
        assert_eq!(leaning.weight(Some(Family::ConfidenceWeighting)), TILT);
        assert_eq!(leaning.weight(Some(Family::DataFiltering)), 0.0);
        assert_eq!(leaning.weight(Some(Family::Ensemble)), 1.0);
        assert_eq!(leaning.weight(None), 1.0);
    }
}
