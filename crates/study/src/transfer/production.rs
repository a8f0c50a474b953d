//! A production trial: one method on a production world, registered before it is run.

use super::trials::{TrialEvent, Trials};
use super::{Found, MOST_SEEDS, Method, Scored, TransferConfig};
use crate::error::StudyError;
use crate::testbed::Testbed;
use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;
use aar_domain::stats::compare::interval;
use aar_domain::transfer::production::{EFFECT, METRIC, PILOT, Registered, STEP, Trial, size};

/// A trial to be: what is tried where, and the smallest effect that would matter, in accuracy.
pub struct Question<'a> {
    /// The testbed.
    pub testbed: &'a Testbed,
    /// The method.
    pub method: &'a Method,
    /// The smallest effect; without one [`EFFECT`], or what all seeds can find.
    pub effect: Option<f64>,
}

impl Question<'_> {
    /// What is to be put on record before the method is run: plain training's pilot says how many seeds the effect needs.
    /// `config.seeds` are all that can be had.
    pub fn register(
        &self,
        config: &TransferConfig,
        tell: &(dyn Fn(TrialEvent) + Sync),
    ) -> Result<Registered, StudyError> {
        let pilot = config.with_seeds(PILOT);
        let trials = Trials::open(&pilot)?;
        trials.run(&[(self.testbed, &[])], tell)?;
        let scored = Scored::new(&trials, self.testbed)?;
        let plain = self.plain(&scored)?;
        let variance = plain.score.replicated.seed_variance() * plain.outcomes.seeds.len() as f64;
        let clusters = scored.vault.clusters(Split::Selection);
        let most = config.seeds.len().min(MOST_SEEDS);
        let sized = |effect| size(effect, variance, clusters, disagreement(&plain.outcomes), most);
        let mut effect = self.effect.unwrap_or(EFFECT);
        let (seeds, power, expected_se) = match (sized(effect), self.effect) {
            (Ok(found), _) => found,
            (Err(least), None) => {
                effect = (least / STEP).ceil() * STEP;
                sized(effect)
                    .map_err(|_| self.wrong(format!("its size can't be worked out from a spread of {variance:.2e}")))?
            }
            (Err(least), Some(asked)) => {
                let detail = format!(
                    "an effect of {:.1} points is too small for {most} seeds: the smallest that they find in 4 of 5 trials is {:.1} points",
                    100.0 * asked,
                    100.0 * least
                );
                return Err(StudyError::Plan { place: "the production trial".into(), detail });
            }
        };
        Ok(Registered {
            method: self.method.name.clone(),
            by: self.method.by.clone(),
            bundle: self.method.bundle.id(),
            testbed: self.testbed.record.name.clone(),
            record: super::trials::record_hash(self.testbed),
            metric: METRIC.into(),
            effect,
            seeds,
            power,
            expected_se,
        })
    }

    /// Run what was registered.
    pub fn run(
        &self,
        config: &TransferConfig,
        registered: &Registered,
        tell: &(dyn Fn(TrialEvent) + Sync),
    ) -> Result<Trial, StudyError> {
        let config = config.with_seeds(registered.seeds);
        let trials = Trials::open(&config)?;
        trials.run(&[(self.testbed, &[&self.method.bundle])], tell)?;
        let scored = Scored::new(&trials, self.testbed)?;
        let frozen = scored.vault.frozen(Split::Selection);
        let plain = self.plain(&scored)?;
        let mut trial = Trial {
            registered: registered.clone(),
            weak: frozen.weak,
            plain: plain.score.accuracy,
            accuracy: None,
            ceiling: frozen.ceiling,
            difference: None,
            failed: None,
            margins: [vec![], plain.hashes.clone()],
        };
        match scored.found(&trials, &self.method.bundle) {
            Ok(Found { score, hashes, .. }) => {
                trial.difference = Some(interval(&scored.vault.compare(&score, &plain.score), registered.seeds));
                trial.accuracy = Some(score.accuracy);
                trial.margins[0] = hashes;
            }
            Err(reason) => trial.failed = Some(reason),
        }
        Ok(trial)
    }

    fn plain<'a>(&self, scored: &'a Scored) -> Result<&'a Found, StudyError> {
        scored.plain.as_ref().map_err(|detail| self.wrong(format!("plain training: {detail}")))
    }

    fn wrong(&self, detail: String) -> StudyError {
        StudyError::Testbed { path: self.testbed.path.clone(), detail }
    }
}

/// Share of answers in which two seeds differ, over neighbouring pairs of them.
fn disagreement(outcomes: &Outcomes) -> f64 {
    let pairs = outcomes.correct.windows(2).flat_map(|pair| pair[0].iter().zip(&pair[1]).map(|(a, b)| a != b));
    let (differ, all) = pairs.fold((0u32, 0u32), |(differ, all), one| (differ + u32::from(one), all + 1));
    f64::from(differ) / f64::from(all.max(1))
}
