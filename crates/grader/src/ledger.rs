//! The one account of what a team may use and has used, and of what answers gave away.
//!
//! Pure arithmetic: the server replays its event log into a ledger. Reserve the worst case first, settle what it came to.

pub use crate::answers::{Answers, Policy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Submissions.
    Evaluations,
    /// Operations counted by the engine in training.
    Operations,
    /// CPU-milliseconds measured from outside.
    CpuMs,
    /// Tokens of a language model.
    Tokens,
    /// Millionths of a dollar.
    MicroDollars,
    /// Thousandths of a bit that answers may have given away.
    MilliBits,
}

/// A unit's account. What is not limited is counted all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The most that may be used; `None` = only counted.
    pub limit: Option<u64>,
    /// Held back for what is under way.
    pub reserved: u64,
    /// Used.
    pub used: u64,
}

impl Account {
    /// What may still be reserved; `None` = without limit.
    pub fn left(&self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_sub(self.used + self.reserved))
    }
}

/// A charge in several units.
pub type Charge = BTreeMap<Unit, u64>;

/// A unit that does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{unit:?}: {wanted} wanted, {left} left")]
pub struct Spent {
    /// Which.
    pub unit: Unit,
    /// Asked for.
    pub wanted: u64,
    /// Left.
    pub left: u64,
}

/// Accounts of one team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    accounts: BTreeMap<Unit, Account>,
}

impl Ledger {
    /// With these limits.
    pub fn new(limits: &BTreeMap<Unit, u64>) -> Self {
        let account = |limit: u64| Account { limit: Some(limit), ..Account::default() };
        Self { accounts: limits.iter().map(|(&unit, &limit)| (unit, account(limit))).collect() }
    }

    /// One unit's account.
    pub fn account(&self, unit: Unit) -> Account {
        self.accounts.get(&unit).copied().unwrap_or_default()
    }

    /// Raise a limit; what is not limited stays so.
    pub fn extend(&mut self, unit: Unit, amount: u64) {
        if let Some(limit) = self.accounts.get_mut(&unit).and_then(|account| account.limit.as_mut()) {
            *limit = limit.saturating_add(amount);
        }
    }

    /// Whether all of a charge could be reserved.
    pub fn affords(&self, charge: &Charge) -> Result<(), Spent> {
        for (&unit, &wanted) in charge {
            match self.account(unit).left() {
                Some(left) if left < wanted => return Err(Spent { unit, wanted, left }),
                _ => {}
            }
        }
        Ok(())
    }

    /// Hold a charge back: all of it or, where one unit does not suffice, nothing.
    pub fn reserve(&mut self, charge: &Charge) -> Result<(), Spent> {
        self.affords(charge)?;
        for (&unit, &amount) in charge {
            self.accounts.entry(unit).or_default().reserved += amount;
        }
        Ok(())
    }

    /// What was reserved came to `actual`, which may be more only where the reservation was a guess (CPU, operations).
    pub fn settle(&mut self, reserved: &Charge, actual: &Charge) {
        for (&unit, &amount) in reserved {
            let account = self.accounts.entry(unit).or_default();
            account.reserved = account.reserved.saturating_sub(amount);
        }
        for (&unit, &amount) in actual {
            let account = self.accounts.entry(unit).or_default();
            account.used = account.used.saturating_add(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charge(evaluations: u64, bits: u64) -> Charge {
        [(Unit::Evaluations, evaluations), (Unit::MilliBits, bits)].into()
    }

    #[test]
    fn a_reservation_that_does_not_fit_takes_nothing() {
        let mut ledger = Ledger::new(&charge(2, 1000));
        ledger.reserve(&charge(1, 900)).unwrap();
        assert_eq!(ledger.reserve(&charge(1, 900)), Err(Spent { unit: Unit::MilliBits, wanted: 900, left: 100 }));
        assert_eq!(ledger.account(Unit::Evaluations).left(), Some(1));
        ledger.settle(&charge(1, 900), &charge(1, 900));
        assert_eq!(ledger.account(Unit::MilliBits), Account { limit: Some(1000), reserved: 0, used: 900 });
    }

    proptest! {
        #[test]
        fn nothing_is_ever_used_beyond_the_limit(steps in prop::collection::vec((1u64..40, any::<bool>()), 1..60)) {
            let mut ledger = Ledger::new(&[(Unit::Evaluations, 100)].into());
            let mut open: Vec<Charge> = vec![];
            for (amount, settle) in steps {
                let wanted: Charge = [(Unit::Evaluations, amount)].into();
                if ledger.reserve(&wanted).is_ok() {
                    open.push(wanted);
                }
                if settle && let Some(done) = open.pop() {
                    ledger.settle(&done, &done);
                }
                let account = ledger.account(Unit::Evaluations);
                prop_assert!(account.used + account.reserved <= 100);
            }
        }
    }
}
