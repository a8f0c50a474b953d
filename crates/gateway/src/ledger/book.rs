//! What was spent, what is promised, what may be: arithmetic without a disk.

use super::pace::{Pace, Rate};
use crate::price::{nano, usd};
use crate::settings::Limits;
use aar_llm::conversation::Usage;
pub use aar_llm::transcript::{Charge, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What else costs something; counted on the same ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Milliseconds of computing.
    ComputeMs,
    /// Evaluations.
    Evaluations,
}

impl Unit {
    /// As it stands in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::ComputeMs => "compute-ms",
            Self::Evaluations => "evaluations",
        }
    }
}

/// What one caller, or all together, did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// US$ charged.
    pub usd: f64,
    /// The same in nano-dollars, exactly.
    pub nano: i64,
    /// Tokens charged, by kind.
    pub usage: Usage,
    /// Nano-dollars promised to calls that run.
    pub open_nano: i64,
    /// Tokens promised to calls that run.
    pub open_tokens: u64,
    /// Calls that ended.
    pub calls: u64,
    /// Of these, the ones without a whole answer.
    pub failures: u64,
    /// Limits, extensions included.
    pub limits: Limits,
    /// Whether calls are refused for now.
    pub paused: bool,
    /// Milliseconds of computing that were recorded.
    pub compute_ms: u64,
    /// Evaluations that were recorded.
    pub evaluations: u64,
}

impl Totals {
    /// How a call of `worst` fits: not at all, not now, or well.
    fn fits(&self, worst: &Charge) -> Fit {
        let money = |spent: i64| {
            let sum = spent.saturating_add(worst.nano);
            self.limits.usd.is_none_or(|limit| sum <= nano(limit))
        };
        let tokens = |spent: u64| {
            let sum = spent.saturating_add(worst.usage.total());
            self.limits.tokens.is_none_or(|limit| sum <= limit)
        };
        let used = self.usage.total();
        if !money(self.nano) || !tokens(used) {
            Fit::Never
        } else if money(self.nano.saturating_add(self.open_nano)) && tokens(used.saturating_add(self.open_tokens)) {
            Fit::Now
        } else {
            Fit::Later
        }
    }

    fn open(&mut self, worst: &Charge) {
        self.open_nano += worst.nano;
        self.open_tokens += worst.usage.total();
    }

    fn close(&mut self, worst: &Charge, charge: &Charge, outcome: Outcome) {
        self.open_nano -= worst.nano;
        self.open_tokens -= worst.usage.total();
        self.add(charge, outcome);
    }

    fn add(&mut self, charge: &Charge, outcome: Outcome) {
        self.nano = self.nano.saturating_add(charge.nano);
        self.usd = usd(self.nano);
        self.usage += charge.usage;
        self.calls += 1;
        self.failures += u64::from(outcome != Outcome::Answered);
    }

    fn extend(&mut self, by: &Limits) {
        // What is not limited stays so.
        self.limits.usd = self.limits.usd.map(|limit| limit + by.usd.unwrap_or(0.0));
        self.limits.tokens = self.limits.tokens.map(|limit| limit.saturating_add(by.tokens.unwrap_or(0)));
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Now,
    Later,
    Never,
}

/// Why a call can't be paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortage {
    /// Whether waiting for running calls may help.
    pub later: bool,
    /// The team, or the caller.
    pub whose: String,
    /// What is left there.
    pub left: Limits,
    /// What the call may cost at most.
    pub worst: Charge,
}

/// Why a call is not promised anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// It can't be paid.
    Shortage(Shortage),
    /// Its caller spends too fast.
    TooFast {
        /// What is allowed.
        rate: Rate,
        /// Seconds until the next call.
        wait_s: u64,
    },
}

/// Accounts of a team.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// All together.
    pub team: Totals,
    /// Each.
    pub callers: BTreeMap<String, Totals>,
    paces: BTreeMap<String, Pace>,
    open: BTreeMap<i64, (String, Charge)>,
}

impl Book {
    /// An account for somebody, with these limits. Again: the limits are replaced.
    pub fn admit(&mut self, caller: &str, limits: Limits, rate: Option<Rate>) {
        self.callers.entry(caller.to_owned()).or_default().limits = limits;
        match rate {
            Some(rate) => self.paces.insert(caller.to_owned(), Pace::new(rate)),
            None => self.paces.remove(caller),
        };
    }

    /// How long somebody who spends too fast has to wait, in seconds.
    pub fn brakes(&self, caller: &str, now_ms: i64) -> Option<(Rate, u64)> {
        let pace = self.paces.get(caller)?;
        Some((pace.rate, pace.wait_s(now_ms)?))
    }

    /// Money was spent at a time, in order of time.
    pub fn paid(&mut self, caller: &str, nano: i64, at_ms: i64) {
        if let Some(pace) = self.paces.get_mut(caller) {
            pace.spend(nano, at_ms);
        }
    }

    /// Can it be paid?
    pub fn affords(&self, caller: &str, worst: &Charge) -> Result<(), Shortage> {
        let own = self.callers.get(caller).copied().unwrap_or_default();
        let fits =
            [("the team", &self.team), (caller, &own)].map(|(whose, totals)| (totals.fits(worst), whose, totals));
        let (fit, whose, totals) = fits.into_iter().max_by_key(|(fit, ..)| *fit).unwrap_or((Fit::Never, caller, &own));
        if fit == Fit::Now {
            return Ok(());
        }
        let left = Limits {
            usd: totals.limits.usd.map(|limit| (limit - totals.usd).max(0.0)),
            tokens: totals.limits.tokens.map(|limit| limit.saturating_sub(totals.usage.total())),
        };
        Err(Shortage { later: fit == Fit::Later, whose: whose.to_owned(), left, worst: *worst })
    }

    /// Promise a call its worst case.
    pub fn reserve(&mut self, id: i64, caller: &str, worst: Charge) {
        self.team.open(&worst);
        self.callers.entry(caller.to_owned()).or_default().open(&worst);
        self.open.insert(id, (caller.to_owned(), worst));
    }

    /// Charge a call what it came to. `false`: it is not open.
    pub fn settle(&mut self, id: i64, charge: &Charge, outcome: Outcome, at_ms: i64) -> bool {
        let Some((caller, worst)) = self.open.remove(&id) else {
            return false;
        };
        self.paid(&caller, charge.nano, at_ms);
        self.team.close(&worst, charge, outcome);
        self.callers.entry(caller).or_default().close(&worst, charge, outcome);
        true
    }

    /// A call that ended in an earlier life.
    pub fn remember(&mut self, caller: &str, charge: &Charge, outcome: Outcome) {
        self.team.add(charge, outcome);
        self.callers.entry(caller.to_owned()).or_default().add(charge, outcome);
    }

    /// Units of something else.
    pub fn record(&mut self, caller: &str, unit: Unit, amount: u64) {
        for totals in [&mut self.team, self.callers.entry(caller.to_owned()).or_default()] {
            match unit {
                Unit::ComputeMs => totals.compute_ms += amount,
                Unit::Evaluations => totals.evaluations += amount,
            }
        }
    }

    /// Raise limits, of somebody or of the team.
    pub fn extend(&mut self, caller: Option<&str>, by: &Limits) {
        match caller {
            None => self.team.extend(by),
            Some(caller) => self.callers.entry(caller.to_owned()).or_default().extend(by),
        }
    }

    /// Refuse somebody's calls for now, or no longer.
    pub fn pause(&mut self, caller: &str, paused: bool) {
        self.callers.entry(caller.to_owned()).or_default().paused = paused;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(input: u64, nano: i64) -> Charge {
        Charge { usage: Usage { input, ..Usage::default() }, nano }
    }

    #[test]
    fn a_promise_counts_until_it_is_settled() {
        let mut book = Book {
            team: Totals { limits: Limits { usd: Some(1e-6), tokens: Some(100) }, ..Totals::default() },
            ..Book::default()
        };
        book.admit("ada", Limits { usd: Some(8e-7), tokens: None }, None);
        book.reserve(1, "ada", charge(60, 600));
        let shortage = book.affords("ada", &charge(10, 300)).unwrap_err();
        assert!(shortage.later && shortage.whose == "ada", "{shortage:?}");
        let shortage = book.affords("bob", &charge(50, 1)).unwrap_err();
        assert!(shortage.later && shortage.whose == "the team", "tokens: {shortage:?}");
        assert!(!book.affords("bob", &charge(101, 0)).unwrap_err().later);
        assert!(book.settle(1, &charge(20, 100), Outcome::Answered, 0));
        assert!(!book.settle(1, &charge(20, 100), Outcome::Answered, 0), "once");
        book.affords("ada", &charge(10, 300)).unwrap();
        assert_eq!((book.team.nano, book.team.open_nano, book.callers["ada"].usage.input), (100, 0, 20));
        assert!(!book.affords("ada", &charge(10, 701)).unwrap_err().later);
        book.extend(Some("ada"), &Limits { usd: Some(1e-6), tokens: Some(5) });
        book.affords("ada", &charge(10, 701)).unwrap();
        assert_eq!(book.callers["ada"].limits.tokens, None, "what is not limited stays so");
    }
}
