//! A production trial: does one method gain anything on a model of another kind? Method, metric and smallest effect are put on record before
//! it is run, and the number of seeds is such that the effect would be found.

use crate::stats::{Estimate, compare};
use serde::{Deserialize, Serialize};

/// The power that a trial must have at its smallest effect.
pub const POWER: f64 = 0.8;
/// The smallest effect that is asked for where nobody says otherwise, in accuracy, if it can be found.
pub const EFFECT: f64 = 0.02;
/// What can't is rounded up to a multiple of this.
pub const STEP: f64 = 0.005;
/// Seeds of plain training from which the trial's size is worked out.
pub const PILOT: usize = 5;
/// What is measured.
pub const METRIC: &str =
    "accuracy of the generated verdict on the selection split, the method's less plain training's on the same seeds";

/// What is said before the trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// The method's name.
    pub method: String,
    /// Its author.
    pub by: String,
    /// Its bundle.
    pub bundle: String,
    /// The testbed's name.
    pub testbed: String,
    /// SHA-256 of its record.
    pub record: String,
    /// What is measured.
    pub metric: String,
    /// The smallest effect that would matter, in accuracy.
    pub effect: f64,
    /// Seeds of both.
    pub seeds: usize,
    /// The power they have at that effect.
    pub power: f64,
    /// The standard error that is expected, from plain training's pilot.
    pub expected_se: f64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What was said before.
    pub registered: Registered,
    /// Accuracy of the teacher, of plain training, of the method and of the ceiling; the method's is absent where it did not run.
    pub weak: f64,
    /// Plain training's.
    pub plain: f64,
    /// The method's.
    pub accuracy: Option<f64>,
    /// The ceiling's.
    pub ceiling: f64,
    /// Method less plain, paired.
    pub difference: Option<Estimate>,
    /// Why it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// SHA-256 of the margins of each seed: the method's, then plain training's.
    pub margins: [Vec<String>; 2],
}

/// How many seeds find `effect` with [`POWER`], of at most `most`, given plain training's variance between seeds, the clusters of items and the
/// share of answers in which two seeds differ; with the power they have and the standard error expected. Where `most` are too few: the
/// smallest effect that they find.
pub fn size(
    effect: f64,
    seed_variance: f64,
    clusters: usize,
    disagreement: f64,
    most: usize,
) -> Result<(usize, f64, f64), f64> {
    let se = |seeds| compare::expected_se(seed_variance, seeds, clusters, disagreement);
    let enough = (PILOT..=most).map(|seeds| (seeds, compare::power(effect, se(seeds), seeds), se(seeds)));
    enough
        .into_iter()
        .find(|(_, power, _)| *power >= POWER)
        .ok_or_else(|| compare::minimum_difference(se(most), most, 1.0))
}

impl Trial {
    /// What may be said, in a sentence that begins with the method.
    pub fn sentence(&self) -> String {
        format!("“{}”{}", self.registered.method, self.says())
    }

    /// The sentence without its first word, in points of accuracy.
    pub fn says(&self) -> String {
        let points = |share: f64| format!("{:.1}", 100.0 * share);
        let effect = self.registered.effect;
        let Some(found) = self.difference else {
            let why = self.failed.as_deref().unwrap_or("it was not run");
            return format!(" in production: no number, for {why}.");
        };
        let sign = if found.value < 0.0 { "" } else { "+" };
        let value = format!("{sign}{} points [{}, {}]", points(found.value), points(found.low), points(found.high));
        let minimum = format!("the stated minimum of {}", points(effect));
        let said = if found.high < 0.0 {
            "clearly worse than plain training".to_owned()
        } else if found.high < effect {
            format!("below {minimum}")
        } else if found.low >= effect {
            format!("at least {minimum}")
        } else if found.low > 0.0 {
            format!("clearly better than plain training, whether by {minimum} is open")
        } else {
            format!("undecided: neither clearly above nothing nor clearly below {minimum}")
        };
        format!(" in production: {value} over plain training, {said}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(value: f64, half: f64) -> String {
        let registered = Registered {
            method: "m".into(),
            by: "a".into(),
            bundle: String::new(),
            testbed: String::new(),
            record: String::new(),
            metric: METRIC.into(),
            effect: EFFECT,
            seeds: 8,
            power: 0.9,
            expected_se: 0.005,
        };
        let difference = Some(Estimate { value, low: value - half, high: value + half });
        let (weak, plain, accuracy, ceiling) = (0.6, 0.7, Some(0.7 + value), 0.9);
        Trial { registered, weak, plain, accuracy, ceiling, difference, failed: None, margins: [vec![], vec![]] }
            .sentence()
    }

    #[test]
    fn the_sentence_says_no_more_than_was_measured() {
        let said = |value, half, expect: &str| {
            let found = trial(value, half);
            assert!(found.ends_with(&format!("{expect}.")), "{found}");
        };
        said(0.005, 0.011, "below the stated minimum of 2.0");
        assert!(trial(0.005, 0.011).contains("+0.5 points [-0.6, 1.6]"));
        said(0.04, 0.01, "at least the stated minimum of 2.0");
        said(0.02, 0.01, "clearly better than plain training, whether by the stated minimum of 2.0 is open");
        said(0.01, 0.03, "neither clearly above nothing nor clearly below the stated minimum of 2.0");
        said(-0.03, 0.01, "-3.0 points [-4.0, -2.0] over plain training, clearly worse than plain training");
    }

    #[test]
    fn as_many_seeds_as_the_effect_needs_or_the_effect_that_all_of_them_find() {
        let (seeds, power, se) = size(0.02, 1e-4, 8000, 0.2, 16).unwrap();
        assert!(seeds > PILOT && seeds <= 16 && power >= POWER);
        // The textbook: se = sqrt(2 · 1e-4 / n + 0.2 / 8000).
        assert!((se - (2e-4 / seeds as f64 + 2.5e-5).sqrt()).abs() < 1e-12);
        let fewer = compare::expected_se(1e-4, seeds - 1, 8000, 0.2);
        assert!(compare::power(0.02, fewer, seeds - 1) < POWER);
        let least = size(0.02, 4e-4, 8000, 0.2, 16).unwrap_err();
        assert!(least > 0.02 && size(least * 1.001, 4e-4, 8000, 0.2, 16).is_ok());
        assert_eq!(size(0.2, 1e-4, 8000, 0.2, 16).unwrap().0, PILOT);
    }
}
