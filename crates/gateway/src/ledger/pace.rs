//! A brake: how fast somebody may spend. A bucket of dollars that fills evenly and holds so much at most; each charge is taken out
//! of it, and while it is empty the next call has to wait. So one call may overdraw it, and the time until the next follows.

use crate::price::nano;
use serde::{Deserialize, Serialize};

/// How fast somebody may spend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// US$ an hour, in the long run.
    pub usd_per_hour: f64,
    /// US$ that may be spent at once.
    pub burst_usd: f64,
}

impl Rate {
    /// Positive numbers, both.
    pub fn is_sound(&self) -> bool {
        [self.usd_per_hour, self.burst_usd].into_iter().all(|usd| usd > 0.0 && usd <= 1e7)
    }
}

/// Somebody's bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// How it fills.
    pub rate: Rate,
    level: i64,
    at_ms: i64,
}

impl Pace {
    /// A full one.
    pub fn new(rate: Rate) -> Self {
        Self { rate, level: nano(rate.burst_usd), at_ms: i64::MIN }
    }

    /// Nano-dollars in it at a time. A clock that went back fills nothing.
    fn level(&self, now_ms: i64) -> i64 {
        let passed_ms = now_ms.saturating_sub(self.at_ms).max(0) as f64;
        let filled = passed_ms / 3.6e6 * nano(self.rate.usd_per_hour) as f64;
        self.level.saturating_add(filled as i64).min(nano(self.rate.burst_usd))
    }

    /// Take a charge out of it.
    pub fn spend(&mut self, spent: i64, now_ms: i64) {
        self.level = self.level(now_ms).saturating_sub(spent);
        self.at_ms = now_ms.max(self.at_ms);
    }

    /// Whole seconds until the next call may be made, where it may not be made now.
    pub fn wait_s(&self, now_ms: i64) -> Option<u64> {
        let level = self.level(now_ms);
        let seconds = (1 - level) as f64 / nano(self.rate.usd_per_hour) as f64 * 3600.0;
        (level <= 0).then_some((seconds.ceil() as u64).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_goes_beyond_it_waits_for_the_hour_s_rate() {
        let mut pace = Pace::new(Rate { usd_per_hour: 3.6, burst_usd: 1.0 });
        assert_eq!(pace.wait_s(0), None);
        pace.spend(nano(0.9), 0);
        assert_eq!(pace.wait_s(0), None, "something is left");
        pace.spend(nano(0.6), 0);
        assert_eq!(pace.wait_s(0), Some(501), "half a dollar at a thousandth a second");
        assert_eq!(pace.wait_s(400_000), Some(101));
        assert_eq!(pace.wait_s(501_000), None);
        assert_eq!(pace.wait_s(-5), Some(501), "a clock that went back");
        pace.spend(0, i64::from(u32::MAX));
        pace.spend(nano(1.5), i64::from(u32::MAX));
        assert_eq!(pace.wait_s(i64::from(u32::MAX)), Some(501), "it holds no more than the burst");
    }

    #[test]
    fn a_rate_is_positive() {
        let sound = |usd_per_hour, burst_usd| Rate { usd_per_hour, burst_usd }.is_sound();
        assert!(sound(1.0, 0.1) && !sound(0.0, 1.0) && !sound(1.0, -1.0) && !sound(f64::NAN, 1.0));
    }
}
