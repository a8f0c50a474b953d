//! What an attacker can reach, and two doors that are attacked in memory: the grader's with its ledger, and the reference's rules.

use super::attacks::Loot;
use super::world::{World, margins};
use crate::ledger::{Answers, Charge, Ledger, Policy, Unit};
use crate::vault::Vault;
use aar_domain::rung::Split;
use rand_chacha::ChaCha8Rng;

/// What an attacker can reach.
pub trait Door {
    /// Hand predictions in, `[seeds][items]` (one row = the same on every seed). An accuracy, or a refusal.
    fn ask(&mut self, identity: usize, rows: &[Vec<f32>]) -> Option<f64>;
    /// Hand in runs of a method whose true PGR is `method`: what they say of items that nobody is answered about is as good as that.
    fn run(&mut self, rows: &[Vec<f32>], _method: f64) -> Option<f64> {
        self.ask(0, rows)
    }
    /// Say what one's result is.
    fn claim(&mut self, pgr: f64);
    /// Queries that were answered.
    fn answered(&self) -> u32;
    /// Bits that were released, at most; `None` where nobody counts.
    fn bits(&self) -> Option<f64>;
    /// Close the study: what the attacker gets for its loot.
    fn close(&mut self, world: &World, loot: &Loot, rng: &mut ChaCha8Rng) -> Closed;
}

/// What is shown for an attacker in the end, minus PGR on fresh truth; `None` where nothing is shown.
pub struct Closed {
    /// By the board.
    pub graded: Option<f64>,
    /// By what counts: the replicated value; for the reference, its board.
    pub headline: Option<f64>,
}

/// Seeds of an evaluation.
const SEEDS: [u64; 3] = [1, 2, 3];

/// Vault and ledger, as the server uses them.
pub struct Graded<'a> {
    vault: &'a Vault,
    policy: Policy,
    answers: Answers,
    ledger: Ledger,
    answered: u32,
    best: Option<f64>,
}

impl<'a> Graded<'a> {
    /// Before the first submission: plain training is graded, as in every study.
    pub fn new(world: &'a World, policy: Policy, submissions: u32) -> Self {
        let bits = u64::from(submissions) * policy.milli_bits();
        let limits = [(Unit::Evaluations, u64::from(submissions)), (Unit::MilliBits, bits)].into();
        let mut answers = Answers::new(policy);
        let rows = vec![margins(&world.known.prior); SEEDS.len()];
        if let Some(plain) = world.vault.outcomes(Split::Feedback, &SEEDS, &rows) {
            answers.baseline(&world.vault, &plain);
        }
        Self { vault: &world.vault, policy, answers, ledger: Ledger::new(&limits), answered: 0, best: None }
    }
}

impl Door for Graded<'_> {
    fn ask(&mut self, _identity: usize, rows: &[Vec<f32>]) -> Option<f64> {
        // One account, whoever asks; charged before anything is looked at, so that what fails is charged too.
        let charge: Charge = [(Unit::Evaluations, 1), (Unit::MilliBits, self.policy.milli_bits())].into();
        self.ledger.reserve(&charge).ok()?;
        self.ledger.settle(&charge, &charge);
        let rows = if rows.len() == 1 { vec![rows[0].clone(); SEEDS.len()] } else { rows.to_vec() };
        let outcomes = self.vault.outcomes(Split::Feedback, &SEEDS, &rows)?;
        let pgr = self.answers.answer(self.vault, &outcomes)?;
        self.answered += 1;
        self.best = Some(self.best.map_or(pgr, |best| best.max(pgr)));
        let (weak, ceiling) = self.vault.ends(Split::Feedback);
        Some(weak + pgr * (ceiling - weak))
    }

    fn claim(&mut self, _pgr: f64) {
        // There is no field for it: a score is what the grader makes of margins.
    }

    fn answered(&self) -> u32 {
        self.answered
    }

    fn bits(&self) -> Option<f64> {
        Some(self.ledger.account(Unit::MilliBits).used as f64 / 1000.0)
    }

    fn close(&mut self, world: &World, loot: &Loot, rng: &mut ChaCha8Rng) -> Closed {
        let (selection, fresh) = world.elsewhere(loot.method, rng);
        Closed { graded: self.best.map(|board| board - fresh), headline: Some(selection - fresh) }
    }
}

/// The reference's rules: any number of exact answers for anybody, abstentions allowed, results as their authors say.
pub struct Reference<'a> {
    world: &'a World,
    answered: u32,
    best: Option<f64>,
}

impl<'a> Reference<'a> {
    /// Nothing was asked yet.
    pub fn new(world: &'a World) -> Self {
        Self { world, answered: 0, best: None }
    }
}

impl Door for Reference<'_> {
    fn ask(&mut self, _identity: usize, rows: &[Vec<f32>]) -> Option<f64> {
        let [row] = rows else { return None };
        // Predictions are integers there: what is none ends in an error, and so does a wrong length.
        if row.len() != self.world.labels.len() || row.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let right = |(&value, &label): (&f32, &bool)| if label { value > 0.0 } else { value < 0.0 };
        let count = row.iter().zip(&self.world.labels).filter(|&pair| right(pair)).count();
        self.answered += 1;
        let accuracy = count as f64 / row.len() as f64;
        let (weak, ceiling) = self.world.vault.ends(Split::Feedback);
        self.claim((accuracy - weak) / (ceiling - weak));
        Some(accuracy)
    }

    fn claim(&mut self, pgr: f64) {
        self.best = Some(self.best.map_or(pgr, |best| best.max(pgr)));
    }

    fn answered(&self) -> u32 {
        self.answered
    }

    fn bits(&self) -> Option<f64> {
        None
    }

    fn close(&mut self, world: &World, loot: &Loot, rng: &mut ChaCha8Rng) -> Closed {
        // Nothing keeps a thief of labels from handing them in.
        let _ = self.ask(0, &[margins(&loot.guess)]);
        let (_, fresh) = world.elsewhere(loot.method, rng);
        let graded = self.best.map(|board| board - fresh);
        Closed { graded, headline: graded }
    }
}
