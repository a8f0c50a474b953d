//! What a recipe does: two that differ only in what nothing reads are one.

use super::{Form, Label, LabelSource, LossKind, ObjectiveKind, Recipe, Select, SelectRule, Weight, WeightRule};
use crate::recipe::Objective;
use aar_domain::family::Family;
use aar_domain::inference::{Aggregate, Orders};

impl Recipe {
    /// The recipe with neither name nor family, and every setting that its own choices leave unread as it is by default.
    pub fn effective(&self) -> Recipe {
        let (label, objective) = (Label::default(), Objective::default());
        let mut recipe = self.clone();
        (recipe.name, recipe.family) = (String::new(), Family::Other);
        if self.label.source != LabelSource::SelfTraining {
            (recipe.label.keep, recipe.label.rounds) = (label.keep, label.rounds);
        }
        if self.label.source != LabelSource::FewShot {
            (recipe.label.shots, recipe.label.shown) = (label.shots, label.shown);
        }
        if self.label.form == Form::Hard {
            recipe.label.temperature = label.temperature;
        }
        if !matches!(self.select.rule, SelectRule::Confident | SelectRule::Overlap) {
            recipe.select.keep = Select::default().keep;
        }
        if self.weight.rule == WeightRule::None || self.weight.strength == 0.0 {
            recipe.weight = Weight::default();
        }
        if !matches!(self.objective.loss, LossKind::Confidence | LossKind::Entropy) {
            recipe.objective.aux = objective.aux;
        }
        if self.objective.loss != LossKind::CoTeaching {
            recipe.objective.forget = objective.forget;
        }
        if !matches!(self.objective.kind, ObjectiveKind::Adapter | ObjectiveKind::Evolution) {
            recipe.objective.rank = objective.rank;
        }
        if self.objective.kind.is_readout() {
            // A readout of contrasts has both orders in it.
            recipe.schedule.swap_augment = false;
            recipe.inference.orders = Orders::Single;
        }
        if self.inference.members == 1 {
            recipe.inference.aggregate = Aggregate::Mean;
        }
        recipe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn only_what_is_read_counts() {
        let check = |a: &str, b: &str, same: bool| {
            let read = |name: &str, text: &str| {
                Recipe::parse(&format!("name = \"{name}\"\n{text}"), Path::new("r")).unwrap().effective()
            };
            assert_eq!(read("a", a) == read("b", b), same, "{a} and {b}");
        };
        check("", "[weight]\nrule = \"residual\"\nstrength = 0.0", true);
        check("", "[label]\ntemperature = 3.0", true);
        check("[label]\nform = \"soft\"", "[label]\nform = \"soft\"\ntemperature = 3.0", false);
        check("", "[select]\nkeep = 0.3", true);
        check("", "[inference]\norders = \"both\"", false);
        check("[objective]\nkind = \"head\"", "[objective]\nkind = \"head\"\n[inference]\norders = \"both\"", true);
        check("[objective]\nkind = \"head\"", "[objective]\nkind = \"means\"", false);
        check("", "[objective]\nmixup = 0.5", false);
        check("[objective]\nloss = \"entropy\"", "[objective]\nloss = \"entropy\"\naux = 0.9", false);
        check("[label]\nsource = \"self\"", "[label]\nsource = \"self\"\nkeep = 0.9", false);
        check("", "[label]\nshown = \"random\"", true);
        let few = "[label]\nsource = \"few-shot\"";
        check(few, &format!("{few}\nshown = \"random\""), false);
        let evolved = "[objective]\nkind = \"evolution\"";
        check(evolved, &format!("{evolved}\nrank = 2"), false);
    }
}
