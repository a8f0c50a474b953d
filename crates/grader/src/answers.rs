//! How much of a score a researcher gets to know: the policies, and one team's answers in their order.

use crate::vault::Vault;
use aar_domain::rung::Split;
use aar_domain::stats::Outcomes;
use serde::{Deserialize, Serialize};

/// How much of a score a researcher gets to know.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Policy {
    /// All of it. Only for measuring what the others keep back.
    Exact,
    /// Every answer on a grid of PGR.
    Naive {
        /// Width of a step, in PGR.
        step: f64,
    },
    /// The best answer so far, on a grid, moved only by what a paired test tells from it (`HYSTERESIS`; the Ladder without a
    /// parameter, Blum and Hardt 2015, section 4).
    Ladder {
        /// Width of a step, in PGR.
        step: f64,
    },
}

/// Answers lie between these; beyond, they are clipped, so that an answer has a known number of possible values.
const RANGE: (f64, f64) = (-0.5, 1.5);

impl Policy {
    /// Width of a step.
    pub fn step(self) -> f64 {
        match self {
            Policy::Exact => 0.0,
            Policy::Naive { step } | Policy::Ladder { step } => step,
        }
    }

    /// The most bits one answer gives away: the logarithm of the number of values it can have.
    pub fn milli_bits(self) -> u64 {
        let values = match self {
            Policy::Exact => return 64_000,
            Policy::Naive { step } | Policy::Ladder { step } => ((RANGE.1 - RANGE.0) / step).round() + 1.0,
        };
        (values.log2() * 1000.0).ceil() as u64
    }
}

/// Standard errors of the paired difference that something must be ahead of the best so far, before the ladder moves. Blum and Hardt's own is 1:
/// chance passes that with one blind try in six, and each that passes tells about a bit on every answer that was changed. At 3 it is one
/// in 740, so that a budget of some dozens of tries buys nothing (`aar attack`).
pub const HYSTERESIS: f64 = 3.0;

/// The answers of one team, in the order they were given.
#[derive(Clone, Debug)]
pub struct Answers {
    policy: Policy,
    best: f64,
    /// What the next one is compared with; the weak teachers before anything else.
    champion: Option<Outcomes>,
}

impl Answers {
    /// None yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, best: 0.0, champion: None }
    }

    /// A baseline's: a shipped recipe, run before anybody could choose it by an answer. It is told on the grid, and is where the ladder starts.
    pub fn baseline(&mut self, vault: &Vault, outcomes: &Outcomes) -> Option<f64> {
        let pgr = vault.point(Split::Feedback, outcomes)?;
        let best = self.champion.as_ref().and_then(|champion| vault.point(Split::Feedback, champion));
        if best.is_none_or(|best| pgr > best) {
            self.champion = Some(outcomes.clone());
            self.best = on_grid(pgr, self.policy.step());
        }
        Some(on_grid(pgr, self.policy.step()))
    }

    /// What a researcher gets to know of outcomes on the feedback split; `None` where PGR is undefined.
    pub fn answer(&mut self, vault: &Vault, outcomes: &Outcomes) -> Option<f64> {
        let pgr = vault.point(Split::Feedback, outcomes)?;
        Some(match self.policy {
            Policy::Exact => pgr,
            Policy::Naive { step } => on_grid(pgr, step),
            Policy::Ladder { step } => {
                let champion = self.champion.get_or_insert_with(|| vault.weak(Split::Feedback).clone());
                let (difference, se) = vault.paired(Split::Feedback, outcomes, champion);
                let value = on_grid(pgr, step);
                if value > self.best && difference > HYSTERESIS * se {
                    (self.best, self.champion) = (value, Some(outcomes.clone()));
                }
                self.best
            }
        })
    }
}

/// The nearest value of the grid inside the range; the value itself where there is no grid.
fn on_grid(pgr: f64, step: f64) -> f64 {
    if step == 0.0 { pgr } else { (pgr.clamp(RANGE.0, RANGE.1) / step).round() * step }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Parts;

    const ITEMS: usize = 1000;

    /// All labels are true, so an answer is right where its margin is positive. Weak is right on 500, the ceiling on 900 of 1,000.
    fn vault() -> Vault {
        let runs = |right: usize| vec![(0..ITEMS).map(|i| i < right).collect::<Vec<bool>>(); 2];
        let parts = || Parts { labels: vec![true; ITEMS], weak: runs(500), ceiling: runs(900) };
        Vault::of(Split::ALL.map(|split| (split, parts())).into())
    }

    /// Right on these items.
    fn right(vault: &Vault, on: impl Fn(usize) -> bool) -> Outcomes {
        let margins = (0..ITEMS).map(|i| if on(i) { 1.0 } else { -1.0 }).collect();
        vault.outcomes(Split::Feedback, &[1], &[margins]).unwrap()
    }

    fn close(found: Option<f64>, expect: f64) {
        assert!(found.is_some_and(|found| (found - expect).abs() < 1e-9), "{found:?} is not {expect}");
    }

    #[test]
    fn the_ladder_moves_only_by_what_a_paired_test_tells_apart() {
        let vault = vault();
        let mut answers = Answers::new(Policy::Ladder { step: 0.05 });
        // Worse than weak is not told.
        close(answers.answer(&vault, &right(&vault, |i| i < 400)), 0.0);
        close(answers.baseline(&vault, &right(&vault, |i| i < 600)), 0.25);
        // 40 more right, by 440 that changed: 1.9 standard errors do not move it.
        close(answers.answer(&vault, &right(&vault, |i| (200..840).contains(&i))), 0.25);
        // The same gain with nothing else changed is 6.5 standard errors.
        close(answers.answer(&vault, &right(&vault, |i| i < 640)), 0.35);
        // The best so far stays.
        close(answers.answer(&vault, &right(&vault, |i| i < 600)), 0.35);
    }

    #[test]
    fn other_policies_tell_every_value() {
        let vault = vault();
        let outcomes = right(&vault, |i| i < 412);
        close(Answers::new(Policy::Exact).answer(&vault, &outcomes), -0.22);
        close(Answers::new(Policy::Naive { step: 0.05 }).answer(&vault, &outcomes), -0.2);
    }

    #[test]
    fn answers_have_as_many_values_as_their_bits_say() {
        let check = |policy: Policy, bits: f64| {
            assert!((policy.milli_bits() as f64 / 1000.0 - bits).abs() < 0.01, "{policy:?}")
        };
        check(Policy::Naive { step: 0.05 }, 41f64.log2());
        check(Policy::Ladder { step: 0.1 }, 21f64.log2());
        check(Policy::Exact, 64.0);
    }
}
