//! Does it hold elsewhere? What is said of a method on another testbed, and when it counts as transferred.

pub mod matrix;
pub mod production;

use crate::rung::Rung;
use crate::stats::{Comparison, Estimate, Pgr};
use serde::{Deserialize, Serialize};

/// A gap whose lower 95 % bound is not above this is too small to say anything (the rule for admitting testbeds, too).
pub const LEAST_GAP: f64 = 0.10;
/// A method that keeps clearly more than this share of what it gets at home holds.
pub const HOLDS: f64 = 0.5;
/// Freshly minted testbeds of the same subject that the rule needs, and how many of them it must hold on.
pub const RULE: (usize, usize) = (5, 4);

/// What is said of a method on one testbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It keeps clearly more than half of its PGR.
    Holds,
    /// It is clearly better than plain training there, but may keep less than half.
    Weaker,
    /// It is not clearly better than plain training there.
    Gone,
    /// It is clearly worse than plain training there.
    Harmful,
    /// The gap there is too small, or it did not run.
    NotMeasurable,
}

impl Fate {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Fate::Holds => "holds",
            Fate::Weaker => "weaker",
            Fate::Gone => "gone",
            Fate::Harmful => "harmful",
            Fate::NotMeasurable => "not measurable here",
        }
    }
}

/// PGR there over PGR at home, by the delta method, the two being independent; `None` where home is not clearly above zero.
pub fn retained(home: &Pgr, there: &Pgr) -> Option<Estimate> {
    let value = there.value / home.value;
    let se = ((there.se / home.value).powi(2) + (value * home.se / home.value).powi(2)).sqrt();
    // The intervals' own quantiles: few seeds have wide ones.
    let quantile = |pgr: &Pgr| if pgr.se > 0.0 { (pgr.high - pgr.low) / (2.0 * pgr.se) } else { 1.96 };
    let half = quantile(home).max(quantile(there)) * se;
    (home.low > 0.0).then_some(Estimate { value, low: value - half, high: value + half })
}

/// What is said, given PGR at home and there, the lower bound of the gap there, and the paired test against plain there.
pub fn fate(home: Option<&Pgr>, there: Option<&Pgr>, gap_low: f64, plain: Option<&Comparison>) -> Fate {
    let (Some(there), Some(plain)) = (there.filter(|_| gap_low > LEAST_GAP), plain) else {
        return Fate::NotMeasurable;
    };
    let clear = plain.p < 0.05;
    if clear && plain.difference < 0.0 {
        return Fate::Harmful;
    }
    if !clear {
        return Fate::Gone;
    }
    match home.and_then(|home| retained(home, there)) {
        Some(share) if share.low > HOLDS => Fate::Holds,
        _ => Fate::Weaker,
    }
}

/// The rung of a replicated method, given its fates on freshly minted testbeds of its subject and everywhere else.
pub fn rung(fresh: &[Fate], elsewhere: &[Fate]) -> Rung {
    let harmful = fresh.iter().chain(elsewhere).any(|fate| *fate == Fate::Harmful);
    let measured = fresh.iter().filter(|fate| **fate != Fate::NotMeasurable).count();
    let holds = fresh.iter().filter(|fate| **fate == Fate::Holds).count();
    let (needed, most_of_them) = RULE;
    if harmful {
        Rung::NotTransferred
    } else if measured < needed {
        Rung::Replicated
    } else if holds * needed >= measured * most_of_them {
        Rung::Transferred
    } else {
        Rung::NotTransferred
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pgr(value: f64, se: f64) -> Pgr {
        Pgr { value, low: value - 2.0 * se, high: value + 2.0 * se, se }
    }

    fn against(difference: f64, p: f64) -> Comparison {
        Comparison { difference, se: 0.01, p }
    }

    #[test]
    fn fates_follow_the_words() {
        let home = pgr(0.8, 0.02);
        let said = |there: Pgr, gap, plain| fate(Some(&home), Some(&there), gap, Some(&plain));
        assert_eq!(said(pgr(0.7, 0.03), 0.2, against(0.1, 0.001)), Fate::Holds);
        assert_eq!(said(pgr(0.42, 0.03), 0.2, against(0.1, 0.001)), Fate::Weaker);
        assert_eq!(said(pgr(0.7, 0.3), 0.2, against(0.1, 0.2)), Fate::Gone);
        assert_eq!(said(pgr(0.0, 0.03), 0.2, against(-0.1, 0.001)), Fate::Harmful);
        assert_eq!(said(pgr(0.7, 0.03), 0.08, against(0.1, 0.001)), Fate::NotMeasurable);
        assert_eq!(fate(Some(&home), None, 0.2, None), Fate::NotMeasurable);
        // Clearly better than plain, but nothing at home to keep a share of.
        assert_eq!(fate(Some(&pgr(0.01, 0.1)), Some(&home), 0.2, Some(&against(0.1, 0.001))), Fate::Weaker);
    }

    #[test]
    fn a_retained_share_carries_both_errors() {
        let share = retained(&pgr(0.8, 0.04), &pgr(0.4, 0.03)).unwrap();
        assert!((share.value - 0.5).abs() < 1e-12);
        // sqrt((0.03/0.8)^2 + (0.5·0.04/0.8)^2) = 0.04507; twice that.
        assert!((share.high - share.value - 0.090_139).abs() < 1e-5, "{share:?}");
        assert_eq!(retained(&pgr(0.05, 0.04), &pgr(0.4, 0.03)), None);
    }

    #[test]
    fn the_rule_needs_five_fresh_worlds_and_no_harm() {
        use Fate::{Gone, Harmful, Holds, NotMeasurable, Weaker};
        assert_eq!(rung(&[Holds; 5], &[Gone]), Rung::Transferred);
        assert_eq!(rung(&[Holds, Holds, Holds, Holds, Weaker], &[]), Rung::Transferred);
        assert_eq!(rung(&[Holds, Holds, Holds, Gone, Weaker], &[]), Rung::NotTransferred);
        assert_eq!(rung(&[Holds; 4], &[]), Rung::Replicated);
        assert_eq!(rung(&[Holds, Holds, Holds, Holds, NotMeasurable], &[]), Rung::Replicated);
        assert_eq!(rung(&[Holds; 5], &[Harmful]), Rung::NotTransferred);
    }
}
